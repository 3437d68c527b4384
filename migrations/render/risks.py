"""What cannot be taken back, what happens when something goes wrong, and the ways back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..runbook import Step
from ..span import span_text
from ..state import StepState
from .blocks import Block, Bullets, Heading, Line, Paragraph, Span, line
from .given import Board
from .words import LATE

__all__ = ["risks"]


_OUTSIDE: Final = {
    "command": "runs a program of yours",
    "webhook": "tells another system",
    "install": "changes the legacy system's database: tables and triggers of ours",
    "remove": "takes out of the legacy system's database what was put in",
    "retire": "nobody answers any more what the replacement is not sure of, or fails at",
}


def risks(board: Board) -> Iterator[Block]:
    """Write it."""
    yield Heading("What can go wrong, and the way back")
    final = [_final(one) for one in board.state.steps if one.final or one.step.undo != "act"]
    if board.effect == "irreversible":
        yield Paragraph(
            line("What this endpoint does to the world cannot be taken back by anybody."),
            warns=True,
        )
    if final:
        yield Paragraph(line("These steps are not simply taken back:"), warns=True)
        yield Bullets(final)
    else:
        yield Paragraph(line("Every step of this runbook can be taken back."))
    outside = [_outside(one.step) for one in board.state.steps if one.step.do in _OUTSIDE]
    if outside:
        yield Paragraph(line("Mind of these steps:"))
        yield Bullets(outside)
    safety = board.safety
    if safety is not None:
        yield Paragraph(line("Going back is", safety.says + "."), warns=not safety.safe)
    yield Paragraph(line("Where a step is not done in time:"))
    yield Bullets([late for one in board.state.steps if (late := _late(one.step))] or [_never()])
    yield Paragraph(line("Ways back, at any time:"))
    yield Bullets(list(_ways(board)))


def _final(one: StepState) -> Line:
    how = {
        "act": "",
        "keep": "What it made stays as it is.",
        "freeze": "Instead of undoing it the route and the run are frozen, and a person decides.",
    }[one.step.undo]
    return line(Span(f"{one.step.name}:", "strong"), f"{one.final}." if one.final else "", how)


def _outside(step: Step) -> Line:
    return line(Span(f"{step.name}:", "strong"), _OUTSIDE[step.do])


def _late(step: Step) -> Line:
    if step.timeout is None:
        return ()
    after = f"after {span_text(step.timeout)}:"
    return line(Span(step.name, "strong"), after, LATE[step.on_timeout])


def _never() -> Line:
    return line("No step has a limit: each waits as long as it must.")


def _ways(board: Board) -> Iterator[Line]:
    name, endpoint = board.state.runbook.name, board.state.runbook.endpoint
    for command, does in (
        (
            f"fig route kill {endpoint}",
            "legacy answers everybody within a second, in every process",
        ),
        (f"fig runbook rollback {name}", "legacy answers again; the evidence goes on in shadow"),
        (f"fig runbook abort {name}", "what was done is undone, in reverse"),
        (f"fig runbook freeze {name}", "nothing moves, either way, until somebody says so"),
    ):
        yield line(Span(command, "code"), does)
    yield line("The guardrail takes back by itself what it finds worse than legacy.")
