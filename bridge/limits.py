"""The bounds of one source."""

from __future__ import annotations

import msgspec

from .retry import Backoff, Retries

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one source.

    ``in_flight`` deliveries at most are in hand, ``at_once`` of them at most are being taken; the
    others wait to be, or for their outcome to be durable. ``wait`` is one receive's patience,
    ``drain`` the time to finish what is in hand at the end, ``healthy`` how long a source must flow
    before its failures are forgotten, all in seconds.
    """

    in_flight: int = 512
    at_once: int = 256
    wait: float = 0.5
    drain: float = 15.0
    healthy: float = 30.0
    retries: Retries = Retries()
    reopen: Backoff = Backoff(first=0.5, longest=30.0)
