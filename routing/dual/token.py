"""Under which idempotency key a write happens: the caller's own, or that of the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...errors import ConfigError
from ...model import Record, Request, request_id

__all__ = ["Token", "compile_token", "own_token"]

Token = Callable[[Record, Request | None], str]
"""Gives the idempotency key of a record, and of the request that it is, where it is one."""

_LONGEST: Final = 200


def own_token(record: Record, request: Request | None) -> str:
    """Give the key of a call whose sender gave none: the same where the very record comes again."""
    del request
    return request_id(record.source, record.position)


def compile_token(at: str, place: str, fields: frozenset[str]) -> Token:
    """Make ready to read a caller's key from where it stands; a call without one has its own.

    ``fields`` are those of the operation's input. Raises ``ConfigError`` for a place that nothing
    can be read from.
    """
    kind, _, name = at.partition(".")
    if not at:
        return own_token
    if kind == "header" and name:
        return lambda record, request: _said(record.header(name), record, request)
    if kind == "payload" and name in fields:
        return lambda record, request: _said(_field(request, name), record, request)
    raise ConfigError(
        "no idempotency key can be read there",
        place=place,
        value=at,
        expected="header.NAME, or payload.FIELD with one of " + ", ".join(sorted(fields)),
    )


def _field(request: Request | None, name: str) -> object:
    return None if request is None else request.payload.get(name)


def _said(value: object, record: Record, request: Request | None) -> str:
    # As long as an index takes; what is longer is no key, but would be the same for two writes.
    text = "" if value is None else str(value).strip()
    return f"caller {text}" if 0 < len(text) <= _LONGEST else own_token(record, request)
