"""Runs of runbooks: where each stands, what its steps did, and who approved what."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from ..errors import RunbookError, RunConflict
from . import tables
from .database import Database
from .group import Inserts
from .leases import fence
from .line import Line
from .link import encode, row
from .run import UNFINISHED, Approval, Run, RunStep, approvals, lease_of, run_of

__all__ = ["Approval", "Run", "RunStep", "Runs", "lease_of"]


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
                    value="run {} of {}".format(*open_run),
                    remedy=f"go on with it: fig runbook apply {open_run[1]}; "
                    f"or end it: fig runbook abort {open_run[1]}",
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
            return run_of(connection, run)

    def get(self, run: int) -> Run:
        """Give a run by its number. Raises ``RunbookError`` where there is none."""
        with self._database.read() as connection:
            return run_of(connection, run)

    def last(self, runbook: str) -> Run | None:
        """Give the newest run of a runbook; None where it was never begun."""
        query = select(func.max(tables.runs.c.id)).where(tables.runs.c.runbook == runbook)
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
            return None if found is None else run_of(connection, int(found))

    def all(self) -> list[Run]:
        """Give every run, newest first."""
        query = select(tables.runs.c.id).order_by(tables.runs.c.id.desc())
        with self._database.read() as connection:
            numbers = connection.execute(query).scalars().all()
            return [run_of(connection, int(number)) for number in numbers]

    def change(
        self,
        run: Run,
        action: str,
        *,
        who: str,
        why: str = "",
        state: str = "",
        step: RunStep | None = None,
        again: Sequence[RunStep] = (),
        said: str | None = None,
        token: int | None = None,
    ) -> Run:
        """Write a new state of a run, of its steps, or both; give the run as it stands.

        ``said`` (``why``, where it is None) is kept as why the run stands so. ``again`` are steps
        that are to be done again: what approved them counts no more. ``token`` is that of the
        lease under which a step is done; where it was lost nothing is written. Raises
        ``RunbookError``, ``StoreError``.
        """
        with self._database.write() as connection:
            self.change_within(
                connection,
                run,
                action,
                who=who,
                why=why,
                state=state,
                step=step,
                again=again,
                said=said,
                token=token,
            )
            return run_of(connection, run.id)

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
        again: Sequence[RunStep] = (),
        said: str | None = None,
        token: int | None = None,
    ) -> None:
        """Do as ``change``, within a transaction that writes more."""
        if token is not None:
            fence(connection, lease_of(run.id), token)
        self._stand(connection, run, state, why if said is None else said)
        told: dict[str, object] = {"state": state} if state else {}
        if step is not None:
            _put(connection, run.id, step)
            told |= {"step": step.step, "step_state": step.state, "result": step.result}
        for one in again:
            _put(connection, run.id, one)
            ours = tables.approvals.c
            void = (ours.run == run.id) & (ours.step == one.step)
            connection.execute(delete(tables.approvals).where(void))
        if again:
            told["again"] = [one.step for one in again]
        self._tell(connection, run.endpoint, run.id, action, who, why, told)

    def _stand(self, connection: Connection, run: Run, state: str, said: str) -> None:
        ours, now = tables.runs.c, time.time()
        values: dict[str, object] = {"version": run.version + 1}
        if state:
            values |= {"state": state, "said": said}
            values["ended_at"] = None if state in UNFINISHED else now
        if state == "running":
            values["resumed_at"] = now
        mine = (ours.id == run.id) & (ours.version == run.version)
        if connection.execute(update(tables.runs).where(mine).values(**values)).rowcount != 1:
            raise RunConflict(
                "the run was changed by somebody else",
                place=f"run {run.id} of {run.runbook}",
                expected=f"version {run.version}",
                remedy="look again: fig runbook status",
            )

    def note(
        self,
        run: int,
        step: str,
        token: int,
        *,
        waits: Sequence[Mapping[str, object]] | None = None,
        result: Mapping[str, object] | None = None,
    ) -> None:
        """Note what a step waits for, or what it has done so far; that is no change of the run.

        Raises ``StoreError`` where the lease was lost.
        """
        noted = {"waits": waits, "result": result}
        values = {name: encode(value) for name, value in noted.items() if value is not None}
        with self._database.write(chained=False) as connection:
            fence(connection, lease_of(run), token)
            ours = tables.run_steps.c
            at = (ours.run == run) & (ours.step == step)
            connection.execute(update(tables.run_steps).where(at).values(**values))

    def approve(self, run: Run, step: str, *, who: str, why: str) -> Run:
        """Note a person's approval of a step; one who approved it already adds nothing."""
        with self._database.write() as connection:
            known = {(one.step, one.who) for one in approvals(connection, run.id)}
            if (step, who) not in known:
                values = {"run": run.id, "step": step, "who": who, "why": why, "at": time.time()}
                connection.execute(insert(tables.approvals).values(**values))
                self._tell(connection, run.endpoint, run.id, "approve", who, why, {"step": step})
            return run_of(connection, run.id)

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


def _unfinished(connection: Connection, endpoint: str) -> tuple[int, str] | None:
    ours = tables.runs.c
    query = select(ours.id, ours.runbook)
    mine = (ours.endpoint == endpoint) & ours.state.in_(UNFINISHED)
    found = connection.execute(query.where(mine)).first()
    return None if found is None else (int(found.id), str(found.runbook))


def _put(connection: Connection, run: int, step: RunStep) -> None:
    kept = msgspec.structs.asdict(step)
    kept |= {name: encode(kept[name]) for name in ("result", "met", "waits")}
    name = kept.pop("step")
    at = (tables.run_steps.c.run == run) & (tables.run_steps.c.step == name)
    connection.execute(update(tables.run_steps).where(at).values(**kept))
