"""How ``fig runbook status`` looks: the steps, what the run waits for, and what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..migrations.ports import Waiting
from ..migrations.render.blocks import one_line
from ..migrations.render.words import place
from ..migrations.span import span_text
from ..migrations.state import GateState, RunState, StepState
from .screen import Screen, coloured

__all__ = ["plain", "shown", "view"]

_SIGNS: Final[Mapping[str, str]] = {
    "waiting": "[dim]·[/]",
    "begun": "[cyan]▶[/]",
    "done": "[green]✓[/]",
    "undoing": "[yellow]◀[/]",
    "undone": "[dim]↩[/]",
    "failed": "[red]✗[/]",
    "skipped": "[dim]»[/]",
}
_RUNS: Final[Mapping[str, str]] = {
    "running": "cyan",
    "paused": "yellow",
    "frozen": "blue",
    "aborting": "yellow",
    "aborted": "dim",
    "failed": "red",
    "done": "green",
}


def plain(text: str) -> str:
    """Give a text of others as one line of which nothing is obeyed: no markup, no control."""
    return escape(one_line(text))


def view(screen: Screen, state: RunState) -> None:
    """Print where a runbook stands. ``status --watch`` draws ``shown`` again and again."""
    screen.out.print(shown(state))


def shown(state: RunState) -> RenderableType:
    """Give what is to be drawn. Texts of others are never markup."""
    return Group(*_parts(state))


def _parts(state: RunState) -> Iterator[RenderableType]:
    runbook = state.runbook
    stands = coloured(state.route.stage.value, place(state.route))
    where = f"{plain(runbook.endpoint)} stands at {stands}"
    yield _line(f"[bold]{plain(runbook.name)}[/]  {_run(state)}; {where}")
    if _late(state):
        yield _line(f"[red]late[/]  it was to have ended by {runbook.expires}: {_owner(state)}")
    if state.holder:
        yield _line(f"[dim]applied[/]  by {plain(state.holder)}")
    elif state.run is not None and state.run.state == "running":
        yield _line("[yellow]nobody applies it now[/]")
    yield _table(state)
    for one in state.waits:
        yield from _wait(one)
    current = state.current
    if current is not None and current.deadline is not None:
        yield _line(f"[dim]late[/]     {_left(current, state.at)}")
    if current is not None and current.blocked:
        yield _line(f"[red]blocked[/]  {plain(current.step.name)}: {plain(current.blocked)}")
    if state.run is not None and state.run.said:
        yield _line(f"[dim]says[/]     {plain(state.run.said)}")
    if state.command:
        yield _line(f"[bold]next[/]     {plain(state.command)}")


def _run(state: RunState) -> str:
    run = state.run
    if run is None:
        return "[dim]not begun[/]"
    colour = _RUNS.get(run.state, "white")
    begun = datetime.fromtimestamp(run.at, UTC).strftime("%Y-%m-%d %H:%M")
    return f"run {run.id} [{colour}]{plain(run.state)}[/], begun {begun} UTC by {plain(run.who)}"


def _late(state: RunState) -> bool:
    until, run = state.runbook.expires, state.run
    if until is None or (run is not None and run.ended_at is not None):
        return False
    return until < datetime.fromtimestamp(state.at, UTC).date()


def _left(current: StepState, at: float) -> str:
    left = (current.deadline or at) - at
    when = f"in {span_text(left)}" if left > 0 else "by now"
    return f"{when}: {plain(current.step.on_timeout)}"


def _owner(state: RunState) -> str:
    return f"ask {plain(state.runbook.owner)}"


def _table(state: RunState) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "step", "does", "gates", "since"):
        table.add_column(column, overflow="fold")
    current = state.current
    for one in state.steps:
        table.add_row(*_row(one, state.at, turn=one is current))
    return table


def _row(one: StepState, now: float, *, turn: bool) -> list[str]:
    name, waits = plain(one.step.name), turn and one.state == "waiting"
    return [
        "[yellow]▸[/]" if waits else _SIGNS.get(one.state, plain(one.state)),
        f"[bold]{name}[/]" if turn else name,
        plain(one.step.do) + (" [red]for good[/]" if one.final else ""),
        ", ".join(_gate(gate) for gate in one.gates) or "-",
        "-" if one.record is None or one.state == "waiting" else _since(one, now),
    ]


def _gate(gate: GateState) -> str:
    colour = "dim" if gate.seen is None else "yellow" if isinstance(gate.seen, Waiting) else "green"
    return f"[{colour}]{plain(gate.name)}[/]"


def _since(one: StepState, now: float) -> str:
    at = one.record.since if one.record is not None else now
    return f"{plain(one.state)}, {span_text(max(0.0, now - at))} ago"


def _wait(one: Waiting) -> Iterator[RenderableType]:
    yield _line(f"[yellow]waits[/]    {plain(one.reason)}")
    if one.missing:
        yield _line(f"[dim]missing[/]  {plain(one.missing)}")
    if one.command:
        yield _line(f"[dim]try[/]      {plain(one.command)}")


def _line(markup: str) -> Text:
    return Text.from_markup(markup)
