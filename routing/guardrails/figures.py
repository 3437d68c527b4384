"""What is known of a route's rung when it is judged: counts and figures, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ...store.evidence import Counts
from .errors import Went
from .metric import Reading
from .rung import Rung

__all__ = ["Figures"]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Read from the store by ``evidence.Gathering``, judged by ``combine.judge_all``.

    ``went``: of the climb that goes on, a rung each. ``failures``: of the replacement, within the
    breaker's seconds. ``keys``: of the rung, by the replacement and by legacy. ``answered``:
    requests of this rung that the replacement answered. ``steps``: timed pairs of the rung, by
    ``latency.step_of``. ``spent``: of the endpoint today, by name. ``seconds``: since it came to
    the rung.
    """

    rung: Rung
    killed: bool = False
    counts: Counts = Counts()
    went: Sequence[Went] = ()
    failures: int = 0
    keys: tuple[int, int] = (0, 0)
    answered: int = 0
    steps: Mapping[int, int] = {}
    spent: Mapping[str, float] = {}
    seconds: float = 0.0
    readings: Mapping[str, Sequence[Reading]] = {}
