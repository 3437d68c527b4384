"""HTTP header fields as pairs of bytes: which of them travel on, and which end at this hop."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import Headers

__all__ = ["Fields", "end_to_end", "first", "joined", "to_fields", "to_headers"]

Fields = list[tuple[bytes, bytes]]
"""Names and values as they stand on the wire, in order."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""RFC 9110, 7.6.1, with ``expect``, which each of our hops settles for itself."""

_FRAMING = HOP_BY_HOP | {b"content-length"}


def end_to_end(
    fields: Iterable[tuple[bytes, bytes]], *, drop: frozenset[bytes] = frozenset()
) -> Fields:
    """Leave out the fields of one hop: the known ones, those Connection names, the body's length.

    ``drop`` names (in lower case) further fields to leave out. The next hop frames the body anew.
    """
    kept: Fields = []
    named: set[bytes] = set()
    for field in fields:
        name = field[0].lower()
        if name not in _FRAMING:
            if name not in drop:
                kept.append(field)
        elif name == b"connection":
            named.update(token.strip().lower() for token in field[1].split(b","))
    named -= {b"close", b"keep-alive", b""}
    return [field for field in kept if field[0].lower() not in named] if named else kept


def first(fields: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Give the first value of the field of that name (in lower case), or None."""
    for key, value in fields:
        if key.lower() == name:
            return value
    return None


def joined(fields: Fields) -> bytes:
    """Write fields as they stand on the wire, each after a line end of its own."""
    return b"\r\n" + b"\r\n".join(map(b": ".join, fields)) if fields else b""


def to_headers(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Turn fields of the wire into a record's headers; latin-1 keeps every byte."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)


def to_fields(headers: Headers) -> Fields:
    """Turn a record's headers into fields; what HTTP says in its first line is left out.

    Raises ``UnicodeEncodeError`` where a header did not come from the wire.
    """
    return [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers if n[:1] != ":"]
