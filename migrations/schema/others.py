"""Who else works on a store that is to be upgraded, and with which version of the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, inspect

from ...errors import StoreError
from ...store.processes import Process, all_of
from ...store.tables import processes

__all__ = ["check_nobody_older", "older"]

_LEASE: Final = 5.0  # seconds, of a process that does not say its own


def check_nobody_older(connection: Connection, oldest: str, *, unsaid: str, place: str) -> None:
    """Raise ``StoreError`` where processes live that code before ``oldest`` runs in.

    Called in the transaction that would shut them out. ``unsaid``: the version of those that do not
    say theirs.
    """
    found = list(older(connection, oldest, unsaid=unsaid))
    if found:
        raise StoreError(
            f"older processes still run on it, and version {oldest} would shut them out",
            place=place,
            value=", ".join(f"{one.kind} {one.pid} on {one.host}" for one in found),
            expected=f"processes of version {oldest} or later only",
            remedy="upgrade or end them; one that was killed counts until its lease has ended",
        )


def older(connection: Connection, oldest: str, *, unsaid: str) -> Iterator[Process]:
    """Give the processes whose lease lives, and whose code is from before ``oldest``."""
    if not inspect(connection).has_table(processes.name):
        return
    for one in all_of(connection):
        schema = str(one.status.get("schema") or unsaid)
        lease = one.status.get("lease")
        alive = one.silent <= (float(lease) if isinstance(lease, int | float) else _LEASE)
        if alive and schema < oldest:
            yield one
