"""What a runbook's document is written from. ``fig runbook render`` gathers it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...model import Step
from ...routing.guardrails.course import Point
from ...routing.guardrails.differences import Difference
from ...routing.guardrails.evidence import Evidence
from ...routing.guardrails.forecast import Forecast
from ...routing.safety import Safety
from ...store.routes import Change
from ..state import RunState

__all__ = ["Board", "Proof", "Told"]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence on the revision that stands, as it is when the document is made.

    ``course`` are the e-values over the pairs, ``alpha`` says where they decide; ``times`` bounds
    how many times as long as legacy the replacement takes. ``differences`` are of the newest
    ``looked_at`` comparisons. ``next`` is the rung that ``forecast`` is about.
    """

    evidence: Evidence
    course: Sequence[Point]
    alpha: float
    differences: Sequence[Difference]
    looked_at: int
    forecast: Forecast
    next: Step | None = None
    times: tuple[float, float] | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal about the run. ``at`` is in seconds since the epoch."""

    at: float
    action: str
    who: str
    why: str = ""
    step: str = ""
    state: str = ""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. ``kind`` says what the endpoint is; ``effect`` is its operation's.

    ``proof`` is None where nothing has been compared. ``changes`` are the route's, ``told`` the
    run's. ``stale``: the runbook's file is not the text that the run has kept. ``safety`` says
    whether legacy could answer everybody now, and until when; None where nobody has asked.
    """

    workspace: str
    state: RunState
    kind: str
    operation: str
    effect: str
    legacy: str
    replacement: str
    proof: Proof | None = None
    changes: Sequence[Change] = ()
    told: Sequence[Told] = ()
    stale: bool = False
    safety: Safety | None = None
