"""Legacy answers again: the route goes back, and what had moved it is to be done again."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from ..errors import RunbookError
from ..model import Route, Stage
from ..model import Step as Rung
from ..routing.stages import position
from ..store.routes import Change, with_each_change
from ..store.run import Run, RunStep
from .resume import by, changed
from .site import Site

__all__ = ["roll_back", "roll_back_run", "route_after"]

_STARTED = ("begun", "done", "failed", "skipped")


def roll_back(
    site: Site, name: str, *, to: Stage | None = None, why: str = "", behind: bool = False
) -> Run:
    """Take the route of a runbook's run back to shadow (or ``to``), and pause the run.

    Whoever applies it stops. Evidence stays, as do the results of the steps; approvals of the steps
    that are to be done again count no more. Raises ``RunbookError`` where there is no run or it is
    held against all, ``RouteError`` where the route has no way back, or (unless ``behind``) legacy
    lacks some of what was written.
    """

    def decide(run: Run) -> Run:
        if run.state not in ("running", "paused", "failed"):
            raise RunbookError(
                f"the run is {run.state}",
                place=f"run {run.id} of {run.runbook}",
                value=run.said,
                expected="a run that is running, paused or failed",
                remedy=f"fig runbook resume {name}; the route by itself: fig route rollback "
                + run.endpoint,
            )
        return roll_back_run(site, run, to=to, why=why, said=by(site, why), behind=behind)

    return changed(site, name, decide)


def roll_back_run(
    site: Site,
    run: Run,
    *,
    to: Stage | None = None,
    why: str,
    said: str | None = None,
    behind: bool = False,
    token: int | None = None,
) -> Run:
    """Do as ``roll_back``, with a run that was just read."""
    route = site.store.routes.get(run.endpoint) or Route(endpoint=run.endpoint)
    target = to or (Stage.LEGACY if route.stage is Stage.LEGACY else Stage.SHADOW)
    again = _again(run, target, site.clock())
    runs = site.store.runs

    def noted(connection: Connection, change: Change) -> None:
        del change
        runs.change_within(
            connection,
            run,
            "rollback",
            who=site.who,
            why=why,
            state="paused",
            again=again,
            said=said,
            token=token,
        )

    if position(route) > position(Rung(stage=target)):
        with with_each_change(noted):
            site.parts.operator(run.endpoint, site.who).rollback(target, why=why, behind=behind)
        return runs.get(run.id)
    # The route is back already: a guardrail or somebody else has done it.
    return runs.change(
        run,
        "rollback",
        who=site.who,
        why=why,
        state="paused",
        again=again,
        said=said,
        token=token,
    )


def route_after(record: RunStep) -> Route | None:
    """Give the route as a step has left it, or found it; None where it does not move it."""
    left = record.result.get("after", record.result.get("stood"))
    if record.state != "done" or left is None:
        return None
    return msgspec.convert(left, Route)


def _again(run: Run, target: Stage, now: float) -> list[RunStep]:
    """Give the steps that are to be done again: from the first that went beyond the target."""
    there = position(Rung(stage=target))
    first = next(
        (
            at
            for at, one in enumerate(run.steps)
            if (route := route_after(one)) is not None and position(route) > there
        ),
        len(run.steps),
    )
    return [_undone(one, now) for one in run.steps[first:] if one.state in _STARTED]


def _undone(record: RunStep, now: float) -> RunStep:
    """Give a step as one to be done again; what it did but to the route stands, for its undoing."""
    moved = route_after(record) is not None
    return msgspec.structs.replace(
        record,
        state="undone" if moved else "waiting",
        since=now,
        ended_at=None,
        met=(),
        waits=(),
    )
