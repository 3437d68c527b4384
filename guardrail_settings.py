"""``[endpoint.NAME.guardrail]``: each guardrail's bounds, and where figures of one's own are read.

Every guardrail is a table, or ``true`` (with its defaults) or ``false`` (switched off).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import ConfigError
from .options import options

__all__ = [
    "Breaker",
    "Errors",
    "Guardrail",
    "Latency",
    "Metric",
    "MetricSource",
    "Metrics",
    "Mismatch",
    "Ratio",
    "Stay",
    "bounds_of",
    "metrics_of",
    "source_of",
]

_Bounds = TypeVar("_Bounds", bound=msgspec.Struct)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Mismatch(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For a replacement that is to answer as legacy does: how often the sides may differ.

    A share of ``p0`` is good, one of ``p1`` bad; ``alpha`` bounds the chance of failing a good one,
    ``beta`` that of passing a bad one.
    """

    p0: float = 0.005
    p1: float = 0.02
    alpha: float = 0.01
    beta: float = 0.05

    def __post_init__(self) -> None:
        """Hold the shares against each other."""
        _shares(self, "p0", "p1", "alpha", "beta")
        if self.p0 >= self.p1:
            raise ValueError("p0 must be less than p1")


class Errors(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether more goes wrong on the replacement's side of a canary than its share of the keys.

    ``strength`` is how sharply worse rates are looked for: that many errors' worth of belief.
    """

    alpha: float = 0.01
    strength: float = 20.0

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        _shares(self, "alpha")
        _positive(self, "strength")


class Latency(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many times as long as legacy the replacement may take, as a geometric mean."""

    at_most: float = 2.0
    alpha: float = 0.01

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        _shares(self, "alpha")
        _positive(self, "at_most")
        if not 1 / 32 <= self.at_most <= 32:
            raise ValueError("at_most must lie between 1/32 and 32")


class Ratio(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the sides get the keys that the percent says; ``keys`` of a rung are looked at."""

    alpha: float = 0.001
    keys: int = 20_000

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        _shares(self, "alpha")
        _positive(self, "keys")


class Breaker(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many requests that the replacement failed, within so many seconds, are enough."""

    failures: int = 5
    seconds: float = 60.0

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        _positive(self, "failures", "seconds")


class Stay(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The least ``seconds`` on a rung, and the least ``requests`` that the replacement answered."""

    seconds: float = 600.0
    requests: int = 100

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        if not (0 <= self.seconds < float("inf")) or self.requests < 0:
            raise ValueError("seconds and requests must not be negative")


class Metric(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure of one's own that must stay between ``min`` and ``max``.

    ``source`` names a ``[metrics.NAME]``; ``query`` is its SQL or PromQL and gives one number. It
    is asked ``every`` so many seconds, and fails when it is out of range ``times`` in a row.
    """

    name: str
    source: str
    query: str
    min: float | None = None
    max: float | None = None
    every: float = 15.0
    times: int = 2

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        if self.min is None and self.max is None:
            raise ValueError(f"metric {self.name!r} has neither min nor max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"metric {self.name!r}: min is more than max")
        if not self.query.strip():
            raise ValueError(f"metric {self.name!r} has no query")
        _positive(self, "every", "times")


class MetricSource(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[metrics.NAME]``: a database (``sql``) or a ``prometheus`` that figures are read from.

    ``password`` and ``token`` are references to secrets; ``timeout`` is in seconds.
    """

    sql: str = ""
    prometheus: str = ""
    password: str = ""
    token: str = ""
    timeout: float = 5.0

    def __post_init__(self) -> None:
        """Hold the addresses against each other."""
        if bool(self.sql) == bool(self.prometheus):
            raise ValueError("must name either sql or prometheus")
        if self.prometheus and not self.prometheus.startswith(("http://", "https://")):
            raise ValueError("prometheus must be an http:// or https:// address")
        if (self.sql and self.token) or (self.prometheus and self.password):
            raise ValueError("sql takes a password, prometheus takes a token")
        _positive(self, "timeout")


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """``[metrics.NAME]`` with what connecting needs: ``root`` and ``place`` find its secrets."""

    name: str
    source: MetricSource
    root: Path
    place: str


class Guardrail(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The guardrails' bounds.

    Of the paired test: ``alpha`` bounds the chance of a false verdict, ``margin`` is how much worse
    (share of requests) still counts as not worse, ``samples`` is the least number of distinct
    requests for a pass. ``window``: seconds in which a key's or a request's failures count once.
    ``budget`` holds what may be used in a UTC day, by the names of a reply's usage, and ``calls``.
    """

    alpha: float = 0.01
    margin: float = 0.05
    samples: int = 50
    paired: bool = True
    mismatch: Mismatch | bool = False
    errors: Errors | bool = True
    latency: Latency | bool = False
    ratio: Ratio | bool = True
    breaker: Breaker | bool = True
    stay: Stay | bool = True
    budget: Mapping[str, float] = {}
    metrics: tuple[Metric, ...] = ()
    window: float = 3600.0

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        _shares(self, "alpha", "margin")
        _positive(self, "window")
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError("two metrics have one name")
        for name, most in self.budget.items():
            if not (isfinite(most) and most >= 0):
                raise ValueError(f"budget.{name} must not be negative")


def bounds_of(given: _Bounds | bool, kind: type[_Bounds]) -> _Bounds | None:
    """Give a guardrail's bounds; None where it is switched off."""
    if isinstance(given, bool):
        return kind() if given else None
    return given


def metrics_of(name: str, table: Mapping[str, object], file: Path) -> Metrics:
    """Read a ``[metrics.NAME]``. Raises ``ConfigError``."""
    place = f"{file.name}: metrics.{name}"
    source = options(MetricSource, table, place)
    return Metrics(name=name, source=source, root=file.resolve().parent, place=place)


def source_of(name: str, metrics: Mapping[str, Metrics], place: str) -> Metrics:
    """Find a metric's source. Raises ``ConfigError`` with the names there are."""
    if name not in metrics:
        raise ConfigError(
            f"there is no [metrics.{name}]",
            place=f"{place}.guardrail.metrics",
            value=repr(name),
            expected=f"one of {', '.join(metrics) or 'none yet'}",
            remedy=f"add [metrics.{name}], or mend the name",
        )
    return metrics[name]


def _shares(table: msgspec.Struct, *names: str) -> None:
    for name in names:
        if not 0 < getattr(table, name) < 1:
            raise ValueError(f"{name} must be above 0 and below 1")


def _positive(table: msgspec.Struct, *names: str) -> None:
    for name in names:
        value = getattr(table, name)
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be above 0")
