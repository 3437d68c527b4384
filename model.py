"""The core values: frozen, and shared by every floor above."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

__all__ = [
    "Comparison",
    "Data",
    "Delivery",
    "Finding",
    "Headers",
    "Intent",
    "Lag",
    "Outgoing",
    "Payload",
    "Record",
    "Reply",
    "Request",
    "Route",
    "Settlement",
    "Side",
    "Stage",
    "Step",
    "Verdict",
    "request_id",
]

Payload = Mapping[str, object]
"""A canonical payload: nested mappings, lists, str, int, bool, Decimal, date and None."""

Headers = tuple[tuple[str, str], ...]
"""Names and values as they came; names that HTTP sends in its first line begin with a colon."""


class Stage(StrEnum):
    """Who serves an endpoint. The order of the members is the order of a migration."""

    LEGACY = "legacy"
    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    RETIRED = "retired"


class Side(StrEnum):
    """One of the two that can answer a request."""

    LEGACY = "legacy"
    REPLACEMENT = "replacement"


class Data(StrEnum):
    """Who owns what an endpoint writes. The order of the members is the order of a migration.

    ``none``: nothing moves, for the endpoint writes nothing or both sides work on one store.
    """

    NONE = "none"
    LEGACY = "legacy"
    LEGACY_FIRST = "legacy-first"
    REPLACEMENT_FIRST = "replacement-first"
    REPLACEMENT = "replacement"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a legacy system really sent: the bytes, untouched. An adapter never decodes meaning.

    ``position`` names the place in the source and is the same at a redelivery; ``captured_at`` is
    in seconds since the epoch.
    """

    source: str
    position: str
    kind: str
    body: bytes
    key: str = ""
    headers: Headers = ()
    encoding: str = "utf-8"
    captured_at: float = 0.0

    def header(self, name: str) -> str | None:
        """Give the first header of that name (any case), or None."""
        wanted = name.lower()
        for key, value in self.headers:
            if key == wanted or key.lower() == wanted:
                return value
        return None


def request_id(source: str, position: str) -> str:
    """Derive a request's id from where its record stood: 32 hex digits, equal at a redelivery."""
    return hashlib.sha256(f"{source}\x1f{position}".encode()).hexdigest()[:32]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical request to an operation. ``deadline`` is absolute, in seconds since the epoch.

    ``shadow``: nobody gets the answer, and nothing may be done. Whoever answers tells what it would
    have done as the reply's ``intents``.
    """

    id: str
    operation: str
    version: int
    source: str
    payload: Payload
    key: str = ""
    tenant: str = ""
    context: Mapping[str, str] = {}
    deadline: float | None = None
    idempotency_key: str = ""
    tags: Mapping[str, str] = {}
    trace: str = ""
    provenance: Mapping[str, str] = {}
    record: Record | None = None
    shadow: bool = False


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An effect that whoever answered would have had, or has had: a write, a mail, a message.

    ``kind`` is the name of an ``[endpoint.NAME.effects.KIND]``, ``payload`` what that one's
    operation takes.
    """

    kind: str
    payload: Payload


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request.

    ``record`` is what a legacy system sent, where one answered; ``reason`` says why a reply was
    refused, abstained or an error, and, with ``fallback_from``, why another side answered.
    ``confidence`` lies in 0..1. ``refused`` and ``abstained`` say that nothing was done.
    """

    request_id: str
    status: Literal["ok", "refused", "abstained", "error"]
    produced_by: str
    payload: Payload | None = None
    confidence: float | None = None
    fallback_from: str | None = None
    reason: str = ""
    usage: Mapping[str, float] = {}
    record: Record | None = None
    intents: tuple[Intent, ...] = ()


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery ended: done, again after ``delay`` seconds, or dead with a reason.

    ``park``: until it comes again, those behind it under its key go on without it. ``blocks``: it
    is dead, and those behind it wait all the same until a person has decided.
    """

    outcome: Literal["done", "retry", "dead"]
    reason: str = ""
    delay: float = 0.0
    park: bool = False
    blocks: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A record in our hands until it is settled, exactly once.

    ``attempt`` counts from 1. A second ``settle`` raises ``FigError``. ``fresh``: the source knows
    that it never handed it to anybody. ``backfill``: it is history, and gives way to what is new.
    """

    record: Record
    settle: Callable[[Settlement], Awaitable[None]]
    attempt: int = 1
    fresh: bool = False
    backfill: bool = False


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in a source: ``pending`` unsettled, the oldest of them ``oldest`` seconds old.

    ``backfill`` of the pending ones are history.
    """

    pending: int = 0
    oldest: float = 0.0
    backfill: int = 0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at in a legacy system: what was found, and what to do.

    ``figures`` are measurements with their unit in the name (``insert_us``).
    """

    check: str
    state: Literal["ok", "warn", "fail", "skip"]
    says: str
    remedy: str = ""
    figures: Mapping[str, float] = {}


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to leave once the transaction that wrote it is durable.

    ``message_id`` is the same each time that it is sent: whoever gets it can tell.
    """

    destination: str
    message_id: str
    body: bytes
    key: str = ""
    headers: Headers = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where an endpoint stands. ``percent`` (0..100) counts in the canary stage only.

    ``data`` says who owns what it writes. ``revision`` is the replacement's; ``salt`` is fixed for
    the life of the migration; ``version`` grows by one with every change. ``pins`` are keys that an
    operator has put on one side. Latches: ``paused`` (no step forward), ``frozen`` (no step at
    all), ``killed`` (the replacement is not asked). ``good_*`` is what an automatic rollback goes
    back to. ``since`` is the version at which it came to this rung with this revision; the store
    sets it, and what was counted before does not count any more.
    """

    endpoint: str
    stage: Stage = Stage.LEGACY
    percent: float = 0.0
    data: Data = Data.NONE
    revision: str = ""
    salt: str = ""
    pins: Mapping[str, Side] = {}
    paused: bool = False
    frozen: bool = False
    killed: bool = False
    version: int = 0
    since: int = 0
    good_stage: Stage = Stage.SHADOW
    good_percent: float = 0.0
    good_revision: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The two sides' answers to one request, held against each other.

    ``unit`` is the digest of the input: the same input twice is one observation. ``differs`` lists
    the paths that differ: ``lines[sku=7].amount``, with ``-`` before a row that only legacy has and
    ``+`` before one that only the replacement has; ``noise`` those that noise explains. ``winner``
    is ``both`` (both right, or agreed), ``legacy`` or ``replacement`` (only that side was right),
    ``neither`` or ``open`` (not adjudicated); ``by`` and ``why`` say who decided that. Of an open
    one, ``request`` is the masked input, and ``sealed`` what only reviewers may read.
    """

    request_id: str
    endpoint: str
    revision: str
    unit: str
    winner: Literal["both", "legacy", "replacement", "neither", "open"]
    by: Literal["agreement", "golden", "rule", "noise", "outcome", "judge", "people", "none"]
    differs: tuple[str, ...] = ()
    legacy: Payload = {}
    replacement: Payload = {}
    golden: Payload | None = None
    why: str = ""
    noise: tuple[str, ...] = ()
    request: Payload | None = None
    sealed: Mapping[str, str] = {}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a guardrail says of the evidence, with its figures and, for hold, what is missing."""

    outcome: Literal["pass", "fail", "hold", "error"]
    guardrail: str
    reason: str
    figures: Mapping[str, float] = {}
    missing: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of a migration: a stage and, for canary, its percent."""

    stage: Stage
    percent: float = 0.0
