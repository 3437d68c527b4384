"""``fig bridge status``: every process on the store, its sources, and what waits."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

import click
import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..bridge.replays import NAME as REPLAYS
from ..config import Workspace
from ..routing.safety import apart
from ..running.look import Look, Seen, look
from ..running.status import SourceView
from .screen import Screen, json_option

__all__ = ["status"]

_EVERY = 1.0
_BARS = "▁▂▃▄▅▆▇█"
_STATES = {
    "flowing": "green",
    "starting": "cyan",
    "draining": "cyan",
    "waiting": "yellow",
    "paused": "yellow",
    "broken": "red",
    "stopped": "red",
}
_OLD = ((600.0, "red"), (60.0, "yellow"))
"""Ages in seconds from which something that waits has waited too long."""


@click.command()
@click.option("--watch", is_flag=True, help="Look every second, until Ctrl-C.")
@json_option
@click.pass_obj
def status(screen: Screen, watch: bool, as_json: bool) -> None:
    """Show every process on the store: sources, lag, rates, what waits, what is wrong.

    The exit status is 0 whether a bridge runs or not: it says whether the store could be asked.
    """
    workspace = screen.load()
    if as_json:
        for found in _looks(workspace) if watch else [look(workspace)]:
            screen.json(found)
        return
    if not watch:
        screen.out.print(_shown(look(workspace)))
        return
    with contextlib.suppress(KeyboardInterrupt), Live(console=screen.out) as live:
        for found in _looks(workspace):
            live.update(_shown(found), refresh=True)


def _looks(workspace: Workspace) -> Iterator[Look]:
    while True:
        yield look(workspace)
        time.sleep(_EVERY)


def _shown(found: Look) -> RenderableType:
    parts: list[RenderableType] = []
    if not found.running:
        parts.append(Text.from_markup("[yellow]no bridge runs[/] on this store: fig bridge run"))
    for one in found.processes:
        parts += _process(one, found)
    parts.append(Text.from_markup(_waiting(found)))
    for name, lag in found.waiting.dual.items():
        missing = apart(lag)
        if missing:
            waits = f"[yellow]apart[/]  {escape(name)}: {escape(missing)}"
            parts.append(Text.from_markup(f"{waits}: fig route doubts {escape(name)}"))
    return Group(*parts)


def _process(one: Seen, found: Look) -> Iterator[RenderableType]:
    process, said = one.process, one.status
    who = f"[bold]{escape(process.kind)} {process.pid}[/] on {escape(process.host)}"
    if one.gone:
        gone = f"[red]gone[/]  {who}: said nothing for {_age(process.silent)}"
        yield Text.from_markup(gone)
        return
    ready = said.ready and said.live
    how = "[green]ready[/]" if ready else "[red]not ready[/]" if said.live else "[red]stuck[/]"
    state = "" if said.state == "running" else f", [cyan]{said.state}[/]"
    up = _age(found.at - process.started_at)
    yield Text.from_markup(f"{how}  {who}{state}, up {up}, config {said.digest}")
    for problem in _notes(one):
        yield Text.from_markup(f"  {problem}")
    if said.sources:
        yield _table(said.sources)


def _notes(one: Seen) -> Iterator[str]:
    said = one.status
    if one.other:
        yield "[yellow]config[/]   another than on disk: fig bridge reload"
    if not said.reload.ok:
        message = escape(said.reload.error.get("message", ""))
        place = escape(said.reload.error.get("place", ""))
        yield f"[red]reload[/]   refused: {place}: {message}"
    for text in (*said.stuck, *said.missing):
        yield f"[yellow]missing[/]  {escape(text)}"
    for endpoint in said.paused:
        yield f"[yellow]paused[/]   {escape(endpoint)}: fig route resume {escape(endpoint)}"
    if said.journal.backlog or said.journal.dropped:
        lost = f", [red]{said.journal.dropped} lost[/]" if said.journal.dropped else ""
        yield f"journal  {said.journal.backlog} lines wait{lost}"
    for name, sink in said.sinks.items():
        colour = "green" if sink.state == "flowing" else "red"
        held = f", [red]{sink.held} held[/]" if sink.held else ""
        sent = f"{sink.sent} sent, {sink.retried} again{held}"
        yield f"sending  to {escape(name)}: [{colour}]{sink.state}[/], {sent}"
    if said.leases:
        yield f"alone    {escape(', '.join(said.leases))}"
    if said.trouble:
        when = time.strftime("%H:%M:%S", time.gmtime(said.trouble_at))
        yield f"[dim]last[/]     [dim]{when} UTC {escape(said.trouble)}[/]"


def _table(sources: Mapping[str, SourceView]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("source", "state", ">lag", ">waiting", ">in hand", ">/s", "30 s", ">again"):
        right = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if right else "left", no_wrap=True)
    table.add_column("dead", justify="right")
    for name, view in sources.items():
        if name != REPLAYS or view.status.received or view.status.state != "flowing":
            table.add_row(*_row(name, view))
    return table


def _row(name: str, view: SourceView) -> list[str]:
    one, lag = view.status, view.status.lag
    oldest = max(lag.oldest if lag else 0.0, one.oldest)
    colour = next((colour for age, colour in _OLD if oldest >= age), "")
    # A source that could not be asked may have much that waits: that is not 0.
    age = _age(oldest) if lag or oldest or name == REPLAYS else "?"
    return [
        escape(name),
        f"[{_STATES.get(one.state, 'white')}]{one.state}[/]",
        f"[{colour}]{age}[/]" if colour else age,
        str(lag.pending) if lag else "-" if name == REPLAYS else "?",
        str(one.in_flight),
        f"{one.per_second_10:.1f}",
        _sparkline(view.recent),
        str(one.retried),
        f"[red]{one.dead}[/]" if one.dead else "0",
    ]


def _waiting(found: Look) -> str:
    counts = msgspec.structs.asdict(found.waiting)
    age = counts.pop("outgoing_age")
    del counts["dual"]
    words = {
        "dead": "dead letters",
        "replays": "replays",
        "outgoing": "messages unsent",
        "outcomes": "outcomes awaited",
    }
    parts = []
    for name, word in words.items():
        colour = "red" if name == "dead" else "yellow"
        count = int(counts[name])
        parts.append(f"[{colour}]{count}[/] {word}" if count else f"0 {word}")
    if counts["outgoing"]:
        parts.append(f"oldest unsent {_age(age)}")
    return "store  " + ", ".join(parts)


def _sparkline(counts: Sequence[int]) -> str:
    """Draw counts a second as bars of three seconds each, against the highest of them."""
    spans = [sum(counts[max(0, end - 3) : end]) for end in range(len(counts), 0, -3)][::-1]
    most = max(spans, default=0)
    if not most:
        return _BARS[0] * len(spans)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in spans)


def _age(seconds: float) -> str:
    """Give an age in the largest unit that makes sense."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{max(0.0, seconds):.1f} s"
