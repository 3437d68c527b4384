"""The first page: what moves, from where to where, who answers for it, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from .blocks import Block, Bullets, Facts, Heading, Line, Paragraph, Span, line
from .given import Board
from .words import day, place, state

__all__ = ["summary"]


def summary(board: Board) -> Iterator[Block]:
    """Write it."""
    yield Heading("In short")
    yield Facts(list(_facts(board)))
    if board.stale:
        yield Paragraph(
            line(
                "The file is not what the run was begun with. This document shows what the run "
                "has kept, and goes by."
            ),
            warns=True,
        )
    if board.state.waits:
        yield Paragraph(line("It waits for:"))
        yield Bullets([_wait(one.reason, one.missing, one.command) for one in board.state.waits])


def _facts(board: Board) -> Iterator[tuple[str, Line]]:
    runbook, run = board.state.runbook, board.state.run
    if runbook.why:
        yield "Why", line(runbook.why)
    yield "Endpoint", line(Span(runbook.endpoint, "strong"), f"({board.kind})")
    yield "Operation", line(f"{board.operation}, effect {board.effect}")
    yield "From, to", line(f"{board.legacy or 'legacy'} → {board.replacement or 'nobody yet'}")
    yield "Who answers for it", line(runbook.owner)
    yield "To have ended by", _expires(board)
    yield "The route stands at", line(Span(place(board.state.route), "strong"))
    yield "Revision", line(Span(board.state.route.revision or "none yet", "code"))
    if run is None:
        yield "Run", line("not begun")
    else:
        why = f": {run.why}" if run.why else ""
        begun = f"begun {day(run.at)} by {run.who}{why}"
        yield "Run", line(f"number {run.id},", state(run.state), begun)
        if run.said:
            yield "It says", line(run.said)
        if board.state.holder:
            yield "Applied now by", line(board.state.holder)
        if run.ended_at is not None:
            yield "Ended", line(day(run.ended_at))
    done = sum(one.state in {"done", "skipped"} for one in board.state.steps)
    yield "Steps", line(f"{done} of {len(board.state.steps)} done")
    current = board.state.current
    if current is not None:
        yield "Next", line(Span(current.step.name, "strong"), current.step.why)
    if board.state.command:
        yield "What to type", line(Span(board.state.command, "code"))


def _expires(board: Board) -> Line:
    until = board.state.runbook.expires
    if until is None:
        return line(Span("nobody has said", "waits"))
    ended = board.state.run is not None and board.state.run.ended_at is not None
    late = until < datetime.fromtimestamp(board.state.at, UTC).date() and not ended
    return line(until.isoformat(), Span("that is past", "bad") if late else "")


def _wait(reason: str, missing: str, command: str) -> Line:
    short = f"Missing: {missing}." if missing else ""
    return line(reason + ".", short, Span(command, "code"))
