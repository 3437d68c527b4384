"""What becomes of a delivery whose ``take`` raised, and how long to wait."""

from __future__ import annotations

import random

import msgspec

from ..errors import FigError, InputError
from ..model import Settlement

__all__ = ["Backoff", "Retries", "describe"]


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Exponential with full jitter: up to ``first`` * 2**n seconds, never over ``longest``.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first: float = 0.5
    longest: float = 300.0

    def delay(self, failures: int) -> float:
        """Draw the wait after that many failures in a row (1 or more), in seconds."""
        most = min(self.longest, self.first * 2.0 ** min(failures - 1, 60))
        return random.uniform(0.0, most)  # noqa: S311 - spreads load, keeps no secret


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often a delivery is tried, attempts of processes that died under it included.

    At least 3: a source tells what kills its process from what died with it after two deaths.
    """

    attempts: int = 16
    backoff: Backoff = Backoff()

    def spent(self, attempt: int) -> Settlement | None:
        """Give the end of a delivery that was begun too often, most likely killing its process."""
        if attempt <= self.attempts:
            return None
        reason = f"gave up after {self.attempts} attempts, of which none came to an end"
        return Settlement(outcome="dead", reason=reason)

    def after(self, error: BaseException, attempt: int) -> Settlement:
        """Give the settlement for a failure: refused input is dead, all else is tried again."""
        if isinstance(error, InputError):
            return Settlement(outcome="dead", reason=describe(error))
        if attempt >= self.attempts:
            reason = f"gave up after {attempt} attempts: {describe(error)}"
            return Settlement(outcome="dead", reason=reason)
        delay = self.backoff.delay(attempt)
        return Settlement(outcome="retry", reason=describe(error), delay=delay)


def describe(error: BaseException) -> str:
    """Name the error's class and say what it says."""
    said = str(error)
    kind = type(error).__name__
    return f"{kind}: {said}" if said or not isinstance(error, FigError) else kind
