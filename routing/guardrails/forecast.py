"""What is missing for the next step, and about when it will be there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...model import Verdict

__all__ = ["Forecast", "Missing", "forecast"]


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What one guardrail waits for; ``seconds`` until it is there, None where nobody can say."""

    guardrail: str
    missing: str
    seconds: float | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """All that is missing. ``seconds`` until all of it is there; 0 where nothing is missing.

    None where nobody can say: nothing comes in, or more of the same would not help.
    """

    missing: tuple[Missing, ...] = ()
    seconds: float | None = 0.0


def forecast(verdicts: Sequence[Verdict], *, pairs: float, requests: float) -> Forecast:
    """Say when what is missing will be there, at so many pairs and requests a second.

    It is as good as the rates are steady, and the next pairs are like those so far.
    """
    found = tuple(
        Missing(
            guardrail=verdict.guardrail,
            missing=verdict.missing or verdict.reason,
            seconds=_seconds(verdict, pairs, requests),
        )
        for verdict in verdicts
        if verdict.outcome != "pass"
    )
    waits = [one.seconds for one in found]
    known = [seconds for seconds in waits if seconds is not None]
    return Forecast(
        missing=found, seconds=max(known, default=0.0) if len(known) == len(waits) else None
    )


def _seconds(verdict: Verdict, pairs: float, requests: float) -> float | None:
    if verdict.outcome != "hold":
        return None
    waits: list[float] = []
    for name, rate in (("more_pairs", pairs), ("more_requests", requests), ("more_seconds", 1.0)):
        more = verdict.figures.get(name, 0.0)
        if more > 0:
            if rate <= 0:
                return None
            waits.append(more / rate)
    return max(waits) if waits else None
