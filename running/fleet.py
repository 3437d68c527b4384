"""Which processes have adopted a change of a route, and what the others wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from ..errors import StoreError
from ..store.database import Database
from ..store.processes import Process, Processes
from .status import ProcessStatus

__all__ = ["Adoption", "Member", "adoption", "wait_for"]

_LOOK: Final = 0.1


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A process that serves an endpoint. ``silent``: its lease has ended, and nobody waits for it.

    ``version`` is the route's that it has adopted; None where it does not say.
    """

    kind: str
    host: str
    pid: int
    version: int | None
    state: Literal["has it", "waits", "silent"]
    says: str = ""


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """How far a version of a route has come."""

    endpoint: str
    version: int
    members: tuple[Member, ...] = ()

    @property
    def done(self) -> bool:
        """Say whether every process whose lease lives has it."""
        return all(one.state != "waits" for one in self.members)

    @property
    def text(self) -> str:
        """Say it in a few words."""
        live = [one for one in self.members if one.state != "silent"]
        have = sum(one.state == "has it" for one in live)
        if not live:
            return "no process serves it now"
        return f"adopted by {have} of {len(live)} process{'es' if len(live) > 1 else ''}"


def adoption(database: Database, endpoint: str, version: int) -> Adoption:
    """Look at the leases. Blocks. Raises ``StoreUnavailable``."""
    found = _members(Processes(database).all(), endpoint, version)
    return Adoption(endpoint=endpoint, version=version, members=tuple(found))


def wait_for(
    database: Database,
    endpoint: str,
    version: int,
    seconds: float,
    told: Callable[[Adoption], None] = lambda _: None,
) -> Adoption:
    """Wait until a change is done, or the time is over; ``told`` hears of every look. Blocks.

    Raises ``StoreUnavailable`` where the store goes meanwhile.
    """
    until = time.monotonic() + seconds
    while True:
        seen = adoption(database, endpoint, version)
        told(seen)
        if seen.done or time.monotonic() >= until:
            return seen
        time.sleep(_LOOK)


def _members(found: Iterable[Process], endpoint: str, version: int) -> Iterable[Member]:
    for process in found:
        status = _status(process)
        has = status.routes.get(endpoint)
        if has is None and status.routes:
            continue  # it serves other endpoints
        silent = process.silent > status.lease
        yield Member(
            kind=process.kind,
            host=process.host,
            pid=process.pid,
            version=has,
            state="silent" if silent else "has it" if (has or 0) >= version else "waits",
            says="; ".join(status.missing),
        )


def _status(process: Process) -> ProcessStatus:
    try:
        return msgspec.convert(process.status, ProcessStatus, strict=False)
    except msgspec.ValidationError as error:
        raise StoreError("a process says what nobody understands", place="processes") from error
