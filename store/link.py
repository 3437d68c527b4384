"""The hash chain: each journal line carries the digest of all lines before it and of itself.

``link = sha256(link of the line before + the line as canonical JSON)``, in hex, the first line
standing on ``GENESIS``. The line's data stands in it as its own SHA-256: so the data can go by and
by, and its digest be kept, while every other field and the line's place can still be proved.
Whoever changes, removes or moves a line breaks the chain there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256 as _sha256
from typing import Final, NamedTuple

import msgspec

from .line import Line

__all__ = [
    "GENESIS",
    "Linked",
    "Row",
    "Tail",
    "chained",
    "digest",
    "encode",
    "link",
    "row",
    "seal",
]

GENESIS: Final = "0" * 64

Row = tuple[float, str, str, str, str, str, bytes]
"""at, kind, endpoint, request_id, revision and data (JSON text), as stored; and its ``seal``."""

Linked = tuple[int, float, str, str, str, str, str, str]
"""id, at, kind, endpoint, request_id, revision, data (JSON text) and link."""

_canonical = msgspec.json.Encoder().encode


class Tail(NamedTuple):
    """A line by its place and its link; the newest one: the next is chained to it."""

    id: int
    link: str


def row(line: Line) -> Row:
    """Make a line ready to be stored. Raises ``TypeError`` where a field is of the wrong type."""
    kind, endpoint, request, revision = line.kind, line.endpoint, line.request_id, line.revision
    if not (
        isinstance(kind, str)
        and isinstance(endpoint, str)
        and isinstance(request, str)
        and isinstance(revision, str)
    ):
        raise TypeError("a line's kind, endpoint, request_id and revision are text")
    at = float(line.at)
    try:
        text = _canonical(line.data)
    except Exception:  # noqa: BLE001 what msgspec cannot write, a slower way can
        text = _encode_anything(line.data).encode()
    sealed = _canonical((at, kind, endpoint, request, revision, _sha256(text).hexdigest()))
    return (at, kind, endpoint, request, revision, text.decode(), sealed)


def encode(data: object) -> str:
    """Write data as JSON text, whatever it is: a line is never lost for what it holds."""
    try:
        return _canonical(data).decode()
    except Exception:  # noqa: BLE001 what msgspec cannot write, a slower way can
        return _encode_anything(data)


def digest(data: str) -> str:
    """Give what stands for a line's data in its seal. Raises ``UnicodeError`` where it cannot."""
    return _sha256(data.encode()).hexdigest()


def seal(
    at: float, kind: str, endpoint: str, request: str, revision: str, data_digest: str
) -> bytes:
    """Give what of a line is linked: made where the line is, before anybody holds the store."""
    return _canonical((at, kind, endpoint, request, revision, data_digest))


def link(previous: str, sealed: bytes) -> str:
    """Give the link of a line that follows the one of link ``previous``."""
    return _sha256(previous.encode() + sealed).hexdigest()


def chained(last: Tail, rows: Sequence[Row]) -> list[Linked]:
    """Give rows their ids and links, behind the line ``last``. Every line of a store goes by."""
    number, hashed, sha256 = last.id, last.link, _sha256
    linked: list[Linked] = []
    for at, kind, endpoint, request, revision, data, sealed in rows:
        number += 1
        hashed = sha256(hashed.encode() + sealed).hexdigest()
        linked.append((number, at, kind, endpoint, request, revision, data, hashed))
    return linked


def _encode_anything(data: object) -> str:
    try:
        plain = msgspec.to_builtins(data, enc_hook=repr, str_keys=True)
        return json.dumps(plain, default=repr, allow_nan=False)
    except Exception:  # noqa: BLE001 better its repr than nothing
        return json.dumps({"repr": repr(data)})
