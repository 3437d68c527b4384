"""An event of a capture table as the record that the bridge gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ...model import Record
from .dialect import Event, Image
from .identity import told

__all__ = ["Values", "delivered", "references"]

Values = Mapping[str, tuple[str, bytes]]
"""Large values by reference: a letter as in ``Image.kinds``, and the bytes."""

# The second writes what the first does, at seven times the cost, and takes any text.
_encode: Final = msgspec.json.Encoder().encode
_ANY_TEXT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_EMPTY: Final = Image(values={}, kinds="")


def delivered(
    event: Event,
    read: Callable[[str], Image],
    *,
    source: str,
    table: str,
    values: Values,
    row: Sequence[str] | None = None,
) -> Record:
    """Make the record: the row as JSON (that was, for a delete), what it was before in headers.

    ``values`` are put in where the image refers to them. ``row``: the columns of a row's identity,
    for the headers that reconciling goes by; None where it has none.
    """
    op = event.op
    headers = [("op", op), ("table", table), ("schema", event.schema_hash)]
    raw = (event.before if op == "delete" else event.after) or ""
    now = before = None
    try:
        now = read(raw) if raw or op != "truncate" else _EMPTY
        image = _whole(event, now, values) if now.large else now
        body = _encoded(image.values)
        headers.append(("kinds", image.kinds))
        if image.large:
            headers.append(("large", _clean(_json(image.large))))
        if op == "update":
            before = read(event.before or "")
            headers += _before(_whole(event, before, values) if before.large else before)
    except ValueError as error:
        # Somebody wrote to the capture table. It goes on as it is, for the mapping to refuse.
        body = raw.encode("utf-8", "surrogateescape")
        headers.append(("unreadable", _clean(str(error))))
        if row and op == "update" and event.before:
            now = None  # whether it was another row before, nobody knows
    if row is not None:
        headers += told(event, row, now, before)
    return Record(
        source=source,
        key=_clean(event.key),
        position=event.event_id,
        kind="row",
        body=body,
        headers=tuple(headers),
        captured_at=event.created_at,
    )


def references(event: Event, read: Callable[[str], Image], columns: frozenset[str]) -> list[str]:
    """Give the references of an event's large values in these columns."""
    found = []
    for raw in (event.before, event.after):
        try:
            large = _own(event, read(raw)) if raw else {}
        except ValueError:
            continue  # said where the record is made
        found += [reference for name, reference in large.items() if name in columns and reference]
    return found


def _before(image: Image) -> list[tuple[str, str]]:
    headers = [("before", _clean(_json(image.values))), ("before-kinds", image.kinds)]
    if image.large:
        headers.append(("before-large", _clean(_json(image.large))))
    return headers


def _own(event: Event, image: Image) -> dict[str, str]:
    """Give an image's references; one of which there is only the place, ``-3``, is the event's."""
    return {
        name: f"{event.event_id}{reference}" if reference.startswith("-") else reference
        for name, reference in image.large.items()
    }


def _whole(event: Event, image: Image, values: Values) -> Image:
    """Put large values back into their places, as far as they are there."""
    whole, kinds, large = dict(image.values), list(image.kinds), _own(event, image)
    for at, name in enumerate(image.values):
        kind, value = values.get(large.get(name, ""), ("", b""))
        if kind:
            whole[name] = value.hex().upper() if kind == "b" else _text(value)
            kinds[at] = kind
            del large[name]
    return msgspec.structs.replace(image, values=whole, kinds="".join(kinds), large=large)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _json(values: Mapping[str, str | int | None] | Mapping[str, str]) -> str:
    try:
        return _encode(values).decode()
    except UnicodeEncodeError:
        return _ANY_TEXT(values)


def _encoded(values: Mapping[str, str | int | None]) -> bytes:
    try:
        return _encode(values)
    except UnicodeEncodeError:
        # Text that was no UTF-8 in the database: its bytes come back as they were.
        return _ANY_TEXT(values).encode("utf-8", "surrogateescape")


def _clean(text: str) -> str:
    """Make text that was no UTF-8 in the database safe to write elsewhere, still told apart."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
