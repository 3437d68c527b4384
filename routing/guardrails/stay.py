"""The least stay on a rung: time and requests, whatever the statistics say."""

from __future__ import annotations

from math import ceil

from ...guardrail_settings import Stay
from ...model import Verdict

__all__ = ["NAME", "judge"]

NAME = "stay"


def judge(seconds: float, requests: int, bounds: Stay) -> Verdict:
    """Judge a stay of ``seconds`` with ``requests`` that the replacement answered. Never fails."""
    figures = {
        "seconds": seconds,
        "requests": float(requests),
        "least_seconds": bounds.seconds,
        "least_requests": float(bounds.requests),
    }
    said = f"{requests} requests in {seconds:.0f} s on this rung"
    # A stay without a measurement proves nothing, however long it was.
    fewer = bounds.requests - requests
    sooner = ceil(bounds.seconds - seconds)
    missing = [f"{fewer} more requests on this rung"] if fewer > 0 else []
    if sooner > 0:
        missing.append(f"{sooner} s more on this rung")
    if not missing:
        return Verdict(outcome="pass", guardrail=NAME, reason=said, figures=figures)
    more = {"more_requests": float(max(fewer, 0)), "more_seconds": float(max(sooner, 0))}
    return Verdict(
        outcome="hold",
        guardrail=NAME,
        reason=f"too short a stay: {said}",
        figures=figures | {name: value for name, value in more.items() if value},
        missing=" and ".join(missing),
    )
