"""Payloads as JSON text that is read back as what it was: Decimals, dates and times are marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from ..errors import StoreError

__all__ = ["dumps", "loads"]

_TEXT_OF: Final[tuple[tuple[str, type, Callable[..., str]], ...]] = (
    ("decimal", Decimal, str),
    ("datetime", dt.datetime, dt.datetime.isoformat),  # before date: it is one
    ("date", dt.date, dt.date.isoformat),
    ("time", dt.time, dt.time.isoformat),
    ("seconds", dt.timedelta, lambda value: str(value // dt.timedelta(microseconds=1))),
    ("bytes", bytes, bytes.hex),
    ("integer", int, str),  # those that JSON readers would make floats of
)

_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "decimal": Decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "seconds": lambda text: dt.timedelta(microseconds=int(text)),
    "bytes": bytes.fromhex,
    "integer": int,
}

_MARK: Final = "\N{DOLLAR SIGN}"
_SAFE: Final = 2**53


def dumps(value: object) -> str:
    """Write a payload, or a part of one. Raises ``StoreError`` for what no payload holds."""
    return msgspec.json.encode(_marked(value)).decode()


def loads(text: str) -> object:
    """Read what ``dumps`` wrote. Raises ``StoreError`` where somebody else wrote it."""
    try:
        return _unmarked(msgspec.json.decode(text))
    except (msgspec.DecodeError, ValueError, ArithmeticError, KeyError) as error:
        raise StoreError(
            "a payload of ours cannot be read", place="store", expected="what we wrote"
        ) from error


def _marked(value: object) -> object:
    if value is None or isinstance(value, str | bool | float):
        return value
    if isinstance(value, int) and -_SAFE < value < _SAFE:
        return value
    if isinstance(value, Mapping):
        # A name that looks like a mark of ours gets one more sign, which reading takes off.
        return {
            f"{_MARK}{name}" if name.startswith(_MARK) else name: _marked(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_marked(one) for one in value]
    for name, kind, text in _TEXT_OF:
        if isinstance(value, kind):
            return {f"{_MARK}{name}": text(value)}
    raise StoreError(
        "a payload holds what it cannot",
        place="store",
        value=type(value).__name__,
        expected="text, numbers, Decimal, dates, times, bytes, true, false, null, lists, tables",
    )


def _unmarked(value: object) -> object:
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, text),) = value.items()
        read = _READ.get(name.removeprefix(_MARK)) if name.startswith(_MARK) else None
        if read is not None and not name.startswith(_MARK * 2):
            return read(str(text))
    return {
        name.removeprefix(_MARK) if name.startswith(_MARK) else name: _unmarked(one)
        for name, one in value.items()
    }
