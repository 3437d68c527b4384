"""What becomes of a write once its second side was asked, by who serves or who copies."""

from __future__ import annotations

import random
import time
from typing import Final

from ...errors import FigError
from ...model import Record, Reply, Request, Route, Side
from ...store.dual_write import DualWrite
from ...store.dual_writes import DualWrites
from ..endpoint import Endpoint
from ..pairs import plan_of
from ..shadow import Pair
from .side import Asked

__all__ = [
    "MARGIN",
    "backoff",
    "fresh_deadline",
    "limit_of",
    "may_send_again",
    "pair_of",
    "second_asked",
]

MARGIN: Final = 5.0
"""Seconds that whoever asks a side has beyond its time limit, to say what came of it."""


def limit_of(endpoint: Endpoint, side: Side) -> float:
    """Give the seconds that a side may take."""
    return endpoint.timeout if side is Side.LEGACY else endpoint.time_limit


def second_asked(
    rows: DualWrites,
    endpoint: Endpoint,
    write: DualWrite,
    owner: str,
    asked: Asked,
) -> None:
    """Note what came of asking ``write.second``. Blocks; raises ``StoreUnavailable``.

    What it is known not to have is tried again later. What is in doubt is tried again only where
    the operation is idempotent: it carries the same key. Else it is looked up, or a person says.
    """
    side = write.second
    if side is None:
        return
    delay = backoff(endpoint, write.attempts)
    if asked.what == "happened":
        rows.copied(write, owner)
    elif asked.what == "doubt" and not may_send_again(endpoint, side):
        rows.doubt(write, owner, side, asked.why)
    else:
        waits = endpoint.config.dual.longest if asked.what == "refused" else delay
        rows.put_back(write, owner, side, waits, f"{asked.what}: {asked.why}")


def may_send_again(endpoint: Endpoint, side: Side) -> bool:
    """Say whether a write in doubt is simply sent again: where that does nothing twice.

    A side that can be asked whether it has it is asked instead.
    """
    return endpoint.operation.effect == "idempotent" and side not in endpoint.lookups


def backoff(endpoint: Endpoint, attempts: int) -> float:
    """Give the seconds until the next try: exponential, with half of it at random."""
    dual = endpoint.config.dual
    most = min(dual.longest, dual.first * 2.0 ** min(attempts, 40))
    return most * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def pair_of(
    endpoint: Endpoint,
    route: Route,
    request: Request | None,
    answer: Record | None,
    write: DualWrite,
    asked: Asked,
) -> Pair | None:
    """Give both sides' answers to one write as evidence, where the route compares.

    ``answer`` is the first side's, ``asked`` what came of the second.
    """
    both = asked.what == "happened" and answer is not None and request is not None
    if not both or request is None or not plan_of(route).compare:
        return None
    legacy, reply = (answer, asked.reply) if write.first is Side.LEGACY else (asked.answer, None)
    if write.first is Side.REPLACEMENT and answer is not None:
        try:
            payload = endpoint.mapping.decode_reply(answer)
        except FigError:
            return None
        reply = Reply(request_id=request.id, status="ok", produced_by="", payload=payload)
    if legacy is None or reply is None:
        return None
    return Pair(
        endpoint=endpoint,
        request=request,
        revision=route.revision,
        legacy=legacy,
        replacement=reply,
        route=route,
        written=True,
    )


def fresh_deadline(endpoint: Endpoint, side: Side) -> float:
    """Give the time by which a side is to have written what nobody waits for any more."""
    return time.time() + limit_of(endpoint, side)
