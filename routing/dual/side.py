"""Asking one side to write, and knowing afterwards what can be known of it."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from ...acl.envelope import charset_of, read
from ...errors import (
    Declined,
    FigError,
    InputError,
    LegacyUnavailable,
    NotAsked,
)
from ...model import Record, Reply, Request, Side
from ...telemetry import log
from ..asking import ask_replacement
from ..encoding import encoded
from ..endpoint import Endpoint
from ..exchange import status_of

__all__ = ["Asked", "ask_side"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, and after how many seconds.

    ``happened``, ``refused`` (the side says that it did not do it) and ``unsent`` (it was not
    reached) are known; anything else is ``doubt``. ``answer`` is what a caller is to be told.
    """

    what: Literal["happened", "refused", "unsent", "doubt"]
    answer: Record | None = None
    reply: Reply | None = None
    why: str = ""
    took: float = 0.0


async def ask_side(
    endpoint: Endpoint,
    side: Side,
    record: Record,
    request: Request | None,
    *,
    revision: str,
    deadline: float,
) -> Asked:
    """Have a side write what a record says, by a deadline (seconds since the epoch).

    ``request`` is None where the record fits no request: legacy may take it, the replacement
    cannot. Raises nothing but a cancellation.
    """
    began = time.monotonic()
    if side is Side.LEGACY:
        asked = await _legacy(endpoint, record, deadline)
    elif request is None:
        asked = Asked(what="refused", why="the record fits no request")
    else:
        timed = msgspec.structs.replace(request, deadline=deadline)
        asked = await _replacement(endpoint, record, timed, revision)
    return msgspec.structs.replace(asked, took=time.monotonic() - began)


async def _legacy(endpoint: Endpoint, record: Record, deadline: float) -> Asked:
    if endpoint.legacy is None:
        return Asked(what="refused", why="there is no legacy")
    try:
        answer = await endpoint.legacy(record, deadline)
    except LegacyUnavailable as error:
        return Asked(what="unsent", why=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, it may have been sent
        return Asked(what="doubt", why=_words(error))
    if status_of(answer) == "ok":
        return Asked(what="happened", answer=answer)
    if _is_refusal(answer):
        return Asked(what="refused", answer=answer, why="legacy answered with a fault")
    why = f"legacy answered with HTTP status {answer.header(':status')}, and no fault of its own"
    return Asked(what="doubt", answer=answer, why=why)


def _is_refusal(answer: Record) -> bool:
    """Say whether legacy itself speaks: a gateway before it does not know what it did."""
    if (answer.header(":status") or "").startswith("4"):
        return True
    try:
        return read(answer.body, charset_of(answer.header("content-type") or "")).is_fault
    except InputError:
        return False


async def _replacement(
    endpoint: Endpoint, record: Record, request: Request, revision: str
) -> Asked:
    try:
        reply = await ask_replacement(endpoint, request, revision)
    except Declined as error:
        return Asked(what="refused", why=str(error))
    except NotAsked as error:
        fits = not isinstance(error.__cause__, InputError)
        return Asked(what="unsent" if fits else "refused", why=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, it may have been done
        return Asked(what="doubt", why=_words(error))
    if reply.status == "abstained":
        return Asked(what="refused", reply=reply, why=reply.reason or "it is not sure")
    try:
        answer = encoded(endpoint, record, reply.payload)
    except FigError as error:
        return Asked(what="happened", reply=reply, why=f"its answer cannot be told: {error}")
    return Asked(what="happened", reply=reply, answer=answer)


def _words(error: Exception) -> str:
    if isinstance(error, FigError):
        return str(error)
    log.error("an error that should not be", exc_info=error)
    return f"{type(error).__name__} that should not be: see the log"
