"""Every process on a workspace's store, as somebody sees them who is none of them."""

from __future__ import annotations

import time

import msgspec

from ..config import Workspace
from ..store.database import Database
from ..store.processes import Process, Processes
from ..store.waiting import Waiting, count_waiting
from .digest import digest
from .status import ProcessStatus

__all__ = ["Look", "Seen", "look"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One process. ``gone``: it said nothing for longer than its lease, and its leases are free.

    ``other``: it runs another ``fig.toml`` (or mapping, operation, policy) than the one on disk.
    """

    process: Process
    status: ProcessStatus
    gone: bool
    other: bool


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What there is. ``digest`` is that of the workspace on disk, ``at`` when it was looked."""

    at: float
    digest: str
    waiting: Waiting
    processes: tuple[Seen, ...]

    @property
    def running(self) -> tuple[Seen, ...]:
        """Give those that are not gone."""
        return tuple(one for one in self.processes if not one.gone)


def look(workspace: Workspace) -> Look:
    """Look once. Blocks; raises ``StoreError``, also where there is no store."""
    database = Database(workspace.store_url)
    try:
        database.check_schema()
        marked, now = digest(workspace), time.time()
        return Look(
            at=now,
            digest=marked,
            waiting=count_waiting(database, now),
            processes=tuple(_seen(one, workspace, marked) for one in Processes(database).all()),
        )
    finally:
        database.engine.dispose()


def _seen(process: Process, workspace: Workspace, marked: str) -> Seen:
    try:
        status = msgspec.convert(process.status, ProcessStatus)
    except msgspec.ValidationError:
        trouble = "it is of another version, and cannot be understood here"
        status = ProcessStatus(trouble=trouble, digest=str(process.status.get("digest", "")))
    return Seen(
        process=process,
        status=status,
        gone=process.silent > (status.lease or workspace.bridge.lease),
        other=status.digest != marked,
    )
