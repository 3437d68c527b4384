"""Holding a run where it is, and approving its steps."""

from __future__ import annotations

from sqlalchemy import Connection

from ..errors import RunbookError
from ..model import Route
from ..store.routes import Change, with_each_change
from ..store.run import Run
from .loader import parse
from .people import People
from .resume import by, changed, unfinished
from .runbook import Runbook
from .site import Site

__all__ = ["approve", "freeze", "freeze_run", "pause", "unapproved"]


def pause(site: Site, name: str, *, why: str = "") -> Run:
    """Hold a run where it is: no step is begun until it is resumed. The route stays as it is.

    Raises ``RunbookError`` where there is none, or it is being aborted.
    """

    def decide(run: Run) -> Run:
        _check(run, ("running", "failed"))
        return site.store.runs.change(
            run, "pause", who=site.who, why=why, state="paused", said=by(site, why)
        )

    return changed(site, name, decide)


def freeze(site: Site, name: str, *, why: str = "") -> Run:
    """Hold a run and its route: no step either way, and nothing is taken back, by nobody.

    For what cannot be taken back. Raises ``RunbookError`` where there is none.
    """

    def decide(run: Run) -> Run:
        _check(run, ("running", "failed", "paused"))
        return freeze_run(site, run, why=why, said=by(site, why))

    return changed(site, name, decide)


def freeze_run(
    site: Site, run: Run, *, why: str, said: str | None = None, token: int | None = None
) -> Run:
    """Freeze a run, and its route where that is not frozen, in one transaction."""
    runs = site.store.runs

    def noted(connection: Connection, change: Change) -> None:
        del change
        runs.change_within(
            connection,
            run,
            "freeze",
            who=site.who,
            why=why,
            state="frozen",
            said=said,
            token=token,
        )

    route = site.store.routes.get(run.endpoint) or Route(endpoint=run.endpoint)
    if route.frozen:
        return runs.change(
            run, "freeze", who=site.who, why=why, state="frozen", said=said, token=token
        )
    with with_each_change(noted):
        site.parts.operator(run.endpoint, site.who).freeze(why=why)
    return runs.get(run.id)


def approve(site: Site, name: str, step: str, *, why: str = "") -> Run:
    """Note that somebody approves a step. Raises ``RunbookError`` where nothing waits for that."""
    run = unfinished(site, name)
    runbook = parse(run.text, f"{name}.toml")
    names = [one.name for one in runbook.steps]
    if step not in names:
        raise RunbookError(
            "there is no such step",
            place=f"runbook {runbook.name}",
            value=step,
            expected="one of " + ", ".join(names),
        )
    if run.step(step).state in ("done", "skipped"):
        raise RunbookError(
            f"the step is {run.step(step).state} already",
            place=f"run {run.id}, step {step}",
            expected="a step that is to come",
        )
    if not _asks(runbook, step):
        raise RunbookError(
            "nothing of this step asks for approvals",
            place=f"{runbook.file}: step {step}",
            expected='do = "approve", or needs = [{ gate = "approvals", people = 2 }]',
        )
    return site.store.runs.approve(run, step, who=site.who, why=why)


def unapproved(run: Run, step: str) -> list[str]:
    """Say whose approval a step is still without, for people; nothing where it has all."""
    one = parse(run.text, f"{run.runbook}.toml").step(step)
    approved = [each.who for each in run.approvals if each.step == step]
    missing = dict[str, None]()
    for asks in (one.act, *(need.gate for need in one.needs)):
        if isinstance(asks, People):
            missing |= dict.fromkeys(asks.missing(approved, run.who))
    return [*missing]


def _asks(runbook: Runbook, step: str) -> bool:
    one = runbook.step(step)
    names = {one.do, *(need.name for need in one.needs)}
    # Somebody's own act or gate may ask too; retiring legacy always does.
    return bool(names & {"approve", "approvals", "retire"}) or any(
        name.startswith("py:") for name in names
    )


def _check(run: Run, states: tuple[str, ...]) -> None:
    if run.state not in states:
        raise RunbookError(
            f"the run is {run.state} already"
            if run.state in ("paused", "frozen")
            else f"the run is {run.state}",
            place=f"run {run.id} of {run.runbook}",
            value=run.said,
            expected="a run that is " + " or ".join(states),
        )
