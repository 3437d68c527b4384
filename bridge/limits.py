"""The bounds of one source."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..errors import ConfigError
from ..settings import BridgeSettings, SourceSettings
from .retry import Backoff, Retries

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one source.

    ``in_flight`` deliveries at most are in hand, ``at_once`` of them at most are being taken; the
    others wait to be, or for their outcome to be durable; over 512 only as many as are worked off
    in a quarter of a second. ``share`` is its part of the process
    where sources compete. ``wait`` is one receive's patience, ``drain`` the time to finish what is
    in hand at the end, ``healthy`` how long a source must flow before its failures are forgotten,
    all in seconds. ``reopen``: how long a broken source is left alone; ``stand_still``: how long
    nothing is begun after what all deliveries need was gone.
    """

    in_flight: int = 2_048
    at_once: int = 256
    share: int = 1
    wait: float = 0.5
    drain: float = 15.0
    healthy: float = 30.0
    retries: Retries = Retries()
    reopen: Backoff = Backoff(first=0.5, longest=30.0)
    stand_still: Backoff = Backoff(first=0.5, longest=10.0)

    @classmethod
    def of(cls, settings: BridgeSettings, source: str, place: str = "fig.toml: bridge") -> Limits:
        """Give the limits of a source as ``fig.toml`` has them. Raises ``ConfigError``."""
        one = settings.source.get(source, SourceSettings())
        _check(place, settings, {"at_once": 1, "drain": 0, "lease": 0.1, "stuck": 0.1})
        for name, endpoint in settings.endpoint.items():
            _check(f"{place}.endpoint.{name}", endpoint, {"at_once": 1})
        least = {"in_flight": 1, "at_once": 1, "share": 1, "attempts": 3}
        _check(f"{place}.source.{source}", one, least)
        return cls(
            in_flight=one.in_flight,
            at_once=one.at_once,
            share=one.share,
            drain=settings.drain,
            retries=Retries.of(one),
        )


def _check(place: str, settings: object, least: Mapping[str, float]) -> None:
    for field, smallest in least.items():
        value = getattr(settings, field)
        if value < smallest:
            raise ConfigError(
                "too small",
                place=f"{place}.{field}",
                value=str(value),
                expected=f"{smallest} or more",
            )
