"""What becomes of a delivery whose ``take`` raised, and how long to wait: one table says it."""

from __future__ import annotations

import random
from typing import Final, Literal

import msgspec

from ..errors import (
    CircuitOpen,
    Conflict,
    DeadlineExceeded,
    FigError,
    InputError,
    ReplacementUnavailable,
    StoreUnavailable,
)
from ..model import Settlement
from ..settings import SourceSettings

__all__ = ["RULES", "Backoff", "Retries", "Rule", "Then", "describe", "rule_of"]

Then = Literal["dead", "hold", "doubt", "later"]
"""``dead``: it is kept as a dead letter. ``hold``: nothing is wrong with it, so it stays in hand,
its source stands still, and it is tried again without being counted. ``doubt``: the same, until it
fails alone while others come through. ``later``: it is counted and comes again, until its attempts
are spent; where all others fail as well, it is an outage, and treated as ``doubt``."""


class Rule(msgspec.Struct, frozen=True):
    """What is done about an error: ``now``, by the guards, whether it is tried again at once."""

    error: type[BaseException]
    now: bool
    then: Then
    says: str
    prefix: str = ""


RULES: Final[tuple[Rule, ...]] = (
    Rule(Conflict, False, "dead", "its id came before with another body", "quarantined: "),
    Rule(InputError, False, "dead", "it can never be taken as it is"),
    Rule(StoreUnavailable, False, "hold", "nothing can be written"),
    Rule(CircuitOpen, False, "hold", "nobody asks the replacement for a while"),
    Rule(ReplacementUnavailable, True, "doubt", "there is no replacement to ask"),
    Rule(DeadlineExceeded, True, "later", "the replacement gave no answer in its time"),
    Rule(BaseException, False, "later", "it may pass"),
)
"""Read from the top: the first that fits holds."""


def rule_of(error: BaseException) -> Rule:
    """Give the rule for an error."""
    return next(rule for rule in RULES if isinstance(error, rule.error))


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
    ``park``: while one waits to be tried again, those behind it under its key go on without it.
    ``blocks``: those behind one that is dead wait until a person has decided.
    """

    attempts: int = 16
    backoff: Backoff = Backoff()
    park: bool = False
    blocks: bool = False

    @classmethod
    def of(cls, settings: SourceSettings) -> Retries:
        """Give the retries of a source as ``fig.toml`` has them."""
        return cls(
            attempts=settings.attempts,
            backoff=Backoff(first=settings.first, longest=settings.longest),
            park=settings.later == "park",
            blocks=settings.spent == "block",
        )

    def spent(self) -> Settlement:
        """Give the end of a delivery that was begun too often, most likely killing its process."""
        return self.dead(f"gave up after {self.attempts} attempts, of which none came to an end")

    def after(self, error: BaseException, attempt: int) -> Settlement:
        """Give the settlement for a failure that counts."""
        rule = rule_of(error)
        if rule.then == "dead":
            return self.dead(f"{rule.prefix}{describe(error)}")
        if attempt >= self.attempts:
            return self.dead(f"gave up after {attempt} attempts: {describe(error)}")
        return self.again(error, attempt)

    def again(self, error: BaseException, attempt: int) -> Settlement:
        """Give the settlement of one that is to come again, whatever its attempts."""
        delay = self.backoff.delay(attempt)
        return Settlement(outcome="retry", reason=describe(error), delay=delay, park=self.park)

    def dead(self, reason: str) -> Settlement:
        """Give the settlement of one that is given up."""
        return Settlement(outcome="dead", reason=reason, blocks=self.blocks)


def describe(error: BaseException) -> str:
    """Name the error's class and say what it says."""
    said = str(error)
    kind = type(error).__name__
    return f"{kind}: {said}" if said or not isinstance(error, FigError) else kind
