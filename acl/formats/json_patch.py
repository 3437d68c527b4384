"""Writing JSON: a whole document, or changes into the bytes of one that came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from .json_scan import Span, scan
from .json_tree import Group, Items, Value

__all__ = ["patch", "render"]

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)

Read = Callable[[Group | Value, bytes], Any]
"""Gives what the bytes of one entry of a list hold."""


def render(group: Group, values: Mapping[str, Any]) -> bytes:
    """Write an object from the values in it, as ``Shape.write`` gets them."""
    parts: list[bytes] = []
    for name, node in group.children.items():
        if isinstance(node, Group):
            if any(values.get(path) is not None for path in node.paths):
                parts.append(_member(name, render(node, values)))
        elif node.path in values:
            value = values[node.path]
            if isinstance(node, Items):
                parts.append(_member(name, _list(node, value)))
            elif value is not None or node.nullable:
                parts.append(_member(name, _scalar(node, value)))
    return b"{" + b",".join(parts) + b"}"


def _member(name: str, value: bytes) -> bytes:
    return msgspec.json.encode(name) + b":" + value


def _list(node: Items, entries: Sequence[Any] | None) -> bytes:
    if entries is None:
        return b"null"
    return b"[" + b",".join(_entry(node.entry, entry) for entry in entries) + b"]"


def _entry(entry: Group | Value, value: Any) -> bytes:
    return _scalar(entry, value) if isinstance(entry, Value) else render(entry, value)


def _scalar(node: Value, text: str | None, before: bytes = b'"') -> bytes:
    """Write a value of the declared type; a text as the kind of value that stood there before."""
    if text is None:
        return b"null"
    if node.type == "json":
        try:
            return bytes(_JSON.decode(text))
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise ValueError("the text of a JSON value") from None
    if node.type in ("integer", "decimal"):
        if not _NUMBER.fullmatch(text) or (node.type == "integer" and "." in text):
            raise ValueError(f"a JSON number ({node.type})")
        return text.encode()
    if node.type == "boolean":
        if text not in ("true", "false"):
            raise ValueError("true or false")
        return text.encode()
    if before[:1] in b"-0123456789" and _NUMBER.fullmatch(text):
        return text.encode()
    if before in (b"true", b"false") and text in ("true", "false"):
        return text.encode()
    return msgspec.json.encode(text)


def patch(root: Group, body: bytes, changes: Mapping[str, Any], read: Read) -> bytes:
    """Put changes into a document in UTF-8; all other bytes stay, white space too.

    Of a list, the entries that stay as they are keep their bytes; one that changed keeps whatever
    the changes do not name. Raises ``ValueError`` for a text that its place cannot hold.
    """
    span = scan(body)
    if span.again or span.members is None:
        raise ValueError("an object with every name once")
    patched = _Patch(body, read).group(root, span, changes)
    patched = body[: span.start] + patched + body[span.end :]
    if body.isascii() and b"\\u" in body and not patched.isascii():
        # Whoever wrote this document wrote it in ASCII; its readers may count on that.
        return _escaped(patched)
    return patched


def _escaped(body: bytes) -> bytes:
    # Outside of texts JSON has nothing but ASCII.
    return re.sub(r"[^\x00-\x7f]+", lambda m: json.dumps(m[0])[1:-1], body.decode()).encode()


class _Patch:
    def __init__(self, body: bytes, read: Read) -> None:
        self._body = body
        self._read = read

    def group(self, group: Group, span: Span, changes: Mapping[str, Any]) -> bytes:
        """Give the object's new bytes."""
        there = span.members or {}
        edits: list[tuple[int, int, bytes]] = []
        added: list[bytes] = []
        gone: set[str] = set()
        for name, node in group.children.items():
            paths = node.paths if isinstance(node, Group) else (node.path,)
            if not any(path in changes for path in paths):
                continue
            old = there.get(name)
            new = self._member(node, old, changes)
            if old is None and new is not None:
                added.append(_member(name, new))
            elif old is not None and new is None:
                gone.add(name)
            elif old is not None and new is not None:
                edits.append((old.start, old.end, new))
        edits += _removals(there, gone)
        if added:
            at = list(there.values())[-1].end if there else span.start + 1
            comma = b"," if len(there) > len(gone) else b""
            edits.append((at, at, comma + b",".join(added)))
        return self._edited(span, edits)

    def _member(
        self, node: Group | Items | Value, old: Span | None, changes: Mapping[str, Any]
    ) -> bytes | None:
        """Give the value's new bytes, None where it shall not be there."""
        if isinstance(node, Group):
            if old is not None and old.members is not None:
                return self.group(node, old, changes)
            if any(changes.get(path) is not None for path in node.paths):
                return render(node, changes)
            return None if old is None else self._old(old)
        value = changes[node.path]
        if isinstance(node, Items):
            if value is None:
                return None if old is None else b"null"
            if old is None or old.items is None:
                return _list(node, value)
            return self._items(node, old, value)
        if value is None and (old is None or not node.nullable):
            return None
        return _scalar(node, value, b'"' if old is None else self._old(old))

    def _items(self, node: Items, span: Span, entries: Sequence[Any]) -> bytes:
        old = span.items or []
        held = [self._read(node.entry, self._old(one)) for one in old]
        kept = _kept(held, entries)
        free = set(range(len(old))) - {one for one in kept if one is not None}
        parts: list[bytes] = []
        for number, (entry, same) in enumerate(zip(entries, kept, strict=True)):
            if same is not None:
                parts.append(self._old(old[same]))
            elif number in free and len(old) == len(entries):
                parts.append(self._entry(node.entry, old[number], held[number], entry))
            else:
                parts.append(_entry(node.entry, entry))
        if len(parts) == len(old):
            edits = [(o.start, o.end, new) for o, new in zip(old, parts, strict=True)]
            return self._edited(span, edits)
        between = self._body[old[0].end : old[1].start] if len(old) > 1 else b","
        return b"[" + between.join(parts) + b"]"

    def _entry(self, entry: Group | Value, span: Span, held: Any, new: Any) -> bytes:
        if isinstance(entry, Value) or span.members is None:
            return _entry(entry, new)
        changes = {
            path: new.get(path)
            for path in entry.paths
            if as_written(held.get(path)) != as_written(new.get(path))
        }
        return self.group(entry, span, changes)

    def _old(self, span: Span) -> bytes:
        return self._body[span.start : span.end]

    def _edited(self, span: Span, edits: list[tuple[int, int, bytes]]) -> bytes:
        parts: list[bytes] = []
        at = span.start
        for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
            parts += (self._body[at:start], new)
            at = end
        parts.append(self._body[at : span.end])
        return b"".join(parts)


