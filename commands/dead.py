"""``fig dead``: what could not be taken, and what is to become of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import click
from rich.markup import escape

from .. import app
from ..errors import FigError, InputError
from ..store.dead_letters import DeadLetters, Kept, State
from .dead_letter import parts, print_letter, row, summary
from .deciding import DONE, REFUSED, who_option
from .paging import page_of, paging_options, tell_rest
from .raw import print_hex, write
from .rehearsal import Rehearsal
from .screen import Screen, json_option

__all__ = ["dead"]

_STATES: Final[tuple[State, ...]] = ("kept", "replay", "drop", "replayed", "dropped")
_COLUMNS: Final = [">id", "when (UTC)", "state", "source", "key", ">tries", "reason"]


@click.group()
def dead() -> None:
    """List, show, replay and drop dead letters.

    They are records that could not be taken, kept whole.
    """


@dead.command("list")
@click.option("--source", help="Only of this source.")
@click.option("--endpoint", help="Only of this endpoint.")
@click.option("--state", type=click.Choice(_STATES), multiple=True, help="Only in these states.")
@click.option("--error", metavar="CLASS", help="Only of this error, or what it caused.")
@paging_options
@json_option
@click.pass_obj
def list_(
    screen: Screen,
    source: str | None,
    endpoint: str | None,
    state: tuple[State, ...],
    error: str | None,
    limit: int | None,
    after: int,
    newest: bool,
    as_json: bool,
) -> None:
    """List them, oldest first; without --state those that are done with are left out."""
    page = page_of(limit, after, newest=newest, as_json=as_json)
    states: tuple[State, ...] = state or _STATES[:3]
    last, shown, rows = 0, 0, []
    with app.store(screen.load()) as store:
        letters = store.dead_letters
        for one in letters.read(
            source=source, endpoint=endpoint, error=error, states=states, page=page
        ):
            last, shown = one.id, shown + 1
            if as_json:
                screen.json(summary(one))
            else:
                rows.append(row(one))
        rest = letters.count(
            source=source, endpoint=endpoint, error=error, states=states, page=page
        )
    if rows:
        screen.table(_COLUMNS, rows)
    elif not as_json:
        screen.say("no dead letters")
    asked = {"source": source, "endpoint": endpoint, "error": error, "state": state}
    tell_rest(screen, rest - shown, "dead list", {**asked, "newest": newest}, last)


@dead.command()
@click.argument("number", type=int, metavar="ID")
@click.option(
    "--body",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the original bytes to this file (-: standard output).",
)
@click.option("--hex", "as_hex", is_flag=True, help="Print the original bytes in hex.")
@click.option("--headers", is_flag=True, help="Print the headers' values too.")
@json_option
@click.pass_obj
def show(
    screen: Screen, number: int, body: Path | None, as_hex: bool, headers: bool, as_json: bool
) -> None:
    """Show one: the chain of errors, the versions, and on request its bytes and headers.

    Bytes and headers are as legacy sent them: nothing in them is masked.
    """
    with app.store(screen.load()) as store:
        one = _found(store.dead_letters, number)
    raw = one.letter.record.body
    if body is not None or as_hex or headers:
        screen.note("[yellow]unmasked[/]: as legacy sent it")
    if body is not None:
        write(body, raw)
    elif as_json:
        shown = summary(one) | parts(one, headers=headers)
        screen.json({**shown, "body_hex": raw.hex()} if as_hex else shown)
    else:
        print_letter(screen, one, headers=headers)
        if as_hex:
            print_hex(screen, raw)


@dead.command()
@click.argument("numbers", nargs=-1, type=int, metavar="[ID]...")
@click.option(
    "--all", "every", is_flag=True, help="All that are kept; with --source or --endpoint."
)
@click.option("--source", help="With --all: only of this source.")
@click.option("--endpoint", help="With --all: only of this endpoint.")
@click.option("--dry-run", is_flag=True, help="Only say which would pass now; change nothing.")
@who_option
@click.option("--why", default="", help="The reason, for the journal.")
@json_option
@click.pass_obj
def replay(
    screen: Screen,
    numbers: tuple[int, ...],
    every: bool,
    source: str | None,
    endpoint: str | None,
    dry_run: bool,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Have the bridge take them again, as they came and under their old ids: harmless twice."""
    if bool(numbers) == every or (every and not (source or endpoint)):
        raise click.UsageError("name IDs, or --all with --source or --endpoint")
    workspace = screen.load()
    with app.store(workspace) as store:
        letters = store.dead_letters
        if every:
            kept = letters.read(source=source, endpoint=endpoint, states=_STATES[:1])
            numbers = tuple(one.id for one in kept)
        if dry_run:
            rehearsal = Rehearsal(workspace)
            found = [_found(letters, number) for number in numbers]
            sys.exit(_rehearsed(screen, [(one, rehearsal.refusal(one)) for one in found], as_json))
        _decide(screen, letters, numbers, "replay", who=who, why=why, as_json=as_json)


@dead.command()
@click.argument("numbers", nargs=-1, type=int, required=True, metavar="ID...")
@who_option
@click.option("--why", required=True, help="The reason, for the journal.")
@json_option
@click.pass_obj
def drop(screen: Screen, numbers: tuple[int, ...], who: str, why: str, as_json: bool) -> None:
    """Give them up for good: the bridge lets those follow that wait behind them."""
    with app.store(screen.load()) as store:
        _decide(screen, store.dead_letters, numbers, "drop", who=who, why=why, as_json=as_json)


def _decide(
    screen: Screen,
    letters: DeadLetters,
    numbers: Sequence[int],
    what: Literal["replay", "drop"],
    *,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Note a decision; exit with 4 where one of them is not in a state for it."""
    changed = set(letters.decide(numbers, what, who=who, why=why))
    left = [(number, letters.get(number)) for number in numbers if number not in changed]
    for number in numbers if as_json else ():
        one = letters.get(number)
        state = one.state if one else "missing"
        screen.json({"id": number, "changed": number in changed, "state": state})
    if not as_json:
        then = "delivers them" if what == "replay" else "lets go of them"
        screen.say(f"{len(changed)} to {what}: a running bridge {then} within seconds")
        for number, one in left:
            says = f"is {one.state} already" if one else "is not there"
            screen.note(f"[yellow]left[/]: {number} {says}")
    sys.exit(REFUSED if left else DONE)


def _rehearsed(screen: Screen, seen: Sequence[tuple[Kept, FigError | None]], as_json: bool) -> int:
    for one, error in seen if as_json else ():
        parts = {} if error is None else error.as_dict()
        screen.json({"id": one.id, "passes": error is None, **parts})
    if not as_json:
        rows = [
            [
                str(one.id),
                "[green]passes[/]" if error is None else "[red]refused[/]",
                escape("" if error is None else str(error).partition("\n")[0]),
            ]
            for one, error in seen
        ]
        screen.table([">id", "now", "why"], rows, title="Nothing was changed.")
    return REFUSED if any(error is not None for _, error in seen) else DONE


def _found(letters: DeadLetters, number: int) -> Kept:
    one = letters.get(number)
    if one is None:
        raise InputError("there is no such dead letter", value=str(number), remedy="fig dead list")
    return one
