"""Beginning a run, or finding the one to go on with; its text must be that of the file."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime

from ..errors import RunbookError
from ..store.run import Run
from .resume import resumed
from .runbook import Runbook
from .site import Said, Site

__all__ = ["begin", "check_same"]


def begin(site: Site, runbook: Runbook, *, why: str = "", again: bool = False) -> Run:
    """Give the run to work on: the unfinished one, or a new one where there is none.

    One that failed goes on. Where it is done already that one is given, unless ``again``. Raises
    ``RunbookError`` where the file has changed since, where somebody holds it, or another run of
    the endpoint is not finished.
    """
    site.endpoint(runbook)
    today = datetime.fromtimestamp(site.clock(), UTC).date()
    if runbook.expires is not None and runbook.expires < today:
        text = f"it was to have ended by {runbook.expires}: ask {runbook.owner}"
        site.tell(Said(kind="run", text=text))
    run = site.store.runs.last(runbook.name)
    if run is not None and not run.finished:
        check_same(run, runbook)
        return _go_on(site, run)
    if run is not None and run.state == "done" and run.digest == runbook.digest and not again:
        return run
    steps = [step.name for step in runbook.steps]
    new = site.store.runs.begin(
        runbook.name, runbook.endpoint, runbook.text, steps, who=site.who, why=why
    )
    site.tell(Said(kind="run", text=f"run {new.id} of {new.runbook} begins"))
    return new


def check_same(run: Run, runbook: Runbook) -> None:
    """Raise ``RunbookError``, with the difference, where the file has changed since."""
    if run.digest == runbook.digest:
        return
    lines = difflib.unified_diff(
        run.text.splitlines(),
        runbook.text.splitlines(),
        f"run {run.id}",
        runbook.file,
        lineterm="",
        n=1,
    )
    raise RunbookError(
        "the file has changed since the run began:\n" + "\n".join(lines),
        place=f"run {run.id} of {run.runbook}",
        expected="the text that was begun with, and approved",
        remedy="put the file back as it was; or end the run and begin anew: "
        f"fig runbook abort {run.runbook}",
    )


def _go_on(site: Site, run: Run) -> Run:
    if run.state == "failed":
        site.tell(Said(kind="run", text=f"run {run.id} failed: {run.said}; it goes on"))
        return resumed(site, run, "apply")
    if run.state != "running":
        verb = "abort" if run.state == "aborting" else "resume"
        raise RunbookError(
            f"the run is {run.state}",
            place=f"run {run.id} of {run.runbook}",
            value=run.said,
            expected="a run that goes on",
            remedy=f"fig runbook {verb} {run.runbook}",
        )
    done = sum(one.state in ("done", "skipped") for one in run.steps)
    text = f"run {run.id} of {run.runbook} goes on: {done} of {len(run.steps)} steps are done"
    site.tell(Said(kind="run", text=text))
    return run
