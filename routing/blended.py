"""Both sides asked at once, and what goes back: one merged answer, or what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec

from ..errors import ContractError, FigError, LegacyError
from ..model import Payload, Record, Reply, Request
from .asking import ask_replacement, reason_of
from .blend import Blending
from .endpoint import Endpoint
from .exchange import Exchange, status_of

__all__ = ["Blended", "blended"]


Encode = Callable[[Payload], Record]
"""Writes a payload in legacy's words. Raises ``FigError`` where they cannot say it."""


class Blended(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides came to. ``record`` goes back; where ``error`` is there, it is to be raised.

    ``answer`` says whose the record is, empty where there is none. ``legacy`` and ``reply`` are the
    sides' own answers, where they gave any that can be read; ``missing`` and ``detail`` why a side
    gave none, by side, and under ``blend`` why there is no merged answer.
    """

    answer: Literal["both", "legacy", "replacement", ""]
    record: Record | None = None
    legacy: Record | None = None
    reply: Reply | None = None
    missing: dict[str, str] = {}
    detail: dict[str, str] = {}
    error: Exception | None = None


class _Sides(msgspec.Struct):
    """What was asked: each side's answer, or why there is none."""

    record: Record | None = None
    legacy: Payload | None = None
    reply: Reply | None = None
    replacement: Payload | None = None
    legacy_error: Exception | None = None
    replacement_error: Exception | None = None
    missing: dict[str, str] = {}
    detail: dict[str, str] = {}


async def blended(
    endpoint: Endpoint, blending: Blending, exchange: Exchange, request: Request, encode: Encode
) -> Blended:
    """Ask both sides within the caller's deadline, and merge. Never raises but when cancelled.

    Called by the dispatcher, for operations that read only.
    """
    sides = await _ask(endpoint, exchange, request)
    rule = blending.settings
    if sides.replacement is None and (sides.legacy is None or rule.replacement == "other"):
        return _by_legacy(sides)
    if sides.replacement is None and rule.replacement == "fail":
        return _given(sides, "", error=sides.replacement_error)
    if sides.legacy is None and rule.legacy == "fail":
        return _by_legacy(sides)
    try:
        if sides.legacy is None and rule.legacy == "other":
            return _given(sides, "replacement", encode(sides.replacement or {}))
        payload = blending.merge(sides.legacy, sides.replacement)
        endpoint.operation.check_output(payload)
        return _given(sides, "both", encode(payload))
    except Exception as error:  # noqa: BLE001  # a function of somebody else's, or a rule too many
        _note(sides, "blend", reason_of(error), _text(error))
        sides.legacy_error = sides.legacy_error or error
        return _by_legacy(sides)


def _by_legacy(sides: _Sides) -> Blended:
    """Give what legacy says; if only a fault, it is what its callers know."""
    if sides.record is None:
        return _given(sides, "", error=sides.legacy_error)
    return _given(sides, "legacy", sides.record)


def _given(
    sides: _Sides,
    answer: Literal["both", "legacy", "replacement", ""],
    record: Record | None = None,
    error: Exception | None = None,
) -> Blended:
    return Blended(
        answer=answer,
        record=record,
        legacy=None if sides.legacy is None else sides.record,
        reply=sides.reply,
        missing=sides.missing,
        detail=sides.detail,
        error=error,
    )


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, FigError) else type(error).__name__


async def _ask(endpoint: Endpoint, exchange: Exchange, request: Request) -> _Sides:
    asked = asyncio.gather(
        _legacy(endpoint, exchange),
        ask_replacement(endpoint, request, exchange.revision),
        return_exceptions=True,
    )
    old, new = await asked
    sides = _Sides()
    _take_legacy(endpoint, sides, old)
    if isinstance(new, Reply) and new.status == "ok":
        sides.reply, sides.replacement = new, new.payload
        return sides
    if isinstance(new, Reply):
        sides.reply = new
        place = f"endpoint.{endpoint.name}"
        sides.replacement_error = ContractError("the replacement is not sure", place=place)
        _note(sides, "replacement", "abstained", new.reason)
    elif isinstance(new, Exception):
        sides.replacement_error = new
        _note(sides, "replacement", reason_of(new), str(new))
    else:
        raise new
    return sides


def _take_legacy(endpoint: Endpoint, sides: _Sides, old: Record | BaseException) -> None:
    if isinstance(old, Exception):
        sides.legacy_error = old
        _note(sides, "legacy", type(old).__name__, str(old))
        return
    if isinstance(old, BaseException):
        raise old
    sides.record = old
    if status_of(old) != "ok":
        _note(sides, "legacy", "fault", "legacy answered with a fault")
        return
    try:
        sides.legacy = endpoint.mapping.decode_reply(old)
    except FigError as error:
        _note(sides, "legacy", type(error).__name__, str(error))


def _note(sides: _Sides, side: str, reason: str, detail: str) -> None:
    sides.missing = {**sides.missing, side: reason}
    sides.detail = {**sides.detail, side: detail}


async def _legacy(endpoint: Endpoint, exchange: Exchange) -> Record:
    if endpoint.legacy is None:
        raise LegacyError("has no legacy to answer", place=f"endpoint.{endpoint.name}")
    return await endpoint.legacy(exchange.record, exchange.deadline)
