"""A side asked twice: whatever differs then is its own noise."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from ...errors import FigError
from ...model import Payload, Record, Reply, Request, request_id
from ...store.noise import Doubled
from ..asking import ask_replacement
from ..bucket import inside
from ..endpoint import Endpoint
from .compare import unit_of
from .path import field_of

__all__ = ["again", "wanted"]

Side = Literal["legacy", "replacement"]


def wanted(endpoint: Endpoint, request: Request) -> tuple[Side, ...]:
    """Name the sides that a shadowed request is put to once more; mostly none.

    By a salt of its own, so that who is asked twice is no part of a canary's keys. Legacy is only
    ever asked again where the operation's effect is ``read``.
    """
    noise = endpoint.config.comparison.noise
    if not noise.replacement and not noise.legacy:
        return ()
    sides: list[Side] = []
    if inside("noise of the replacement", request.id, noise.replacement):
        sides.append("replacement")
    reads = endpoint.operation.effect == "read"
    if reads and inside("noise of legacy", request.id, noise.legacy):
        sides.append("legacy")
    return tuple(sides)


async def again(
    endpoint: Endpoint,
    request: Request,
    revision: str,
    side: Side,
    *,
    legacy: Payload | None,
    replacement: Payload | None,
    used: Callable[[Reply], None] = lambda _: None,
) -> Doubled | None:
    """Ask a side once more, and note in which fields it differs from its first answer.

    ``legacy`` and ``replacement`` are the first answers; that of ``side`` must be there. ``used``
    is told of the replacement's second reply, for what it cost. Gives None where the side does not
    answer again. Raises ``ValueError`` where legacy would be asked to do
    something twice.
    """
    first = legacy if side == "legacy" else replacement
    try:
        second = await _ask(endpoint, request, revision, side, used)
    except FigError:
        return None
    if first is None or second is None:
        return None
    raw = None
    if legacy is not None and replacement is not None:
        raw = _fields(endpoint, legacy, replacement)
    return Doubled(
        endpoint=endpoint.name,
        side=side,
        revision=revision,
        unit=unit_of(request.payload, endpoint.golden),
        noise=_fields(endpoint, first, second),
        raw=raw,
        at=time.time(),
    )


async def _ask(
    endpoint: Endpoint,
    request: Request,
    revision: str,
    side: Side,
    used: Callable[[Reply], None],
) -> Payload | None:
    if side == "replacement":
        # Another id: what knows it by its id would give what it gave before. The caller's deadline
        # is none of this one's.
        other = msgspec.structs.replace(
            request, id=request_id("asked twice", request.id), deadline=None, idempotency_key=""
        )
        reply: Reply = await ask_replacement(endpoint, other, revision)
        used(reply)
        return reply.payload if reply.status == "ok" else None
    if endpoint.operation.effect != "read":
        raise ValueError(f"{endpoint.name}: legacy is asked twice only where it reads")
    if endpoint.legacy is None or request.record is None:
        return None
    answer: Record = await endpoint.legacy(request.record, time.time() + endpoint.timeout)
    return endpoint.mapping.decode_reply(answer)


def _fields(endpoint: Endpoint, one: Payload, other: Payload) -> tuple[str, ...]:
    paths = endpoint.comparing.differences(one, other).paths
    return tuple(dict.fromkeys(field_of(path) for path in paths))
