"""Runs of runbooks: where each stands, what its steps did, and who approved what."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from ..errors import RunbookError
from . import tables
from .database import Database
from .group import Inserts
from .leases import fence
from .line import Line
from .link import encode, row

__all__ = ["Approval", "Run", "RunStep", "Runs", "lease_of"]

UNFINISHED = ("running", "paused", "frozen", "aborting")


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run. ``state`` is one of ``tables.run_steps``; ``since`` when it came to that.

    ``result`` is what the step found, changed, and needs to know to be undone.
    """

    step: str
    position: int
    state: str
    since: float
    attempts: int = 0
    began_at: float | None = None
    ended_at: float | None = None
    result: Mapping[str, object] = {}


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One person's approval of one step."""

    step: str
    who: str
    why: str
    at: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands. ``text`` is the runbook as it was when it began; times as everywhere."""

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
    steps: tuple[RunStep, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def step(self, name: str) -> RunStep:
        """Give a step by its name."""
        return next(one for one in self.steps if one.step == name)


def lease_of(run: int) -> str:
    """Name the lease that whoever applies a run holds."""
    return f"run {run}"


class Runs:
    """The tables of runs. Blocks: an event loop calls it in a thread.

    Every method raises ``StoreUnavailable`` where the store cannot be read or written, and those
    that change a run raise ``RunbookError`` where it was changed by somebody else meanwhile.
    """

    def __init__(self, database: Database, inserts: Inserts) -> None:
        self._database = database
        self._inserts = inserts

    def begin(
        self, runbook: str, endpoint: str, text: str, steps: Sequence[str], *, who: str, why: str
    ) -> Run:
        """Begin a run. Raises ``RunbookError`` where one of the endpoint is not finished."""
        with self._database.write() as connection:
            open_run = _unfinished(connection, endpoint)
            if open_run is not None:
                raise RunbookError(
                    "a run of this endpoint is not finished",
                    place=f"endpoint {endpoint}",
                    value=f"run {open_run}",
                    remedy="go on with it: fig runbook apply; or end it: fig runbook abort",
                )
            now, digest = time.time(), sha256(text.encode()).hexdigest()
            values = {
                "runbook": runbook,
                "endpoint": endpoint,
                "digest": digest,
                "text": text,
                "state": "running",
                "version": 1,
                "who": who,
                "why": why,
                "at": now,
            }
            number = connection.execute(insert(tables.runs).values(**values)).inserted_primary_key
            assert number is not None  # noqa: S101 for mypy: an insert of one row has a key
            run = int(number[0])
            for position, step in enumerate(steps):
                record = {"run": run, "step": step, "position": position, "state": "waiting"}
                connection.execute(insert(tables.run_steps).values(since=now, **record))
            self._tell(connection, endpoint, run, "begin", who, why, {"digest": digest})
            return _run(connection, run)

    def get(self, run: int) -> Run:
        """Give a run by its number. Raises ``RunbookError`` where there is none."""
        with self._database.read() as connection:
            return _run(connection, run)

    def last(self, runbook: str) -> Run | None:
        """Give the newest run of a runbook; None where it was never begun."""
        query = select(func.max(tables.runs.c.id)).where(tables.runs.c.runbook == runbook)
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
            return None if found is None else _run(connection, int(found))

    def all(self) -> list[Run]:
        """Give every run, newest first."""
        query = select(tables.runs.c.id).order_by(tables.runs.c.id.desc())
        with self._database.read() as connection:
            numbers = connection.execute(query).scalars().all()
            return [_run(connection, int(number)) for number in numbers]

    def change(
        self,
        run: Run,
        action: str,
        *,
        who: str,
        why: str = "",
        state: str = "",
        step: RunStep | None = None,
        token: int | None = None,
    ) -> Run:
        """Write a new state of a run, of one of its steps, or both; give the run as it stands.

        ``token`` is that of the lease under which a step is done; where it was lost nothing is
        written. Raises ``RunbookError``, ``StoreError``.
        """
        with self._database.write() as connection:
            self.change_within(
                connection, run, action, who=who, why=why, state=state, step=step, token=token
            )
            return _run(connection, run.id)

    def change_within(
        self,
        connection: Connection,
        run: Run,
        action: str,
        *,
        who: str,
        why: str = "",
        state: str = "",
        step: RunStep | None = None,
        token: int | None = None,
    ) -> None:
        """Do as ``change``, within a transaction that writes more."""
        if token is not None:
            fence(connection, lease_of(run.id), token)
        ours, now = tables.runs.c, time.time()
        values: dict[str, object] = {"version": run.version + 1}
        if state:
            values |= {"state": state, "ended_at": None if state in UNFINISHED else now}
        mine = (ours.id == run.id) & (ours.version == run.version)
        if connection.execute(update(tables.runs).where(mine).values(**values)).rowcount != 1:
            raise RunbookError(
                "the run was changed by somebody else",
                place=f"run {run.id} of {run.runbook}",
                expected=f"version {run.version}",
                remedy="look again: fig runbook status",
            )
        told: dict[str, object] = {"state": state} if state else {}
        if step is not None:
            kept = msgspec.structs.asdict(step)
            kept["result"] = encode(kept["result"])
            name = kept.pop("step")
            at = (tables.run_steps.c.run == run.id) & (tables.run_steps.c.step == name)
            connection.execute(update(tables.run_steps).where(at).values(**kept))
            told |= {"step": name, "step_state": step.state, "result": step.result}
        self._tell(connection, run.endpoint, run.id, action, who, why, told)

    def approve(self, run: Run, step: str, *, who: str, why: str) -> Run:
        """Note a person's approval of a step; one who approved it already adds nothing."""
        with self._database.write() as connection:
            known = {(one.step, one.who) for one in _approvals(connection, run.id)}
            if (step, who) not in known:
                values = {"run": run.id, "step": step, "who": who, "why": why, "at": time.time()}
                connection.execute(insert(tables.approvals).values(**values))
                self._tell(connection, run.endpoint, run.id, "approve", who, why, {"step": step})
            return _run(connection, run.id)

    def _tell(
        self,
        connection: Connection,
        endpoint: str,
        run: int,
        action: str,
        who: str,
        why: str,
        more: Mapping[str, object],
    ) -> None:
        data = {"run": run, "action": action, "who": who, "why": why, **more}
        self._inserts.lines(connection, [row(Line(kind="run", endpoint=endpoint, data=data))])


def _unfinished(connection: Connection, endpoint: str) -> int | None:
    ours = tables.runs.c
    query = select(ours.id).where(ours.endpoint == endpoint, ours.state.in_(UNFINISHED))
    return connection.execute(query).scalar()


def _run(connection: Connection, run: int) -> Run:
    found = connection.execute(select(tables.runs).where(tables.runs.c.id == run)).first()
    if found is None:
        raise RunbookError("there is no such run", place="runs", value=str(run))
    ours = tables.run_steps
    query = select(ours).where(ours.c.run == run).order_by(ours.c.position)
    steps = tuple(_step(each) for each in connection.execute(query))
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    return Run(steps=steps, approvals=_approvals(connection, run), **fields)


def _step(found: Row[tuple[object, ...]]) -> RunStep:
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    del fields["run"]
    return RunStep(**{**fields, "result": msgspec.json.decode(fields["result"])})


def _approvals(connection: Connection, run: int) -> tuple[Approval, ...]:
    ours = tables.approvals
    query = select(ours).where(ours.c.run == run).order_by(ours.c.at, ours.c.who)
    return tuple(
        Approval(step=found.step, who=found.who, why=found.why, at=found.at)
        for found in connection.execute(query)
    )
