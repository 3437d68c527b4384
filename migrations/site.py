"""Where a runbook is worked on: the workspace, its store, who works, and who hears of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from ..config import Endpoint, Workspace
from ..errors import ConfigError
from ..store.run import Run, RunStep
from ..store.store import Store
from .ports import Ctx, Parts, Waiting
from .runbook import Runbook, Step

__all__ = ["Kind", "Said", "Site", "turn_of"]


Kind = Literal["run", "gate", "wait", "begun", "note", "done", "skipped", "failed", "undone"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened while a run is worked on, for people and programs that follow it.

    ``kind``: ``run`` (its state), ``gate`` (one has opened), ``wait`` (``waits`` say for what),
    ``begun``, ``note`` (an act tells something), ``done``, ``skipped``, ``failed``, ``undone``.
    """

    kind: Kind
    text: str
    step: str = ""
    waits: tuple[Waiting, ...] = ()


def _nobody(said: Said) -> None:
    del said


@dataclass(frozen=True, kw_only=True)
class Site:
    """Made by a command, for one runbook's work. ``tell`` hears of all that happens."""

    workspace: Workspace
    store: Store
    parts: Parts
    who: str
    clock: Callable[[], float] = time.time
    tell: Callable[[Said], None] = _nobody

    def endpoint(self, runbook: Runbook) -> Endpoint:
        """Find a runbook's endpoint. Raises ``ConfigError`` where fig.toml has none of the name."""
        found = self.workspace.endpoint.get(runbook.endpoint)
        if found is None:
            raise ConfigError(
                "there is no such endpoint",
                place=f"{runbook.file}: runbook.endpoint",
                value=runbook.endpoint,
                expected="one of " + (", ".join(self.workspace.endpoint) or "none yet"),
            )
        return found

    def ctx(
        self,
        runbook: Runbook,
        step: Step,
        run: Run | None = None,
        *,
        stop: threading.Event | None = None,
        keep: Callable[[Mapping[str, object]], None] | None = None,
    ) -> Ctx:
        """Make what a step's act and gates are given. Raises as ``endpoint`` does."""
        record = None if run is None else run.step(step.name)
        turn = self.clock() if run is None else turn_of(run, step.name)
        given = {} if keep is None else {"keep": keep}
        return Ctx(
            workspace=self.workspace,
            store=self.store,
            parts=self.parts,
            endpoint=self.endpoint(runbook),
            runbook=runbook,
            step=step,
            who=self.who,
            run=run,
            record=record,
            turn=turn,
            deadline=None if step.timeout is None else turn + step.timeout,
            clock=self.clock,
            announce=lambda line: self.tell(Said(kind="note", text=line, step=step.name)),
            stop=stop or threading.Event(),
            **given,
        )


def turn_of(run: Run, step: str) -> float:
    """Say when a step's turn came: the one before it ended, or the run began or went on since."""
    at = run.step(step).position
    before: RunStep | None = run.steps[at - 1] if at else None
    times = (run.at, run.resumed_at, before.ended_at if before is not None else None)
    return max(time for time in times if time is not None)
