"""The steps: all of them in a table, and each with what it does, waits for, and came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ...model import Route
from ..ports import Waiting
from ..runbook import Step
from ..span import span_text
from ..state import GateState, StepState
from .blocks import Block, Bullets, Facts, Heading, Line, Paragraph, Span, Table, line
from .given import Board
from .words import LATE, day, options, place, said, state

__all__ = ["plan"]


def plan(board: Board) -> Iterator[Block]:
    """Write it."""
    yield Heading("The steps")
    steps = board.state.steps
    columns = ("", "step", "does", "needs", "undone by", "stands")
    yield Table(columns, [_row(number, one) for number, one in enumerate(steps, 1)])
    for number, one in enumerate(steps, 1):
        yield Heading(f"{number}. {one.step.name}", 3)
        yield from _step(one)


def _row(number: int, one: StepState) -> Sequence[Line]:
    needs = ", ".join(need.name for need in one.step.needs)
    return (
        line(str(number)),
        line(Span(one.step.name, "strong")),
        line(_does(one.step)),
        line(needs or "-"),
        line(_undo(one.step)),
        line(state(one.state)),
    )


def _step(one: StepState) -> Iterator[Block]:
    if one.step.why:
        yield Paragraph(line(one.step.why))
    yield Facts(list(_facts(one)))
    if one.gates:
        rows = [_gate(gate) for gate in one.gates]
        yield Table(("gate", "asks for", "stands", "what was seen"), rows)
    if one.changes:
        yield Paragraph(line("It would change now:"))
        yield Bullets([line(change) for change in one.changes])
    if one.blocked:
        yield Paragraph(line(f"As things stand it cannot be done: {one.blocked}"), warns=True)


def _facts(one: StepState) -> Iterator[tuple[str, Line]]:
    step, record = one.step, one.record
    yield "Does", line(_does(step))
    yield "Undone by", line(_undo(step))
    if one.final:
        yield "Cannot be taken back", line(Span(one.final, "bad"))
    if step.timeout is not None:
        yield "In time", line(f"{span_text(step.timeout)}; after that {LATE[step.on_timeout]}")
    yield "Stands", line(state(one.state))
    if one.deadline is not None:
        yield "Its time is over", line(day(one.deadline))
    if record is None:
        return
    if record.began_at is not None:
        tries = f"({record.attempts} attempts)" if record.attempts > 1 else ""
        yield "Begun", line(day(record.began_at), tries)
    if record.ended_at is not None:
        yield "Ended", line(day(record.ended_at))
    came = _came(record.result)
    if came:
        yield "Came to", line(_short(came))


def _came(result: Mapping[str, object]) -> str:
    """Say what a step came to: of a change of the route only from where to where it went."""
    try:
        routes = [msgspec.convert(result[name], Route) for name in ("before", "after")]
    except (KeyError, msgspec.ValidationError):
        return ", ".join(f"{name} = {said(value)}" for name, value in sorted(result.items()))
    return " → ".join(place(one) for one in routes)


def _does(step: Step) -> str:
    chosen = options(step.act)
    return f"{step.do}: {chosen}" if chosen else step.do


def _undo(step: Step) -> str:
    if step.undo_by is not None:
        return f"{type(step.undo_by).__name__}: {options(step.undo_by)}"
    return {"act": "the step itself", "keep": "nothing: it stays", "freeze": "nothing: frozen"}[
        step.undo
    ]


def _gate(gate: GateState) -> Sequence[Line]:
    seen = gate.seen
    if seen is None:
        stands, told = Span("not looked at", "quiet"), "only apply looks, as that takes long"
    elif isinstance(seen, Waiting):
        stands = Span("waits", "waits")
        told = f"{seen.reason}; missing: {seen.missing}" if seen.missing else seen.reason
    else:
        stands, told = Span("was open" if gate.kept else "open", "good"), seen.found
    return (line(Span(gate.name, "strong")), line(gate.asks), line(stands), line(told))


_MOST = 400


def _short(text: str) -> str:
    """Give as much of a result as somebody reads: ``fig runbook status --json`` has all of it."""
    return text if len(text) <= _MOST else f"{text[:_MOST]} …"
