"""A run worked on, step by step, until it is done, held by somebody, or told to stop."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..errors import FigError, RouteError, RunConflict, StoreUnavailable
from ..store.run import Run, RunStep
from .back import roll_back_run
from .hold import Hold
from .latches import freeze_run
from .looking import Found, look_at
from .ports import Ctx, Done, Waiting
from .runbook import Runbook, Step
from .site import Kind, Said, Site
from .span import span_text
from .stray import latched, stray
from .undoing import lasting
from .waits import Waits
from .work import Work, failure

__all__ = ["Applying"]


class Applying:
    """Made by ``apply`` for one run, whose lease is held. Blocks."""

    def __init__(self, site: Site, runbook: Runbook, hold: Hold) -> None:
        self._site, self._runbook, self._hold = site, runbook, hold
        self._work = Work(site, runbook, hold)
        self._waits = Waits(site, hold)
        self.undoes = False
        """Whether it is we who are to undo it all, as a step was not done in time."""

    def go(self) -> Run:
        """Work; give the run as it stands when there is nothing more to do, or not by us.

        That is: done, paused, frozen, failed, aborting; or still running where told to stop. Raises
        ``StoreError`` where the lease was lost.
        """
        run = self._site.store.runs.get(self._hold.run)
        while run.state == "running" and not self._hold.stop.is_set():
            try:
                self._hold.check()
                run = self._site.store.runs.get(run.id)
                if run.state == "running":
                    run = self._next(run)
            except RunConflict:
                continue  # it is read again
            except StoreUnavailable as error:
                self._hold.begin("running", None)
                self._waits.rest(
                    "", (Waiting(reason=error.message, missing=error.place, again_after=1.0),)
                )
        return run

    def _next(self, run: Run) -> Run:
        step = next(
            (one for one in self._runbook.steps if not _ended(run.step(one.name))),
            None,
        )
        if step is None:
            done = self._work.write(run, "done", state="done")
            self._tell("run", f"run {run.id} of {run.runbook} is done")
            return done
        gone = stray(self._site, run)
        if gone:
            return self._still(run, "pause", "paused", gone)
        wake = self._hold.begin("running", self._site.ctx(self._runbook, step, run).deadline)
        ctx = self._work.ctx(run, step, wake)
        after, waits = self._look(run, step, ctx)
        if not waits:
            return after
        if ctx.deadline is not None and self._site.clock() >= ctx.deadline:
            return self._late(after, step, waits)
        self._waits.rest(step.name, waits)
        return after

    def _look(self, run: Run, step: Step, ctx: Ctx) -> tuple[Run, Sequence[Waiting]]:
        """Do what can be done of a step now; give what it waits for, if it does."""
        try:
            if run.step(step.name).state == "begun":
                return self._outside(run, step, ctx)
            met, waits = look_at(step.needs, ctx)
            if step.act.routed:
                waits = [*waits, *latched(ctx.route())]
            if waits:
                return run, waits
            return self._do(run, step, ctx, met)
        except (RunConflict, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 acts and gates may be anybody's
            return self._failed(run, step, error)

    def _do(
        self, run: Run, step: Step, ctx: Ctx, met: Sequence[Found]
    ) -> tuple[Run, Sequence[Waiting]]:
        record, now = run.step(step.name), self._site.clock()
        begun = msgspec.structs.replace(
            record,
            state="begun",
            since=now,
            attempts=record.attempts + 1,
            began_at=now,
            met=met,
            waits=(),
        )
        if step.act.routed:
            done = msgspec.structs.replace(begun, state="done", ended_at=now)
            after, outcome = self._work.routed(run, ctx, step.act.do, "step", done)
            if isinstance(outcome, Done):
                self._open(step, met)
            return self._seen(step, after, outcome)
        run = self._work.write(run, "begin", begun)
        self._open(step, met)
        self._tell("begun", step.do, step)
        return self._outside(run, step, self._work.ctx(run, step, ctx.stop))

    def _open(self, step: Step, met: Sequence[Found]) -> None:
        for one in met:
            self._tell("gate", f"{one['gate']}: {one['found']}", step)

    def _outside(self, run: Run, step: Step, ctx: Ctx) -> tuple[Run, Sequence[Waiting]]:
        now = self._site.clock()
        done = msgspec.structs.replace(
            run.step(step.name), state="done", since=now, ended_at=now, waits=()
        )
        return self._seen(step, *self._work.outside(run, ctx, step.act.do, "step", done))

    def _seen(self, step: Step, run: Run, outcome: Done | Waiting) -> tuple[Run, Sequence[Waiting]]:
        if isinstance(outcome, Waiting):
            return run, (outcome,)
        self._waits.over()
        self._tell("done", outcome.told or step.do, step)
        return run, ()

    def _failed(self, run: Run, step: Step, error: Exception) -> tuple[Run, Sequence[Waiting]]:
        waiting = failure(error)
        now = self._site.store.runs.get(run.id)
        record = now.step(step.name)
        if waiting is not None:
            return now, (waiting,)
        text = str(error) if isinstance(error, FigError) else f"{type(error).__name__}: {error}"
        if _ended(record) or now.state != "running":
            # It was written before it failed, or the run is held: it is looked at anew.
            self._tell("note", text, step)
            return now, ()
        return self._end(now, step, "failed", text), ()

    def _end(self, run: Run, step: Step, how: str, text: str) -> Run:
        """Write that a step has failed, and the run with it; or that it is skipped."""
        now = self._site.clock()
        ended = msgspec.structs.replace(
            run.step(step.name), state=how, since=now, ended_at=now, waits=()
        )
        self._waits.over()
        self._tell("failed" if how == "failed" else "skipped", text, step)
        return self._work.write(
            run, how, ended, state="failed" if how == "failed" else "", why=text
        )

    def _late(self, run: Run, step: Step, waits: Sequence[Waiting]) -> Run:
        """Do what it means that a step was not done in time."""
        reasons = "; ".join(one.reason for one in waits)
        text = f"step {step.name} was not done within {span_text(step.timeout or 0)}: {reasons}"
        if step.on_timeout == "pause":
            return self._still(run, "pause", "paused", text)
        if step.on_timeout == "rollback":
            return self._back(run, text)
        if step.on_timeout == "abort":
            final = lasting(self._site, self._runbook, run)
            if final:
                return self._freeze(run, f"{text}; {final[0]}")
            self.undoes = True
            return self._still(run, "abort", "aborting", text)
        return self._end(run, step, "failed" if step.on_timeout == "fail" else "skipped", text)

    def _back(self, run: Run, text: str) -> Run:
        try:
            after = roll_back_run(self._site, run, why=text, token=self._hold.token)
        except RouteError as error:
            return self._freeze(run, f"{text}; there is no way back: {error.message}")
        self._tell("run", f"rolled back, and paused: {text}")
        return after

    def _freeze(self, run: Run, text: str) -> Run:
        self._tell("run", f"frozen, as it cannot be taken back: {text}")
        return freeze_run(self._site, run, why=text, token=self._hold.token)

    def _still(self, run: Run, action: str, state: str, text: str) -> Run:
        self._tell("run", f"{state}: {text}")
        return self._work.write(run, action, state=state, why=text)

    def _tell(self, kind: Kind, text: str, step: Step | None = None) -> None:
        self._site.tell(Said(kind=kind, text=text, step=step.name if step else ""))


def _ended(record: RunStep) -> bool:
    return record.state in ("done", "skipped")
