"""Tables of ``fig.toml``: what is served and heard, how the bridge runs, what guards handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = [
    "Breaker",
    "BridgeSettings",
    "EndpointLimits",
    "Facade",
    "Guards",
    "Listen",
    "Outcome",
    "Rate",
    "Retention",
    "Retry",
    "SourceSettings",
]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Facade(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[facade.NAME]``: where we serve. ``systems`` empty means all that the facade can serve.

    ``public`` is the address that callers use, where a load balancer stands before us;
    ``max_body`` is in bytes, ``timeout`` (for legacy's answer) in seconds.
    """

    listen: str
    systems: tuple[str, ...] = ()
    public: str = ""
    max_body: int = 10_000_000
    timeout: float = 30.0


class Listen(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an endpoint's requests come from: a facade's operation, or a source (an event)."""

    facade: str = ""
    system: str = ""
    operation: str = ""
    source: str = ""


class Retry(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[replacement.NAME.retry]``: try again at once, in the process, before anybody hears of it.

    Exponential with full jitter: up to ``first`` * 2**n seconds, never over ``longest``. Never
    beyond the request's deadline.
    """

    attempts: int = 1
    first: float = 0.05
    longest: float = 1.0


class Breaker(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[replacement.NAME.breaker]``: after ``failures`` in a row nobody asks for ``open`` seconds.

    Then one request tries, and closes it or opens it again.
    """

    failures: int = 0
    open: float = 30.0


class Rate(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[replacement.NAME.rate]``: at most ``calls`` in ``per`` seconds; the others wait.

    A wait that would outlast the request's deadline is refused at once.
    """

    calls: int = 0
    per: float = 1.0


class Guards(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands around a replacement, outermost first: rate, breaker, retry, time limit.

    Zeros mean that a guard is not there. ``at_once``: how many requests at most it works on.
    """

    rate: Rate = Rate()
    breaker: Breaker = Breaker()
    retry: Retry = Retry()
    at_once: int = 0


class Outcome(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.outcome]``: what legacy itself decides later, in another column or table.

    ``source`` is a ``[legacy.NAME]``; its records are joined with the endpoint's requests where
    their ``key`` (a place in the outcome's record; none: the record's own key) is the request's
    ``match`` (an input field; none: the request's record's own key). ``mapping`` is a mapping file
    whose ``reply`` rows read the outcome's record (none: the endpoint's own). ``when`` names, by a
    place of the record, the texts with which it is a decision (``"*"``: any but null). ``within``
    is in seconds: an outcome that comes later is late, one that does not come is missing.
    """

    source: str
    mapping: str = ""
    key: str = ""
    match: str = ""
    when: Mapping[str, str | tuple[str, ...]] = {}
    within: float = 86_400.0


class SourceSettings(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[bridge.source.NAME]``: one source's bounds, and what becomes of what fails.

    ``in_flight`` deliveries at most are in hand and ``at_once`` of them are worked on. A failure
    that may pass is tried ``attempts`` times in all, waiting ``first`` to ``longest`` seconds with
    full jitter; meanwhile ``later = "block"`` holds back what is behind it under its key, and
    ``"park"`` lets that go on without it. What is tried too often is a dead letter; under
    ``spent = "block"`` its key then stands still until the letter is replayed or dropped.
    ``share`` is the source's part of the bridge where sources compete, beside the others'.
    """

    in_flight: int = 2_048
    at_once: int = 256
    attempts: int = 16
    first: float = 0.5
    longest: float = 300.0
    later: Literal["block", "park"] = "block"
    spent: Literal["pass", "block"] = "pass"
    share: int = 1


class EndpointLimits(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[bridge.endpoint.NAME]``: how many of its events at most are worked on at once."""

    at_once: int = 256


class BridgeSettings(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[bridge]``: the daemon.

    ``at_once``: deliveries worked on in the whole process. ``drain``: seconds to finish what is in
    hand when it is told to stop. ``health``: ``host:port`` of the probes, none where empty.
    ``lease``: seconds after which another bridge takes over from one that went silent. ``stuck``:
    seconds without progress, with work in hand, after which ``/live`` says no.
    """

    at_once: int = 512
    drain: float = 15.0
    health: str = ""
    lease: float = 5.0
    stuck: float = 120.0
    source: Mapping[str, SourceSettings] = {}
    endpoint: Mapping[str, EndpointLimits] = {}


class Retention(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[retention]``: days after which rows of the store go; 0 keeps them for ever.

    ``compact``: the lines' data goes, their place in the chain stays. ``journal``: the lines go.
    An inbox must be kept longer than anything can be delivered again. ``dead_letters``: those that
    were replayed or dropped; ``kept_letters``: those that nobody has decided on. ``dual_writes``:
    those that are at an end; until they go, what comes again under their key is not done again.
    """

    compact: float = 0.0
    journal: float = 0.0
    inbox: float = 30.0
    outbox: float = 7.0
    dead_letters: float = 0.0
    kept_letters: float = 0.0
    outcomes: float = 90.0
    measures: float = 90.0
    dual_writes: float = 30.0
