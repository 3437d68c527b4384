"""``fig journal compact``, ``archive`` and ``retain``: what goes from the journal by its age."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.markup import escape

from .. import app
from ..errors import ConfigError, InputError, StoreError
from ..settings import Retention
from ..store import trim
from ..store.archive import archive as write_archive
from ..store.archive import verify_archive
from ..store.retention import Report, due
from ..store.retention import retain as retain_all
from ..store.store import Store
from .screen import Screen, json_option

__all__ = ["archive", "compact", "retain"]

_DAY: Final = 86_400.0
_UNITS: Final = {"m": 60.0, "h": 3_600.0, "d": _DAY}
_WORDS: Final = {
    "compacted": "lines that lose their data",
    "removed": "lines that go from the front",
    "inbox": "marks of messages taken",
    "outbox": "messages sent",
    "dead_letters": "dead letters replayed or dropped",
    "kept_letters": "dead letters nobody decided on",
    "outcomes": "outcomes",
    "awaited": "requests that waited for one",
    "failures": "failures that guardrails counted",
    "sampled": "keys that a percent drew",
    "measures": "sums that were measured",
    "dual_writes": "writes to both sides that are at an end",
}


class _Age(click.ParamType):  # type: ignore[type-arg] # generic for mypy only
    """An age, such as ``90d``, in days."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", str(value).strip())
        if found is None or float(found[1]) <= 0:
            self.fail(f"{value!r} is no age: write 90d, 12h or 30m", param, ctx)
        return float(found[1]) * _UNITS[found[2]] / _DAY


older_option = click.option("--older", type=_Age(), help="Older than this: 90d, 12h, 30m.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would go, change nothing.")


@click.command()
@older_option
@dry_run_option
@json_option
@click.pass_obj
def compact(screen: Screen, older: float | None, dry_run: bool, as_json: bool) -> None:
    """Take the data of old lines; the lines stay, and the chain still proves them.

    Without --older, as retention.compact in fig.toml says.
    """
    age = _age(older, screen.load().retention.compact, "compact")
    only = Retention(compact=age, inbox=0, outbox=0, outcomes=0, measures=0, dual_writes=0)
    _report(screen, only, dry_run=dry_run, as_json=as_json)


@click.command()
@dry_run_option
@json_option
@click.pass_obj
def retain(screen: Screen, dry_run: bool, as_json: bool) -> None:
    """Do now what [retention] in fig.toml says; a running process does it by itself."""
    _report(screen, screen.load().retention, dry_run=dry_run, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@older_option
@click.option("--remove", is_flag=True, help="Then remove the lines that it holds from the store.")
@json_option
@click.pass_obj
def archive(screen: Screen, file: Path, older: float | None, remove: bool, as_json: bool) -> None:
    """Write old lines to FILE, a new one, that 'fig journal verify --archive' proves by itself.

    Without --older, as retention.journal in fig.toml says.
    """
    age = _age(older, screen.load().retention.journal, "journal")
    before = time.time() - age * _DAY
    with app.store(screen.load()) as store:
        try:
            write_archive(store.database, file, before)
        except OSError as error:
            words = "the archive is there already" if file.exists() else "cannot be written"
            raise InputError(words, place=str(file), value=error.strerror or "") from error
        held, broken = verify_archive(file)
        if broken:
            raise StoreError(
                f"the lines that were archived do not hold: {broken[0].reason}",
                place=f"journal: line {broken[0].id}",
                remedy="run 'fig journal verify'; nothing was removed",
            )
        removed = _remove(store, before, held.last.id) if remove and held.lines else 0
    if as_json:
        screen.json(
            {
                "lines": held.lines,
                "after": str(held.after),
                "last": str(held.last),
                "removed": removed,
            }
        )
        return
    screen.say(
        f"{held.lines} lines in {escape(str(file))}, proved: {held.after.id + 1} to {held.last.id}"
    )
    if remove:
        screen.say(f"{removed} lines removed from the store")


def _remove(store: Store, before: float, upto: int) -> int:
    return sum(trim.remove(store.database, store.inserts, before, upto))


def _age(given: float | None, configured: float, key: str) -> float:
    age = given or configured
    if age <= 0:
        raise ConfigError(
            "no age is said: lines are kept for ever",
            place=f"fig.toml: retention.{key}",
            remedy="give --older 90d, or set it",
        )
    return age


def _report(screen: Screen, retention: Retention, *, dry_run: bool, as_json: bool) -> None:
    with app.store(screen.load()) as store:
        now = time.time()
        report = due(store, retention, now) if dry_run else retain_all(store, retention, now)
    if as_json:
        screen.json({"dry_run": dry_run, **msgspec.to_builtins(report)})
    else:
        _say(screen, report, dry_run=dry_run)
    sys.exit(StoreError.exit_status if report.stopped else 0)


def _say(screen: Screen, report: Report, *, dry_run: bool) -> None:
    rows = [
        [words, str(getattr(report, name))]
        for name, words in _WORDS.items()
        if getattr(report, name)
    ]
    if rows:
        screen.table(["what would go" if dry_run else "what went", ">how many"], rows)
    else:
        screen.say("nothing is old enough")
    if report.freed:
        screen.say(f"{report.freed:,} bytes of the file are free for new rows")
    if report.stopped:
        screen.note(f"it ended early: {escape(report.stopped)}")
