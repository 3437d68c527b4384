"""Which row an image is of, and whether it is the same image: what reconciling goes by.

A row's identity is the texts of the columns that tell it apart, and of those that its events' key
is made of, each behind the letter of its kind: ``["i7","tberlin"]``. A table whose rows are told
apart by where they lie has the events' key itself, ``@7``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import literal_column
from sqlalchemy.sql.elements import ColumnElement

from ...errors import LegacyError
from .dialect import Event, Image
from .ground import Ground
from .postgresql.references import plain

__all__ = ["digest", "digest_of", "identity", "identity_columns", "told", "told_apart", "values_of"]

_quoted: Final[Callable[[str], str]] = json.encoder.encode_basestring_ascii
_PG_DIGEST = (
    "('x' || left(md5(convert_to({image}, CASE getdatabaseencoding() WHEN 'SQL_ASCII'"
    " THEN 'SQL_ASCII' ELSE 'UTF8' END)), 16))::bit(64)::bigint"
)
_MY_DIGEST = "CAST(CONV(LEFT(MD5(CONVERT({image} USING utf8mb4)), 16), 16, -10) AS SIGNED)"


def identity_columns(ground: Ground, unique: Sequence[str]) -> tuple[str, ...]:
    """Give the columns of a row's identity; none where its address is the key.

    ``unique``: the columns that tell rows apart, as ``Chunks.columns`` has them. Raises
    ``LegacyError`` where an event does not say which row it is of.
    """
    shape = ground.capture.shape
    if not unique and not shape.key and ground.backend == "sqlite":
        return ()
    wanted = tuple(dict.fromkeys([*unique, *shape.key]))
    captured = {name for name, _ in shape.columns}
    missing = [name for name in wanted if name not in captured]
    if missing or not unique:
        raise LegacyError(
            "its events do not say which row they are of",
            place=ground.place,
            value=f"not captured: {', '.join(missing)}" if missing else "no unique columns",
            expected="a primary key whose columns are captured, and those of 'key' too",
            remedy="add them to 'columns' and install again; what is captured stays captured",
        )
    return wanted


def identity(image: Image, columns: Sequence[str], key: str) -> str:
    """Give a row's identity, in ASCII. Pure. Raises ``KeyError`` for an image of other columns."""
    if not columns:
        return f"@{key}"
    values, kinds = image.values, image.kinds
    if len(values) != len(kinds):
        raise ValueError("an image of as many kinds as values was expected")
    places = list(values)
    try:
        texts = [f"{kinds[places.index(name)]}{values[name]}" for name in columns]
    except ValueError:
        raise KeyError(*columns) from None
    # As json.dumps writes it, without what that does once for every call.
    return f"[{', '.join([_quoted(text) for text in texts])}]"


def values_of(told: str) -> list[tuple[str, str | None]]:
    """Take an identity apart: the kind's letter and the text of each column, None for null."""
    return [(one[0], None if one[0] == "n" else one[1:]) for one in json.loads(told)]


def digest(image: str) -> int:
    """Give the first 8 bytes of the MD5 of an image's text, as a signed number.

    References to large values are left out: they are new in every event.
    """
    raw = plain(image).encode("utf-8", "surrogateescape")
    found = hashlib.md5(raw, usedforsecurity=False).digest()
    return int.from_bytes(found[:8], "big", signed=True)


def digest_of(ground: Ground, image: str) -> ColumnElement[int]:
    """Give the expression of an image's digest; of the image itself where Python is to make it."""
    if ground.backend == "postgresql":
        return literal_column(_PG_DIGEST.format(image=image))
    if ground.backend == "mysql":
        return literal_column(_MY_DIGEST.format(image=image))
    return literal_column(image)


def told_apart(
    event: Event, columns: Sequence[str], read: Callable[[str], Image]
) -> tuple[tuple[str, str], ...]:
    """Give the headers that say which row an event is of, and which image of it.

    ``row``; ``image``, the digest, unless the row is gone; ``row-before`` where an update has made
    another row of it. None where an image cannot be read or is of other columns.
    """
    gone = event.op == "delete"
    if not columns and gone:
        return (("row", f"@{event.key}"),)
    now = event.before if gone else event.after
    moved = event.op == "update" and event.before and columns
    try:
        image = read(now) if now else None
        return told(event, columns, image, read(event.before or "") if moved else None)
    except ValueError:
        return ()


def told(
    event: Event, columns: Sequence[str], image: Image | None, before: Image | None
) -> tuple[tuple[str, str], ...]:
    """Do as ``told_apart``, where images are read: the row's own, and what it was before."""
    text = event.before if event.op == "delete" else event.after
    if image is None or not text:
        return (("row", f"@{event.key}"),) if not columns and event.op == "delete" else ()
    try:
        row = identity(image, columns, event.key)
        if event.op == "delete":
            return (("row", row),)
        found = (("row", row), ("image", str(digest(text))))
        if before is None or not columns:
            return found
        was = identity(before, columns, event.key)
    except (KeyError, ValueError):
        return ()
    return found if was == row else (*found, ("row-before", was))
