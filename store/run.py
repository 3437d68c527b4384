"""A run of a runbook as it stands: its steps, and who approved what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, select

from ..errors import RunbookError
from . import tables

__all__ = ["UNFINISHED", "Approval", "Run", "RunStep", "approvals", "lease_of", "run_of"]

UNFINISHED: Final = ("running", "paused", "frozen", "aborting", "failed")
"""A run in one of these states is to be gone on with, or ended."""


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run. ``state`` is one of ``tables.run_steps``; ``since`` when it came to that.

    ``result`` is what the step found, changed, and needs to know to be undone. ``met`` is what each
    of its gates found when it opened (``gate``, ``found``, ``evidence``), ``waits`` what it last
    waited for (``reason``, ``missing``, ``command``).
    """

    step: str
    position: int
    state: str
    since: float
    attempts: int = 0
    began_at: float | None = None
    ended_at: float | None = None
    result: Mapping[str, object] = {}
    met: Sequence[Mapping[str, object]] = ()
    waits: Sequence[Mapping[str, object]] = ()


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One person's approval of one step."""

    step: str
    who: str
    why: str
    at: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands. ``text`` is the runbook as it was when it began; times as everywhere.

    ``said`` is why it stands where it does; ``resumed_at`` is when it last went on.
    """

    id: int
    runbook: str
    endpoint: str
    digest: str
    text: str
    state: str
    version: int
    who: str
    why: str
    at: float
    ended_at: float | None = None
    resumed_at: float | None = None
    said: str = ""
    steps: tuple[RunStep, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def step(self, name: str) -> RunStep:
        """Give a step by its name."""
        return next(one for one in self.steps if one.step == name)

    @property
    def finished(self) -> bool:
        """Say whether nothing more is to be done of it."""
        return self.state not in UNFINISHED


def lease_of(run: int) -> str:
    """Name the lease that whoever applies a run holds."""
    return f"run {run}"


def run_of(connection: Connection, run: int) -> Run:
    """Read a run. Raises ``RunbookError`` where there is none."""
    found = connection.execute(select(tables.runs).where(tables.runs.c.id == run)).first()
    if found is None:
        raise RunbookError("there is no such run", place="runs", value=str(run))
    ours = tables.run_steps
    query = select(ours).where(ours.c.run == run).order_by(ours.c.position)
    steps = tuple(_step(each) for each in connection.execute(query))
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    return Run(steps=steps, approvals=approvals(connection, run), **fields)


def approvals(connection: Connection, run: int) -> tuple[Approval, ...]:
    """Read who approved which steps of a run, in the order in which they did."""
    ours = tables.approvals
    query = select(ours).where(ours.c.run == run).order_by(ours.c.at, ours.c.who)
    return tuple(
        Approval(step=found.step, who=found.who, why=found.why, at=found.at)
        for found in connection.execute(query)
    )


def _step(found: Row[tuple[object, ...]]) -> RunStep:
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    del fields["run"]
    fields["result"] = msgspec.json.decode(fields["result"])
    fields |= {name: tuple(msgspec.json.decode(fields[name])) for name in ("met", "waits")}
    return RunStep(**fields)
