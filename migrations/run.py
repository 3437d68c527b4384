"""Applying a runbook and aborting it: what the commands call."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from ..errors import RunbookError
from ..store.run import Run
from .applying import Applying
from .begin import begin
from .hold import PATIENCE, held
from .loader import parse
from .resume import by, changed
from .runbook import Runbook
from .site import Site
from .undoing import Undoing, lasting

__all__ = ["abort", "apply"]


def apply(
    site: Site,
    runbook: Runbook,
    *,
    stop: threading.Event,
    why: str = "",
    again: bool = False,
    patience: float = PATIENCE,
) -> Run:
    """Begin a run or go on with it, until it is done, held, or ``stop`` is set. Blocks.

    Killed at any moment, it is gone on with by the next one that applies. Raises ``RunbookError``
    where it cannot be worked on, ``StoreError``.
    """
    run = begin(site, runbook, why=why, again=again)
    if run.finished:
        return run
    with held(site, run, stop, patience=patience) as hold:
        applying = Applying(site, runbook, hold)
        after = applying.go()
        # Where somebody else aborts it, that one undoes it.
        return Undoing(site, runbook, hold).go() if applying.undoes else after


def abort(
    site: Site,
    name: str,
    *,
    stop: threading.Event,
    why: str = "",
    leave: Sequence[str] = (),
    patience: float = PATIENCE,
) -> Run:
    """Undo a run's steps in reverse, or go on with that. Whoever applies it stops. Blocks.

    The text that the run began with is what counts. Steps named in ``leave`` are not undone, for
    somebody has done that by hand, or it must stay. Raises ``RunbookError`` where there is none, or
    a step cannot be taken back.
    """

    def decide(run: Run) -> Run:
        run = _left(site, run, leave, why)
        if run.state == "aborting":
            return run
        _check(site, run)
        return site.store.runs.change(
            run, "abort", who=site.who, why=why, state="aborting", said=by(site, why)
        )

    run = changed(site, name, decide)
    runbook = parse(run.text, f"{name}.toml")
    with held(site, run, stop, patience=patience) as hold:
        return Undoing(site, runbook, hold).go()


def _left(site: Site, run: Run, leave: Sequence[str], why: str) -> Run:
    for name in leave:
        record = next((one for one in run.steps if one.step == name), None)
        if record is None:
            raise RunbookError(
                "there is no such step",
                place=f"run {run.id} of {run.runbook}",
                value=name,
                expected="one of " + ", ".join(one.step for one in run.steps),
            )
        if record.began_at is not None and record.state != "undone":
            undone = msgspec.structs.replace(record, state="undone", since=site.clock(), waits=())
            run = site.store.runs.change(run, "leave", who=site.who, why=why, step=undone)
    return run


def _check(site: Site, run: Run) -> None:
    place = f"run {run.id} of {run.runbook}"
    if run.state == "frozen":
        raise RunbookError(
            "the run is frozen",
            place=place,
            value=run.said,
            remedy=f"fig runbook resume {run.runbook}",
        )
    final = lasting(site, parse(run.text, f"{run.runbook}.toml"), run)
    if final:
        raise RunbookError(
            "; ".join(final),
            place=place,
            expected="steps that can all be taken back",
            remedy=f"hold it as it is: fig runbook freeze {run.runbook}; "
            f"or have legacy answer: fig runbook rollback {run.runbook}",
        )
