"""``fig adapter reconcile``: find what capture missed, and capture it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import msgspec
from rich.markup import escape

from ..adapters.capture.ground import Ground
from ..adapters.capture.mark import Mark, Unmarked
from ..adapters.capture.reconcile import Mode, Reconcile
from ..adapters.capture.tally import Tally
from ..adapters.capture.throttle import Pace
from ..adapters.capture.walk import Progress, Walk
from ..errors import LegacyError
from ..store.captured import Captured
from ..store.database import Database
from .adapter import adapter
from .screen import Screen, json_option
from .walking import Bounds, Show, bounded, ground_of, span, stopping, told

__all__ = ["reconcile"]


@adapter.command()
@click.argument("system")
@click.option("--dry-run", is_flag=True, help="Say what was missed; capture nothing.")
@click.option("--baseline", is_flag=True, help="Take everything for captured, as it is now.")
@click.option(
    "--new-columns",
    is_flag=True,
    help="Capture rows too that differ only by columns that are captured since.",
)
@bounded
@click.option("--restart", is_flag=True, help="From the first row, whatever was walked before.")
@json_option
@click.pass_obj
def reconcile(
    screen: Screen,
    /,
    system: str,
    dry_run: bool,
    baseline: bool,
    new_columns: bool,
    restart: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Compare SYSTEM's table with what was taken of it, and capture what was missed.

    Ctrl-C stops at a chunk's end; the same command goes on from there.
    """
    if dry_run and baseline:
        raise click.UsageError("--dry-run and --baseline exclude each other")
    if new_columns and baseline:
        raise click.UsageError("--baseline takes new columns for captured, --new-columns does not")
    ground = ground_of(screen, system, options)
    mode: Mode = "look" if dry_run else "baseline" if baseline else "capture"
    if mode == "capture":
        _check_known(ground)
    mark = Mark(ground, "baseline" if baseline else "reconcile")
    bounds = msgspec.convert(options, Bounds)
    begun = time.monotonic()
    with (
        _ledger(screen) as ledger,
        stopping() as stop,
        Show(screen, system, as_json=as_json) as show,
    ):
        work = Reconcile(ground, ledger, mode, new_columns=new_columns)
        stand = Walk(
            ground,
            Unmarked("reconcile") if dry_run else mark,
            bounds=bounds.of(ground),
            pace=Pace(bounds.chunk, bounds.hold),
            stop=stop,
            report=show,
        ).run(work.begin, restart=restart, finish=work.finish)
    seconds = time.monotonic() - begun
    if as_json:
        parts = {**msgspec.structs.asdict(stand), "seconds": seconds, "mode": mode}
        screen.json({"system": system, **parts, "found": work.tally})
    else:
        _print(screen, system, mode, stand, work.tally, seconds)
        for note in _notes(work.tally, mode, new_columns=new_columns):
            screen.note(note)
        if stand.state != "done":
            flags = {"baseline": " --baseline", "look": " --dry-run"}.get(mode, "")
            flags += " --new-columns" if new_columns else ""
            screen.note(f"go on with: fig adapter reconcile {escape(system)}{flags}")


@contextmanager
def _ledger(screen: Screen) -> Iterator[Captured]:
    """Open the store's part of it, and let go of the store's connections at the end."""
    database = Database(screen.load().store_url)
    try:
        database.check_schema()
        yield Captured(database)
    finally:
        database.engine.dispose()


def _check_known(ground: Ground) -> None:
    """Refuse where most rows were never taken: each of them would count as missed."""
    with ground.connected() as connection:
        walks = [Mark(ground, kind).look(connection) for kind in ("backfill", "baseline")]
    if not any(walk is not None and walk.state == "done" for walk in walks):
        raise LegacyError(
            "the rows that were there before capture were never taken",
            place=ground.place,
            expected="a backfill or a baseline that is done",
            remedy=f"run 'fig adapter backfill {ground.source}' first; or, where they are to be "
            f"taken for known, 'fig adapter reconcile {ground.source} --baseline'",
        )


def _print(
    screen: Screen, system: str, mode: Mode, stand: Progress, tally: Tally, seconds: float
) -> None:
    name, what = escape(system), "new or changed" if mode == "baseline" else "missed"
    screen.say(
        f"{name}: {tally.rows:,} rows in {tally.chunks:,} chunks and {span(seconds)}: "
        f"{tally.equal:,} as captured, {sum(tally.missed.values()):,} {what}"
    )
    rows = [
        [kind, f"{count:,}", escape(", ".join(tally.examples.get(kind, ())))]
        for kind, count in sorted(tally.missed.items())
    ]
    if rows:
        done = {"look": "missed", "capture": "captured now", "baseline": "taken for captured"}
        screen.table([done[mode], ">rows", "keys, some of them"], rows)
    if stand.state != "done":
        screen.say(f"{name}: stopped at {told(stand)}")


def _notes(tally: Tally, mode: Mode, *, new_columns: bool) -> Sequence[str]:
    notes = []
    if tally.pending:
        notes.append(f"{tally.pending:,} rows have events that are not settled yet: look again")
    if tally.unknown:
        notes.append(f"{tally.unknown:,} rows differ where 'when' or 'operations' may be why")
    if tally.widened:
        captured = new_columns and mode == "capture"
        more = "captured now" if captured else "--new-columns captures them"
        notes.append(
            f"{tally.widened:,} rows are as captured but for columns that were not captured then: "
            + more
        )
    if mode != "baseline" and not tally.equal + tally.widened and tally.missed.get("update"):
        notes.append(
            "no row is as it was captured: where a captured column is gone, 'fig adapter backfill "
            "--restart' takes all of them as they are now"
        )
    if tally.gaps:
        notes.append(f"{tally.gaps:,} gaps that triggers had noted are closed")
    return notes
