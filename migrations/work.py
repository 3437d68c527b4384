"""One step done or undone: with its record, so that neither is ever there without the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import Connection

from ..errors import (
    LegacyUnavailable,
    ReplacementUnavailable,
    RouteConflict,
    RunbookError,
    RunConflict,
    StoreUnavailable,
)
from ..model import Route
from ..store.routes import Change, with_each_change
from ..store.run import Run, RunStep
from .hold import Hold
from .ports import Ctx, Done, Waiting
from .runbook import Runbook, Step
from .site import Site

__all__ = ["UNAVAILABLE", "Work", "failure", "plain"]

UNAVAILABLE = (StoreUnavailable, LegacyUnavailable, ReplacementUnavailable)
"""They pass by themselves: a step waits for that, until its timeout."""

_TRIES = 10

Call = Callable[[Ctx], Done | Waiting]


class Work:
    """Writes what becomes of a run's steps, under the lease of whoever works on it.

    Every write raises ``RunConflict`` where the run was changed by somebody else meanwhile (then
    nothing was written), and ``StoreError`` where the lease was lost.
    """

    def __init__(self, site: Site, runbook: Runbook, hold: Hold) -> None:
        self.site, self.runbook, self.hold = site, runbook, hold

    def ctx(self, run: Run, step: Step, wake: threading.Event) -> Ctx:
        """Make what a step is given; what it keeps is written at once."""

        def keep(result: Mapping[str, object]) -> None:
            self.site.store.runs.note(run.id, step.name, self.hold.token, result=result)

        return self.site.ctx(self.runbook, step, run, stop=wake, keep=keep)

    def write(
        self,
        run: Run,
        action: str,
        step: RunStep | None = None,
        *,
        state: str = "",
        why: str = "",
    ) -> Run:
        """Write a change of the run."""
        return self.site.store.runs.change(
            run,
            action,
            who=self.site.who,
            why=why,
            state=state,
            step=step,
            token=self.hold.token,
        )

    def write_surely(self, run: Run, action: str, step: RunStep) -> Run:
        """Write what a step came to, also where the run was paused meanwhile: it is done."""
        for left in reversed(range(_TRIES)):
            try:
                return self.write(run, action, step)
            except RunConflict:
                if not left:
                    raise
                run = self.site.store.runs.get(run.id)
        raise AssertionError

    def routed(
        self, run: Run, ctx: Ctx, call: Call, action: str, ended: RunStep
    ) -> tuple[Run, Done | Waiting]:
        """Have a step change the route; ``ended`` is written in that very transaction.

        Raises what the step does.
        """
        noted: list[RunStep] = []

        def note(connection: Connection, change: Change) -> None:
            if noted or change.endpoint != run.endpoint:
                raise RunbookError(
                    "a step changed more than its own endpoint's route, once",
                    place=f"{ctx.step.place}: {ctx.step.do}",
                    value=f"{change.action} of {change.endpoint}",
                )
            before = change.before or Route(endpoint=change.endpoint)
            result = {"before": plain(before), "after": plain(change.after)}
            noted.append(_with(ended, result))
            self.site.store.runs.change_within(
                connection,
                run,
                action,
                who=self.site.who,
                step=noted[0],
                token=self.hold.token,
            )

        with with_each_change(note):
            outcome = call(ctx)
        if noted:
            return self.site.store.runs.get(run.id), Done(
                result=noted[0].result, told=_told(outcome)
            )
        if isinstance(outcome, Waiting):
            return run, outcome
        stood = {**outcome.result, "stood": plain(ctx.route())}
        return self.write(run, action, _with(ended, stood)), outcome

    def outside(
        self, run: Run, ctx: Ctx, call: Call, action: str, ended: RunStep
    ) -> tuple[Run, Done | Waiting]:
        """Have a step that was noted as begun do what it does elsewhere; then write ``ended``."""
        outcome = call(ctx)
        if isinstance(outcome, Waiting):
            return run, outcome
        now = self.site.store.runs.get(run.id)
        kept = now.step(ctx.step.name).result
        return self.write_surely(now, action, _with(ended, {**kept, **outcome.result})), outcome


def failure(error: Exception) -> Waiting | None:
    """Say what an error means: to wait, or (None) that the step has failed."""
    if isinstance(error, RouteConflict):
        return Waiting(reason="somebody else changes the route", again_after=0.2)
    if isinstance(error, UNAVAILABLE):
        return Waiting(reason=error.message, missing=error.place, again_after=1.0)
    return None


def plain(route: Route) -> Mapping[str, object]:
    """Give a route as it is kept in a result."""
    kept: dict[str, object] = msgspec.to_builtins(route)
    return kept


def _with(record: RunStep, result: Mapping[str, object]) -> RunStep:
    return msgspec.structs.replace(record, result=result)


def _told(outcome: Done | Waiting) -> str:
    return outcome.told if isinstance(outcome, Done) else outcome.reason
