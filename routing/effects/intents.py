"""What a reply says that it would do: journalled, and kept until legacy has done it or has not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, cast

import msgspec

from ...errors import InputError
from ...model import Intent, Payload, Reply, Request
from ...store.awaited import Awaiting, keep_request
from ...store.effects import Effect
from ...telemetry import Counters
from ..comparison.compare import unit_of
from ..endpoint import Endpoint
from ..payloads import dumps, loads
from .kind import Kind

__all__ = ["Told", "Waiting", "told"]

_MOST: Final = 100
"""Intents of one reply that are taken; what is more is counted and told of."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What one request would do of one kind, perhaps nothing. None: an intent that fits nothing."""

    revision: str
    unit: str
    intents: tuple[Payload | None, ...] = ()

    def text(self) -> str:
        """Write it. Raises ``StoreError`` for a value that no payload holds."""
        return dumps({"revision": self.revision, "unit": self.unit, "intents": self.intents})

    @classmethod
    def read(cls, text: str) -> Waiting:
        """Read what ``text`` wrote. Raises ``StoreError``."""
        fields = cast("dict[str, object]", loads(text))
        intents = cast("list[Payload | None]", fields["intents"])
        return cls(
            revision=str(fields["revision"]), unit=str(fields["unit"]), intents=tuple(intents)
        )


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """``shown`` is for a journal line, masked; ``effects`` are the rows that wait for legacy's."""

    shown: tuple[Mapping[str, object], ...] = ()
    effects: tuple[Effect, ...] = ()


def told(
    endpoint: Endpoint,
    request: Request,
    reply: Reply,
    revision: str,
    counters: Counters,
    *,
    awaits: bool = True,
) -> Told:
    """Take a reply's intents. Executes nothing: there is nothing here that could.

    ``awaits``: legacy answered the request, so that its own effects are to be held against these,
    also where there are none. A reply that abstained says nothing of its effects.
    """
    if not endpoint.kinds and not reply.intents:
        return Told()
    known: dict[str, list[Payload | None]] = {name: [] for name in endpoint.kinds}
    shown = [_shown(endpoint, one, known, counters) for one in reply.intents[:_MOST]]
    if len(reply.intents) > _MOST:
        more = len(reply.intents) - _MOST
        shown.append({"error": f"{more} more: a reply has {_MOST} intents at most"})
    rows: Sequence[Effect] = ()
    if awaits and reply.status == "ok":
        kinds = [kind for kind in endpoint.kinds.values() if kind.seen]
        rows = [
            row
            for kind in kinds
            if (row := _kept(endpoint, kind, request, revision, known[kind.name], counters))
        ]
    return Told(shown=tuple(shown), effects=tuple(rows))


def _shown(
    endpoint: Endpoint,
    intent: Intent,
    known: Mapping[str, list[Payload | None]],
    counters: Counters,
) -> Mapping[str, object]:
    kind = endpoint.kinds.get(intent.kind)
    if kind is None:
        counters.add("effects", endpoint.name, "", "undeclared")
        return {"kind": intent.kind, "error": f"no [endpoint.{endpoint.name}.effects] names it"}
    try:
        kind.operation.check_input(intent.payload)
    except InputError as error:
        counters.add("effects", endpoint.name, kind.name, "unfit")
        known[kind.name].append(None)
        return {"kind": kind.name, "error": str(error)}
    counters.add("effects", endpoint.name, kind.name, "intent")
    known[kind.name].append(intent.payload)
    return {"kind": kind.name, "payload": kind.masked(intent.payload)}


def _kept(
    endpoint: Endpoint,
    kind: Kind,
    request: Request,
    revision: str,
    intents: Sequence[Payload | None],
    counters: Counters,
) -> Effect | None:
    key = kind.key_of(request)
    if not key:
        counters.add("effects", endpoint.name, kind.name, "unkeyed")
        return None
    at = (request.record.captured_at if request.record is not None else 0.0) or time.time()
    unit = f"{kind.name}\x1f{unit_of(request.payload, endpoint.golden)}"
    waiting = Waiting(
        revision=revision,
        unit=sha256(unit.encode()).hexdigest()[:32],
        intents=tuple(intents),
    )
    return keep_request(
        Awaiting(
            endpoint=kind.account,
            key=key,
            request_id=request.id,
            at=at,
            until=at + kind.rules.within,
            pair=waiting.text(),
        )
    )
