"""Going on with a run that is paused, frozen or failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import Connection

from ..errors import RunbookError, RunConflict
from ..store.routes import Change, with_each_change
from ..store.run import Run
from .site import Site

__all__ = ["by", "changed", "resume", "resumed", "unfinished"]

_TRIES: Final = 10


def unfinished(site: Site, name: str) -> Run:
    """Give a runbook's run that is not finished. Raises ``RunbookError`` where there is none."""
    run = site.store.runs.last(name)
    if run is None or run.finished:
        raise RunbookError(
            "there is no run under way",
            place=f"runbook {name}",
            value="none was begun" if run is None else f"run {run.id} is {run.state}",
            remedy=f"begin one: fig runbook apply {name}",
        )
    return run


def changed(site: Site, name: str, decide: Callable[[Run], Run]) -> Run:
    """Change the unfinished run of a runbook, and decide anew where somebody else was quicker.

    Raises what ``decide`` does, and ``RunbookError`` where there is none.
    """
    for left in reversed(range(_TRIES)):
        try:
            return decide(unfinished(site, name))
        except RunConflict:
            if not left:
                raise
    raise AssertionError


def by(site: Site, why: str) -> str:
    """Say who has a run stand where it does, and why."""
    return f"by {site.who}: {why}" if why else f"by {site.who}"


def resume(site: Site, name: str, *, why: str = "") -> Run:
    """Have a paused, frozen or failed run go on; ``apply`` then works on it.

    A frozen one's route is let go in the same transaction. Raises ``RunbookError``.
    """

    def decide(run: Run) -> Run:
        if run.state not in ("paused", "frozen", "failed"):
            raise RunbookError(
                f"the run is {run.state}",
                place=f"run {run.id} of {run.runbook}",
                expected="a run that is paused, frozen or failed",
                remedy=f"fig runbook {'abort' if run.state == 'aborting' else 'apply'} {name}",
            )
        return resumed(site, run, "resume", why=why)

    return changed(site, name, decide)


def resumed(site: Site, run: Run, action: str, *, why: str = "") -> Run:
    """Write that a run goes on: a step that failed is to be done again, from where it was."""
    failed = next((one for one in run.steps if one.state == "failed"), None)
    step = failed and msgspec.structs.replace(
        failed,
        state="waiting" if failed.began_at is None else "begun",
        since=site.clock(),
        ended_at=None,
    )
    store = site.store

    def noted(connection: Connection, change: Change) -> None:
        del change
        store.runs.change_within(
            connection, run, action, who=site.who, why=why, state="running", step=step
        )

    route = store.routes.get(run.endpoint)
    if run.state == "frozen" and route is not None and route.frozen:
        if route.killed:
            raise RunbookError(
                "the route is killed, and would be let go with the run",
                place=f"run {run.id} of {run.runbook}",
                expected="a route that nobody has killed",
                remedy=f"fig route resume {run.endpoint}",
            )
        with with_each_change(noted):
            site.parts.operator(run.endpoint, site.who).resume(why=why)
        return store.runs.get(run.id)
    return store.runs.change(run, action, who=site.who, why=why, state="running", step=step)
