"""``fig outbox``: what is to leave, what is held in doubt, and what is to become of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import click

from .. import app
from ..errors import InputError
from ..store.messages import Kept, Messages, State
from .deciding import DONE, REFUSED, who_option
from .outbox_message import parts, print_message, row, summary
from .paging import page_of, paging_options, tell_rest
from .raw import print_hex, write
from .screen import Screen, json_option

__all__ = ["outbox"]

_STATES: Final[tuple[State, ...]] = ("held", "waiting", "sending", "sent", "dropped")
_COLUMNS: Final = [">id", "written (UTC)", "state", "to", "key", ">tries", "error"]


@click.group()
def outbox() -> None:
    """List, show, release and drop messages that are to leave.

    They are decisions on their way to legacy. One whose sending ended in doubt, or that was refused
    too often, is held with those behind it under its key until a person has decided.
    """


@outbox.command("list")
@click.option("--to", help="Only for this destination.")
@click.option("--state", type=click.Choice(_STATES), multiple=True, help="Only in these states.")
@paging_options
@json_option
@click.pass_obj
def list_(
    screen: Screen,
    to: str | None,
    state: tuple[State, ...],
    limit: int | None,
    after: int,
    newest: bool,
    as_json: bool,
) -> None:
    """List them, oldest first; without --state those that are done with are left out."""
    states: tuple[State, ...] = state or _STATES[:3]
    page = page_of(limit, after, newest=newest, as_json=as_json)
    now, last, shown, rows = time.time(), 0, 0, []
    with app.store(screen.load()) as store:
        messages = Messages(store.database)
        for one in messages.read(now, destination=to, states=states, page=page):
            last, shown = one.id, shown + 1
            if as_json:
                screen.json(summary(one))
            else:
                rows.append(row(one))
        rest = messages.count(now, destination=to, states=states, page=page) - shown
    if rows:
        screen.table(_COLUMNS, rows)
    elif not as_json:
        screen.say("no messages")
    tell_rest(screen, rest, "outbox list", {"to": to, "state": state, "newest": newest}, last)


@outbox.command()
@click.argument("number", type=int, metavar="ID")
@click.option(
    "--body",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write its bytes to this file (-: standard output).",
)
@click.option("--hex", "as_hex", is_flag=True, help="Print its bytes in hex.")
@click.option("--headers", is_flag=True, help="Print the headers' values too.")
@json_option
@click.pass_obj
def show(
    screen: Screen, number: int, body: Path | None, as_hex: bool, headers: bool, as_json: bool
) -> None:
    """Show one: why it is held, and how many wait behind it; on request its bytes and headers.

    Bytes and headers are as legacy gets them: nothing in them is masked.
    """
    with app.store(screen.load()) as store:
        messages = Messages(store.database)
        one = _found(messages, number)
        behind = messages.behind(one)
    raw = one.message.body
    if body is not None or as_hex or headers:
        screen.note("[yellow]unmasked[/]: as legacy gets it")
    if body is not None:
        write(body, raw)
    elif as_json:
        shown = summary(one) | parts(one, behind, headers=headers)
        screen.json({**shown, "body_hex": raw.hex()} if as_hex else shown)
    else:
        print_message(screen, one, behind, headers=headers)
        if as_hex:
            print_hex(screen, raw)


@outbox.command()
@click.argument("numbers", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All that are held; with --to.")
@click.option("--to", help="With --all: only for this destination.")
@who_option
@click.option("--why", default="", help="The reason, for the journal.")
@json_option
@click.pass_obj
def release(
    screen: Screen,
    numbers: tuple[int, ...],
    every: bool,
    to: str | None,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Have held ones sent again, under their old ids, and those behind them after them.

    One that was in doubt may have arrived: first look at the other side whether it did. What did
    arrive is to be dropped, or a destination that cannot tell repeats apart gets it twice.
    """
    if bool(numbers) == every or every != bool(to):
        raise click.UsageError("name IDs, or --all with --to")
    with app.store(screen.load()) as store:
        messages = Messages(store.database)
        if every:
            held = messages.read(time.time(), destination=to, states=_STATES[:1])
            numbers = tuple(one.id for one in held)
        _decide(screen, messages, numbers, "release", who=who, why=why, as_json=as_json)


@outbox.command()
@click.argument("numbers", nargs=-1, type=int, required=True, metavar="ID...")
@who_option
@click.option("--why", required=True, help="The reason, for the journal.")
@json_option
@click.pass_obj
def drop(screen: Screen, numbers: tuple[int, ...], who: str, why: str, as_json: bool) -> None:
    """Never send them, held ones or such as wait; those behind them under their key follow."""
    with app.store(screen.load()) as store:
        messages = Messages(store.database)
        _decide(screen, messages, numbers, "drop", who=who, why=why, as_json=as_json)


def _decide(
    screen: Screen,
    messages: Messages,
    numbers: Sequence[int],
    what: Literal["release", "drop"],
    *,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Note a decision; exit with 4 where one of them is not in a state for it."""
    changed = set(messages.decide(numbers, what, who=who, why=why, now=time.time()))
    left = [
        (number, messages.get(number, time.time())) for number in numbers if number not in changed
    ]
    for number in numbers if as_json else ():
        one = messages.get(number, time.time())
        state = one.state if one else "missing"
        screen.json({"id": number, "changed": number in changed, "state": state})
    if not as_json:
        then = "to send again: a running bridge sends them" if what == "release" else "dropped"
        screen.say(f"{len(changed)} {then}")
        for number, one in left:
            says = f"is {one.state}" if one else "is not there"
            screen.note(f"[yellow]left[/]: {number} {says}")
    sys.exit(REFUSED if left else DONE)


def _found(messages: Messages, number: int) -> Kept:
    one = messages.get(number, time.time())
    if one is None:
        raise InputError("there is no such message", value=str(number), remedy="fig outbox list")
    return one
