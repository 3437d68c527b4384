"""Asking the replacement without ever being hurt by it."""

from __future__ import annotations

import asyncio
import time

import msgspec

from ..errors import (
    ContractError,
    DeadlineExceeded,
    Declined,
    FigError,
    InputError,
    NotAsked,
    ReplacementError,
    ReplacementUnavailable,
)
from ..model import Reply, Request
from .endpoint import Endpoint
from .started import Started
from .time_limits import TimeLimit

__all__ = ["ask_replacement", "reason_of"]


async def ask_replacement(endpoint: Endpoint, request: Request, revision: str) -> Reply:
    """Ask within the time limit and hold the answer against the contract.

    Gives a reply that is ``ok`` and fits, or one that is ``abstained``. Raises ``FigError``,
    whatever the replacement does: raises, hangs, or answers what the contract refuses.
    """
    if endpoint.replacement is None:
        place = f"endpoint.{endpoint.name}"
        raise NotAsked("has no replacement", place=place)
    limit = endpoint.time_limit
    if request.deadline is not None:
        limit = min(limit, request.deadline - time.time())
    clock: TimeLimit | None = None
    try:
        answering = endpoint.replacement.answer(_carried(endpoint, request), revision)
        try:
            first = answering.send(None)
        except StopIteration as ended:  # it waits for nothing, and needs no clock
            return _checked(endpoint, request, ended.value)
        clock = endpoint.limits.within(limit)
        with clock:
            reply = await Started(answering, first)
        return _checked(endpoint, request, reply)
    except FigError:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise _raised(endpoint, error) from error
    except Exception as error:
        if clock is not None and clock.expired:
            raise DeadlineExceeded(
                f"the replacement gave no answer within {limit:.2f} s",
                place=f"endpoint.{endpoint.name}",
            ) from None
        raise _raised(endpoint, error) from error


def _carried(endpoint: Endpoint, request: Request) -> Request:
    try:
        return endpoint.asked(request)
    except InputError as error:
        raise NotAsked(
            f"its request is not to be had in the replacement's version: {error.message}",
            place=error.place,
            value=error.value,
            expected=error.expected,
        ) from error


def _raised(endpoint: Endpoint, error: BaseException) -> ReplacementError:
    return ReplacementError(
        f"the replacement raised {type(error).__name__}", place=f"endpoint.{endpoint.name}"
    )


def _checked(endpoint: Endpoint, request: Request, reply: object) -> Reply:
    if not isinstance(reply, Reply):
        raise ContractError(
            "the answer is no reply",
            place=f"endpoint.{endpoint.name}",
            value=type(reply).__name__,
            expected="a Reply",
        )
    if reply.status == "abstained":
        return reply
    if reply.status != "ok" or reply.payload is None:
        kind = Declined if reply.status == "refused" else ReplacementError
        raise kind(reply.reason or f"answered {reply.status!r}", place=f"endpoint.{endpoint.name}")
    if reply.request_id != request.id:
        raise ContractError(
            "the answer is to another request",
            place=f"endpoint.{endpoint.name}",
            value=reply.request_id,
            expected=request.id,
        )
    payload = endpoint.answered(reply.payload)
    return reply if payload is reply.payload else msgspec.structs.replace(reply, payload=payload)


def reason_of(error: Exception) -> str:
    """Give the short reason by which fallbacks are counted."""
    reasons: tuple[tuple[type[FigError], str], ...] = (
        (DeadlineExceeded, "deadline"),
        (ReplacementUnavailable, "unavailable"),
        (InputError, "contract"),
        (ReplacementError, "raised"),
    )
    if isinstance(error, NotAsked) and isinstance(error.__cause__, InputError):
        return "contract"
    return next((reason for kind, reason in reasons if isinstance(error, kind)), "error")
