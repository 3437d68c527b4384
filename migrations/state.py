"""How a runbook stands now: what each step would change, what its gates say, what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from ..errors import FigError
from ..model import Route
from ..store.leases import Leases
from ..store.run import Approval, Run, RunStep, lease_of
from .ports import Ctx, Met, Waiting
from .runbook import Runbook, Step
from .site import Site

__all__ = ["GateState", "RunState", "StepState", "state_of"]

_T = TypeVar("_T")
ENDED = ("done", "skipped")


class GateState(msgspec.Struct, frozen=True, kw_only=True):
    """A gate as it stands. ``seen`` is None where nobody has looked.

    That is: before its step's turn, and where only ``apply`` looks, as it is ``costly``.
    ``kept`` says that it was met when the step was begun, and is not looked at again.
    """

    name: str
    asks: str
    seen: Met | Waiting | None = None
    kept: bool = False
    costly: bool = False


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """A step as it stands. ``record`` is None before a run.

    ``changes`` is what it would change now, and ``blocked`` why it could not be done as things
    stand (a text of an error). ``final``: why it cannot be taken back, empty where it can.
    ``deadline`` is when its time is over, where its turn has come.
    """

    step: Step
    record: RunStep | None = None
    gates: tuple[GateState, ...] = ()
    changes: tuple[str, ...] = ()
    blocked: str = ""
    final: str = ""
    approvals: tuple[Approval, ...] = ()
    deadline: float | None = None

    @property
    def state(self) -> str:
        """Give the record's state; ``waiting`` before a run."""
        return "waiting" if self.record is None else self.record.state


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A runbook and its run (None where none was begun) at ``at``. ``route`` is the endpoint's.

    ``waits`` is what holds the step whose turn it is, ``command`` what to type next, and ``holder``
    who works on the run now; empty where nobody does.
    """

    runbook: Runbook
    run: Run | None
    route: Route
    steps: tuple[StepState, ...]
    at: float
    waits: tuple[Waiting, ...] = ()
    command: str = ""
    holder: str = ""

    @property
    def current(self) -> StepState | None:
        """Give the step whose turn it is; None where all are done."""
        return next((one for one in self.steps if one.state not in ENDED), None)


def state_of(site: Site, runbook: Runbook, run: Run | None, *, ahead: bool = True) -> RunState:
    """Look at every step, and change nothing. Called by ``plan``, ``status`` and ``render``.

    Without ``ahead`` only the step whose turn it is is asked what it would change. Raises
    ``ConfigError`` where the endpoint is none, and ``StoreUnavailable``.
    """
    turn = _turn(runbook, run)
    steps = tuple(
        _step(site, runbook, step, run, ahead=ahead, turn=step is turn) for step in runbook.steps
    )
    mine = next((one for one in steps if one.step is turn), None)
    waits = () if mine is None else _waits(mine)
    holder = "" if run is None else Leases(site.store.database).holder(lease_of(run.id))
    return RunState(
        runbook=runbook,
        run=run,
        route=site.store.routes.get(runbook.endpoint) or Route(endpoint=runbook.endpoint),
        steps=steps,
        at=site.clock(),
        waits=waits,
        command=_command(runbook, run, waits, holder),
        holder=holder,
    )


def _turn(runbook: Runbook, run: Run | None) -> Step | None:
    for step in runbook.steps:
        if run is None or run.step(step.name).state not in ENDED:
            return step
    return None


def _step(
    site: Site, runbook: Runbook, step: Step, run: Run | None, *, ahead: bool, turn: bool
) -> StepState:
    ctx = site.ctx(runbook, step, run)
    record = ctx.record
    ended = record is not None and record.state in ENDED
    begun = ended or (record is not None and record.state in ("begun", "undoing"))
    changes: tuple[str, ...] = ()
    blocked = ""
    if (ahead or turn) and not ended:
        changes, blocked = _tried(lambda: tuple(step.act.plan(ctx)), changes)
    final, unknown = _tried(lambda: step.act.final(ctx), "")
    return StepState(
        step=step,
        record=record,
        gates=tuple(_kept(step, record) if begun else _looked(step, ctx, look=turn)),
        changes=changes,
        blocked=blocked,
        final=final or unknown,
        approvals=ctx.approvals(),
        deadline=ctx.deadline if turn and run is not None and run.state == "running" else None,
    )


def _tried(work: Callable[[], _T], otherwise: _T) -> tuple[_T, str]:
    try:
        return work(), ""
    except FigError as error:
        return otherwise, str(error)


def _looked(step: Step, ctx: Ctx, *, look: bool) -> Iterator[GateState]:
    for need in step.needs:
        seen: Met | Waiting | None = None
        if look and not need.gate.costly:
            try:
                seen = need.gate.look(ctx)
            except FigError as error:
                seen = Waiting(reason=str(error))
        yield GateState(name=need.name, asks=need.gate.asks(), seen=seen, costly=need.gate.costly)


def _kept(step: Step, record: RunStep | None) -> Iterator[GateState]:
    found = record.met if record is not None else ()
    for at, need in enumerate(step.needs):
        seen = msgspec.convert(found[at], Met) if at < len(found) else None
        yield GateState(name=need.name, asks=need.gate.asks(), seen=seen, kept=True)


def _waits(mine: StepState) -> tuple[Waiting, ...]:
    """Give what the step waits for: gates as seen now, else what whoever applies it last saw."""
    shut = tuple(one.seen for one in mine.gates if isinstance(one.seen, Waiting))
    if shut or mine.record is None:
        return shut
    return tuple(msgspec.convert(one, Waiting) for one in mine.record.waits)


def _command(runbook: Runbook, run: Run | None, waits: tuple[Waiting, ...], holder: str) -> str:
    """Say what to type next; empty where nothing is to be done."""
    name = runbook.name
    if run is None or run.state == "failed" or (run.state == "running" and not holder):
        return f"fig runbook apply {name}"
    if run.state in ("paused", "frozen"):
        return f"fig runbook resume {name}"
    if run.state == "aborting":
        return f"fig runbook abort {name}"
    if run.state == "running":
        return next((one.command for one in waits if one.command), "")
    return ""
