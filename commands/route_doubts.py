"""``fig route doubts`` and ``settle``: writes to both sides that need somebody."""

from __future__ import annotations

import time

import click
from rich.markup import escape

from .. import app
from ..store.dual_write import DualWrite
from .deciding import who_option
from .screen import Screen, endpoint_argument, json_option

__all__ = ["doubts", "settle"]

_COLUMNS = [">id", "key", "what", "side", ">age", ">tries", "why"]
_SHORT = 80


@click.command()
@endpoint_argument
@click.option("--all", "all_", is_flag=True, help="Also what is being written or waits its turn.")
@json_option
@click.pass_obj
def doubts(screen: Screen, endpoint: str, all_: bool, as_json: bool) -> None:
    """List writes of which nobody knows whether a side has them, or that a side did not take.

    What can be found out by asking the side is found out by itself. Of the others a person must
    say: fig route settle.
    """
    workspace = screen.load()
    app.endpoint_of(workspace, endpoint)
    with app.store(workspace) as store:
        found = store.dual_work.open(endpoint, doubts=not all_)
    if as_json:
        for one in found:
            screen.json(_summary(one))
        return
    if not found:
        screen.say("nothing is in doubt, and nothing was tried in vain")
        return
    screen.table(_COLUMNS, [_row(one, time.time()) for one in found])
    screen.note("settle one: fig route settle ID --happened|--not --why TEXT")


@click.command()
@click.argument("number", type=int, metavar="ID")
@click.option(
    "--happened/--not", "happened", default=None, help="Whether the side in question has it."
)
@click.option("--why", required=True, help="How you know, for the journal.")
@who_option
@json_option
@click.pass_obj
def settle(
    screen: Screen, number: int, happened: bool | None, why: str, who: str, as_json: bool
) -> None:
    """Say of a write in doubt whether it happened, so that those behind it go on.

    Of one that only waits: --happened says that it was copied by hand, --not has it tried at once.
    """
    if happened is None:
        raise click.UsageError("say which it is: --happened or --not")
    with app.store(screen.load()) as store:
        found = store.dual_work.settle(number, happened=happened, who=who, why=why)
    if as_json:
        screen.json(_summary(found))
        return
    screen.say(f"write {number} of {escape(found.endpoint)}: {_BECOMES[found.state]}")


_BECOMES = {
    "first": "it is copied in its turn",
    "done": "all have it",
    "undone": "it did not happen; sent again under its key, it is done",
}
_WORDS = {
    "prepared": "being written",
    "first": "not copied",
    "doubt": "in doubt",
    "done": "done",
    "undone": "ended",
}


def _side(one: DualWrite) -> str:
    side = one.side or one.second
    return "" if side is None else side.value


def _row(one: DualWrite, now: float) -> list[str]:
    why = one.error if len(one.error) <= _SHORT else f"{one.error[: _SHORT - 1]}…"
    colour = "red" if one.state == "doubt" else "yellow"
    return [
        str(one.id),
        escape(one.key) or "-",
        f"[{colour}]{_WORDS[one.state]}[/]",
        _side(one),
        f"{max(0.0, now - one.at):.0f} s",
        str(one.attempts),
        escape(why) or "-",
    ]


def _summary(one: DualWrite) -> dict[str, object]:
    return {
        "id": one.id,
        "endpoint": one.endpoint,
        "request_id": one.request_id,
        "key": one.key,
        "state": one.state,
        "side": _side(one),
        "first": one.first,
        "second": one.second or "",
        "at": one.at,
        "attempts": one.attempts,
        "next_at": one.next_at,
        "error": one.error,
        "in_hand": one.leased,
    }
