"""``fig mask key``, ``keys``, ``rotate`` and ``forget``: the keys of masking, and its vault."""

from __future__ import annotations

import time

import click

from ..acl.masking.keys import new_key, no_keys
from ..acl.masking.ledger import scope_key
from ..app import Masking
from .screen import Screen, json_option

__all__ = ["forget", "key", "keys", "rotate"]

_DAY = 86400.0


@click.command()
@json_option
@click.pass_obj
def key(screen: Screen, as_json: bool) -> None:
    """Print a new key, for FIG_MASKING_KEYS or a file of keys. Keep it secret."""
    made = new_key()
    if as_json:
        screen.json({"key": made})
    else:
        click.echo(made)


@click.command()
@json_option
@click.pass_obj
def keys(screen: Screen, as_json: bool) -> None:
    """List the keys by their ids, and how many tokens of the vault each of them wrote.

    A key that wrote none may be taken out; one that is missing here makes its tokens unreadable.
    """
    masking = Masking(screen.load())
    ring = masking.keys()
    if ring is None:
        raise no_keys(masking.policy.place, "")
    counts = dict(masking.vault().keys())
    listed = [(one, counts.pop(one, 0), _role(one, ring.first)) for one in ring.ids]
    listed += [(one, count, "missing: its tokens cannot be read") for one, count in counts.items()]
    if as_json:
        for one, count, role in listed:
            screen.json({"key": one, "tokens": count, "role": role})
        return
    screen.table(["key", ">tokens", "what for"], [[one, str(n), role] for one, n, role in listed])


def _role(one: str, first: str) -> str:
    return "writes and reads" if one == first else "reads"


@click.command()
@json_option
@click.pass_obj
def rotate(screen: Screen, as_json: bool) -> None:
    """Write the whole vault anew with the first key, so that the others can be taken out."""
    masking = Masking(screen.load())
    vault = masking.vault()
    done = vault.rotate()
    if as_json:
        screen.json({"tokens": done})
        return
    screen.say(f"{done} tokens written anew; the keys behind the first may be taken out")


@click.command()
@click.option("--conversation", default="", help="The tokens of this conversation.")
@click.option("--tenant", default="", help="Whose conversation it is.")
@click.option("--days", type=click.IntRange(0), help="All tokens older than so many days.")
@json_option
@click.pass_obj
def forget(screen: Screen, conversation: str, tenant: str, days: int | None, as_json: bool) -> None:
    """Delete tokens from the vault: nobody can bring back what they stood for."""
    if bool(conversation) == (days is not None):
        raise click.UsageError("give either --conversation or --days")
    vault = Masking(screen.load()).vault()
    if days is not None:
        count = vault.forget_before(time.time() - days * _DAY)
    else:
        count = vault.forget(scope_key("conversation", tenant, conversation))
    if as_json:
        screen.json({"tokens": count})
        return
    screen.say(f"{count} tokens forgotten")
