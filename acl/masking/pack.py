"""Values as text and back, exactly: what a vault keeps, and what equal tokens are found by."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

__all__ = ["pack", "plain", "unpack"]

_MARK: Final = "\x00"
"""Begins every packed value but a plain text; a text that begins with it is marked as well."""


def pack(value: object) -> str:
    """Give a value as text: ``unpack`` gives it back, type and digits included.

    Takes whatever a payload holds; a text is itself. Raises ``TypeError`` for anything else.
    """
    if isinstance(value, str):
        return value if value[:1] != _MARK else f"{_MARK}s{value}"
    for kind, letter, write in _WRITERS:
        if isinstance(value, kind):
            return f"{_MARK}{letter}{write(value)}"
    raise TypeError(f"a payload holds no {type(value).__name__}")


def unpack(text: str) -> object:
    """Give the value of a text that ``pack`` made. Raises ``ValueError`` for any other."""
    if text[:1] != _MARK:
        return text
    read = _READERS.get(text[1:2])
    if read is None:
        raise ValueError("not a packed value")
    return read(text[2:])


def plain(value: object) -> str:
    """Give a value as it reads inside of a sentence."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _tree(value: object) -> object:
    # Every leaf is packed, so that JSON has neither numbers nor anything to get wrong.
    if isinstance(value, Mapping):
        return {str(key): _tree(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(one) for one in value]
    return pack(value)


def _grown(value: object) -> object:
    if isinstance(value, dict):
        return {key: _grown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_grown(one) for one in value]
    return unpack(str(value))


def _microseconds(value: dt.timedelta) -> str:
    return str(value // dt.timedelta(microseconds=1))


# bool before int and datetime before date, as each is also an instance of the other.
_WRITERS: Final[tuple[tuple[type | tuple[type, ...], str, Callable[..., str]], ...]] = (
    (type(None), "n", lambda _: ""),
    (bool, "b", lambda value: "1" if value else "0"),
    (int, "i", hex),
    (float, "f", repr),
    (Decimal, "d", str),
    (dt.datetime, "T", lambda value: value.isoformat()),
    (dt.date, "D", lambda value: value.isoformat()),
    (dt.time, "t", lambda value: value.isoformat()),
    (dt.timedelta, "p", _microseconds),
    (bytes, "x", lambda value: base64.b64encode(value).decode("ascii")),
    ((Mapping, list, tuple), "j", lambda value: json.dumps(_tree(value))),
)

_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "s": lambda text: text,
    "n": lambda _: None,
    "b": lambda text: text == "1",
    "i": lambda text: int(text, 16),
    "f": float,
    "d": Decimal,
    "T": dt.datetime.fromisoformat,
    "D": dt.date.fromisoformat,
    "t": dt.time.fromisoformat,
    "p": lambda text: dt.timedelta(microseconds=int(text)),
    "x": base64.b64decode,
    "j": lambda text: _grown(json.loads(text)),
}
