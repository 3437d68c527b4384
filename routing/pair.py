"""A request that one side has answered, the other side's answer, and what both come to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from math import isinf

import msgspec

from ..errors import FigError
from ..model import Comparison, Payload, Record, Reply, Request, Route, Side
from ..store.line import Line
from ..store.write import Write
from .asking import ask_replacement, reason_of
from .comparison.compare import compare
from .endpoint import Endpoint
from .guardrails.observations import Observations
from .pairs import reads_only

__all__ = ["Both", "Pair", "answers", "compared", "seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A request that one side has answered. The side that is None is still to be asked.

    ``took`` are the seconds that the side took that has answered; with the ``route`` on which it
    did, both sides' times are compared too. ``written``: both did it, and neither is asked again.
    """

    endpoint: Endpoint
    request: Request
    revision: str
    legacy: Record | None = None
    replacement: Reply | None = None
    route: Route | None = None
    took: float = 0.0
    written: bool = False

    def shadowed(self, seconds: float) -> Request:
        """Give the request as it is put to the side that nobody waits for, with time of its own."""
        deadline = None if isinf(seconds) else time.time() + seconds
        return msgspec.structs.replace(self.request, deadline=deadline, shadow=True)


class Both(msgspec.Struct, frozen=True):
    """What both sides have answered, and the replacement's whole reply."""

    legacy: Payload
    replacement: Payload
    reply: Reply


async def compared(
    pair: Pair, observations: Observations | None = None, noisy: Collection[str] = ()
) -> Write:
    """Ask the side that is missing and compare; give what the journal is to hold.

    A side that fails or abstains leaves a line of kind ``shadow`` that says so, with what the other
    side came to, and no comparison.
    """
    both = await answers(pair, observations or Observations())
    if isinstance(both, Write):
        return both
    return Write(observations=(await seen(pair, both, noisy),))


async def seen(pair: Pair, both: Both, noisy: Collection[str]) -> Comparison:
    """Hold both answers against each other, as the journal may hold it. Never raises."""
    if pair.endpoint.comparing.costly:
        # Callers wait for this event loop, and nobody for the comparison.
        return await asyncio.to_thread(_compared, pair, both, noisy)
    return _compared(pair, both, noisy)


def _compared(pair: Pair, both: Both, noisy: Collection[str]) -> Comparison:
    found = compare(
        pair.endpoint,
        pair.request,
        revision=pair.revision,
        legacy=both.legacy,
        replacement=both.replacement,
        noisy=noisy,
    )
    return pair.endpoint.journalled(found)


async def answers(pair: Pair, observations: Observations) -> Both | Write:
    """Give both answers, or what is written where there are not both. Raises no ``FigError``."""
    # Neither side's failure keeps the other's answer from being told of.
    began = time.monotonic()
    reply, failed = await _replacement(pair, observations)
    asked = time.monotonic()
    old, refused = await _legacy(pair)
    new = None if reply is None else reply.payload
    if reply is None or new is None or old is None:
        return _failed(pair, failed, refused)
    timed = pair.legacy is None or pair.replacement is None
    if pair.route is not None and pair.took and timed:
        answered = time.monotonic()
        times = (
            (asked - began, pair.took)
            if pair.replacement is None
            else (pair.took, answered - asked)
        )
        observations.timed(pair.route, replacement=times[0], legacy=times[1])
    return Both(old, new, reply)


_Failure = tuple[str, str]
"""Why a side gave no answer: in a word, and in full."""


async def _replacement(pair: Pair, observations: Observations) -> tuple[Reply | None, _Failure]:
    endpoint = pair.endpoint
    try:
        reply = pair.replacement
        if reply is None:
            seconds = endpoint.config.shadow.deadline or endpoint.time_limit
            reply = await ask_replacement(endpoint, pair.shadowed(seconds), pair.revision)
            if pair.route is not None:
                observations.used(pair.route, reply.usage, shadow=True)
    except FigError as error:
        return None, (reason_of(error), str(error))
    if reply.status == "abstained" or reply.payload is None:
        return None, ("abstained", reply.reason)
    return reply, ("", "")


async def _legacy(pair: Pair) -> tuple[Payload | None, _Failure]:
    try:
        answer = pair.legacy or await _ask_legacy(pair.endpoint, pair.request)
        return pair.endpoint.mapping.decode_reply(answer), ("", "")
    except FigError as error:
        return None, (type(error).__name__, str(error))


async def _ask_legacy(endpoint: Endpoint, request: Request) -> Record:
    if endpoint.legacy is None or request.record is None:
        raise FigError("there is no legacy to ask", place=f"endpoint.{endpoint.name}")
    if not reads_only(endpoint.operation.effect):
        raise FigError("legacy would do it again", place=f"endpoint.{endpoint.name}")
    seconds = endpoint.config.shadow.deadline or endpoint.timeout
    return await endpoint.legacy(request.record, time.time() + seconds)


def _failed(pair: Pair, replacement: _Failure, legacy: _Failure) -> Write:
    side, (reason, detail) = (
        (Side.REPLACEMENT, replacement) if replacement[0] else (Side.LEGACY, legacy)
    )
    other = (legacy if replacement[0] else replacement)[0] or "ok"
    line = Line(
        kind="shadow",
        endpoint=pair.endpoint.name,
        request_id=pair.request.id,
        revision=pair.revision,
        data={"side": side.value, "reason": reason, "detail": detail, "other": other},
    )
    return Write(lines=(line,))
