"""Who approved, and what has happened: of the run, and of the route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...store.routes import Change
from .blocks import Block, Heading, Line, Paragraph, Span, Table, line
from .given import Board
from .words import day, outcome, place

__all__ = ["approvals", "history"]

_MOST: Final = 200


def approvals(board: Board) -> Iterator[Block]:
    """Write who approved which step, when and why."""
    yield Heading("Approvals")
    given = [one for step in board.state.steps for one in step.approvals]
    if not given:
        yield Paragraph(line("Nobody has approved anything yet."))
        return
    rows = [
        (line(Span(one.step, "strong")), line(one.who), line(day(one.at)), line(one.why or "-"))
        for one in sorted(given, key=lambda one: one.at)
    ]
    yield Table(("step", "who", "when", "why"), rows)


def history(board: Board) -> Iterator[Block]:
    """Write what has happened, the run's first."""
    yield Heading("What has happened")
    yield Heading("The run", 3)
    if board.told:
        rows = [
            (
                line(day(one.at)),
                line(one.action, Span(one.step, "strong"), one.state),
                line(one.who),
                line(one.why or "-"),
            )
            for one in board.told[-_MOST:]
        ]
        yield Table(("when", "what", "who", "why"), rows)
        yield from _older(len(board.told), "fig journal --kind run")
    else:
        yield Paragraph(line("It has not begun."))
    yield Heading("The route", 3)
    if board.changes:
        columns = ("version", "when", "what", "who", "verdict", "why")
        yield Table(columns, [_change(one) for one in board.changes[-_MOST:]])
        yield from _older(len(board.changes), f"fig route history {board.state.runbook.endpoint}")
    else:
        yield Paragraph(line("It stands at legacy, and was never changed."))


def _older(count: int, command: str) -> Iterator[Block]:
    """Say where the older ones stand, where there are more than anybody reads on paper."""
    if count > _MOST:
        older = f"{count - _MOST} older ones stand in"
        yield Paragraph(line(older, Span(command, "code")))


def _change(one: Change) -> Sequence[Line]:
    before = f"{place(one.before)} → " if one.before is not None else ""
    return (
        line(str(one.version)),
        line(day(one.at)),
        line(f"{one.action}: {before}{place(one.after)}"),
        line(one.who),
        line(_verdict(one)),
        line(one.why or "-"),
    )


def _verdict(one: Change) -> Span:
    found = one.evidence.get("verdict")
    said = found.get("outcome") if isinstance(found, dict) else None
    return outcome(said) if isinstance(said, str) else Span("-")
