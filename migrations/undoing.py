"""A run undone: its steps in reverse, each undoing written down, until nothing of it is left."""

from __future__ import annotations

import msgspec

from ..errors import FigError, RunbookError, RunConflict, StoreUnavailable
from ..store.run import Run, RunStep
from .hold import Hold
from .ports import Ctx, Done, Waiting
from .runbook import Runbook, Step
from .site import Kind, Said, Site
from .waits import Waits
from .work import Work, failure

__all__ = ["Undoing", "lasting", "left"]


def lasting(site: Site, runbook: Runbook, run: Run) -> list[str]:
    """Say which of the steps that were begun cannot be taken back, and why."""
    found = []
    for step in left(runbook, run):
        why = "its undo is 'freeze'" if step.undo == "freeze" else ""
        if step.undo == "act" and step.undo_by is None:
            why = step.act.final(site.ctx(runbook, step, run))
        if why:
            found.append(f"step {step.name} cannot be taken back: {why}")
    return found


def left(runbook: Runbook, run: Run) -> list[Step]:
    """Give the steps that are to be undone, the last one first."""
    return [
        step
        for step in reversed(runbook.steps)
        if step.undo != "keep" and _there(run.step(step.name))
    ]


def _there(record: RunStep) -> bool:
    return record.began_at is not None and record.state != "undone"


class Undoing:
    """Made for one run that is being aborted, whose lease is held. Blocks."""

    def __init__(self, site: Site, runbook: Runbook, hold: Hold) -> None:
        self._site, self._runbook, self._hold = site, runbook, hold
        self._work = Work(site, runbook, hold)
        self._waits = Waits(site, hold)

    def go(self) -> Run:
        """Undo; give the run as it stands: aborted, frozen by somebody, or still aborting.

        Raises ``RunbookError`` where a step cannot be undone as things stand: the run stays as it
        is, and can be gone on with.
        """
        run = self._site.store.runs.get(self._hold.run)
        while run.state == "aborting" and not self._hold.stop.is_set():
            try:
                self._hold.check()
                run = self._site.store.runs.get(run.id)
                if run.state == "aborting":
                    run = self._next(run)
            except RunConflict:
                continue  # it is read again
            except StoreUnavailable as error:
                self._hold.begin("aborting", None)
                self._waits.rest(
                    "", (Waiting(reason=error.message, missing=error.place, again_after=1.0),)
                )
        return run

    def _next(self, run: Run) -> Run:
        step = next(iter(left(self._runbook, run)), None)
        if step is None:
            aborted = self._work.write(run, "aborted", state="aborted", why=run.said)
            self._tell("run", f"run {run.id} of {run.runbook} is aborted: nothing of it is left")
            return aborted
        self._hold.begin("aborting", None)
        try:
            after, outcome = self._undo(run, step)
        except (RunConflict, StoreUnavailable):
            raise
        except FigError as error:
            waiting = failure(error)
            if waiting is None:
                raise self._stuck(run, step, error) from error
            after, outcome = run, waiting
        if isinstance(outcome, Waiting):
            self._waits.rest(step.name, (outcome,))
            return after
        self._waits.over()
        self._tell("undone", outcome.told or step.do, step)
        return after

    def _undo(self, run: Run, step: Step) -> tuple[Run, Done | Waiting]:
        record, now = run.step(step.name), self._site.clock()
        undone = msgspec.structs.replace(record, state="undone", since=now, ended_at=now, waits=())
        routed = step.act.routed if step.undo_by is None else step.undo_by.routed
        if not routed and record.state != "undoing":
            undoing = msgspec.structs.replace(record, state="undoing", since=now, ended_at=None)
            run = self._work.write(run, "undo", undoing)
        ctx = self._work.ctx(run, step, self._hold.wake)
        do = self._work.routed if routed else self._work.outside
        return do(run, ctx, lambda ctx: _take_back(step, ctx), "undone", undone)

    def _stuck(self, run: Run, step: Step, error: FigError) -> RunbookError:
        return RunbookError(
            f"cannot be undone: {error.message}",
            place=f"run {run.id}, step {step.name}",
            value=error.value,
            expected=error.expected,
            remedy=f"{error.remedy or 'mend it'}; then: fig runbook abort {run.runbook}",
        )

    def _tell(self, kind: Kind, text: str, step: Step | None = None) -> None:
        self._site.tell(Said(kind=kind, text=text, step=step.name if step else ""))


def _take_back(step: Step, ctx: Ctx) -> Done | Waiting:
    if step.undo_by is not None:
        return step.undo_by.do(ctx)
    return step.act.undo(ctx, ctx.result)
