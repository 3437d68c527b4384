"""The doors of a runbook: what acts and gates are given, what they give, and who wires them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from ..config import Endpoint, Workspace
from ..model import Route
from ..ports import Installable
from ..routing.operator import Operator
from ..store.run import Approval, Run, RunStep
from ..store.store import Store

if TYPE_CHECKING:
    from .runbook import Runbook, Step

__all__ = ["Act", "Adopted", "Ctx", "Done", "Gate", "Met", "Parts", "Waiting"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Not now. Everything is for people, and without markup.

    ``reason`` says what it waits for, ``missing`` what is missing until then, ``command`` what
    somebody could run that would help. It is looked at again after ``again_after`` seconds.
    """

    reason: str
    missing: str = ""
    command: str = ""
    again_after: float = 2.0


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """A gate is open. ``found`` says in a line what was seen; ``evidence`` is kept with the run."""

    found: str
    evidence: Mapping[str, object] = {}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An act, or its undoing, is done.

    ``result`` (what JSON can hold; no secrets) is kept: what it found, what it changed, and what it
    needs to know to be undone. ``told`` says it in a line.
    """

    result: Mapping[str, object] = {}
    told: str = ""


class Adopted(Protocol):
    """How far a version of a route has come among the processes (``running.fleet.Adoption``)."""

    @property
    def done(self) -> bool:
        """Say whether every process whose lease lives has it."""

    @property
    def text(self) -> str:
        """Say it in a few words."""


class Parts(Protocol):
    """What floors above wire for us. Given to the engine by the app."""

    def operator(self, endpoint: str, who: str) -> Operator:
        """Give who changes an endpoint's route. Raises ``ConfigError``."""

    def adapter(self, system: str) -> object:
        """Build a legacy system's adapter, of whatever kind. Raises ``ConfigError``."""

    def installable(self, system: str) -> Installable:
        """Build an adapter that installs something. Raises ``ConfigError``."""

    def learn(self, endpoint: str, file: Path, columns: tuple[str, str] | None) -> str:
        """Train a replacement from examples; give the endpoint's new revision.

        Raises ``InputError``, ``ConfigError``, ``MissingExtra``.
        """

    def revision(self, endpoint: str) -> str:
        """Give the newest revision of a replacement. Raises ``RouteError`` where there is none."""

    def adopted(self, endpoint: str, version: int) -> Adopted:
        """Say which processes have adopted a version of a route. Raises ``StoreUnavailable``."""


def _unsaid(line: str) -> None:
    del line


def _nothing(result: Mapping[str, object]) -> None:
    del result


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """What an act or a gate may know and use. One is made for each look at each step.

    ``run`` and ``record`` (where this step stands) are None while a runbook is only planned.
    ``turn`` is when the step's turn came (the one before ended, or the run was resumed), in seconds
    since the epoch, and ``deadline`` when its timeout ends (None: never). ``stop`` is set where the
    work is to end soon: Ctrl-C, a pause, the deadline, a lost lease. What takes long looks at it
    and gives ``Waiting``; it is called again. ``keep`` writes what was done so far into the step's
    result, so that a later call goes on from there. ``announce`` tells people a line.
    """

    workspace: Workspace
    store: Store
    parts: Parts
    endpoint: Endpoint
    runbook: Runbook
    step: Step
    who: str
    run: Run | None = None
    record: RunStep | None = None
    turn: float = 0.0
    deadline: float | None = None
    clock: Callable[[], float] = time.time
    announce: Callable[[str], None] = _unsaid
    stop: threading.Event = field(default_factory=threading.Event)
    keep: Callable[[Mapping[str, object]], None] = _nothing

    def operator(self) -> Operator:
        """Give who changes this runbook's route. Raises ``ConfigError``."""
        return self.parts.operator(self.endpoint.name, self.who)

    def route(self) -> Route:
        """Read the route as it stands. Raises ``StoreUnavailable``."""
        return self.store.routes.get(self.endpoint.name) or Route(endpoint=self.endpoint.name)

    def approvals(self, step: str = "") -> tuple[Approval, ...]:
        """Give the approvals of a step (none named: this one). One person is in it once."""
        wanted = step or self.step.name
        return tuple(one for one in self.run.approvals if one.step == wanted) if self.run else ()

    @property
    def result(self) -> Mapping[str, object]:
        """Give what the step has kept so far."""
        return self.record.result if self.record is not None else {}


class Act(Protocol):
    """What a step does: a frozen struct of its options (``with`` in the file), with these methods.

    Blocks: it is called from one thread. ``routed``: it changes the endpoint's route once, through
    ``ctx.operator()``, and nothing else; the step's record is then written in that very
    transaction, with ``{"before": ROUTE, "after": ROUTE}`` as its result (neither where the route
    stood there already), and it is never seen half done. All others are noted as begun first, and
    called again after a crash.
    """

    routed: ClassVar[bool]

    def final(self, ctx: Ctx) -> str:
        """Say why it cannot be taken back; empty where it can. Changes nothing."""

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say in lines what it would change now; none where it stands already. Changes nothing.

        May be called long before its turn. Raises ``FigError`` where it could never be done.
        """

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Do it, or go on with it. What was done before, also half of it, is seen and not repeated.

        ``Waiting``: it is called again. ``*Unavailable`` counts as that. Any other ``FigError``
        fails the step, and the run stops there until somebody goes on with it.
        """

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Take back what it did, also where it was only begun; harmless where nothing is there."""


class Gate(Protocol):
    """What a step waits for before it is done: a frozen struct of its options, with these methods.

    ``costly``: looking runs programs or takes long, so that only ``apply`` looks.
    """

    costly: ClassVar[bool]

    def asks(self) -> str:
        """Say in a line what it asks for."""

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look, and change nothing. Called every few seconds; ``*Unavailable`` counts as waiting.

        Any other ``FigError`` fails the step.
        """