def _removals(there: Mapping[str, Span], gone: set[str]) -> list[tuple[int, int, bytes]]:
    """Take members out, each with one comma."""
    order = list(there.items())
    edits: list[tuple[int, int, bytes]] = []
    for number, (name, span) in enumerate(order):
        if name not in gone:
            continue
        if any(before not in gone for before, _ in order[:number]):
            edits.append((order[number - 1][1].end, span.end, b""))
        else:
            following = order[number + 1][1].at if number + 1 < len(order) else span.end
            edits.append((span.at, following, b""))
    return edits


def _kept(held: Sequence[Any], entries: Sequence[Any]) -> list[int | None]:
    """Say for each new entry which of the old ones it is, the one in its own place first."""
    old = [as_written(one) for one in held]
    new = [as_written(one) for one in entries]
    kept: list[int | None] = [
        number if number < len(old) and old[number] == one else None
        for number, one in enumerate(new)
    ]
    free = [number for number in range(len(old)) if number not in set(kept)]
    for number, one in enumerate(new):
        if kept[number] is None:
            same = next((place for place in free if old[place] == one), None)
            if same is not None:
                kept[number] = same
                free.remove(same)
    return kept


def as_written(value: Any) -> Any:
    """Give a value as text, so that what was read can be held against what is to be written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return {path: as_written(one) for path, one in value.items() if one is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_written(one) for one in value]
    return value
