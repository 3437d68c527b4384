"""Kind ``json``: documents whose places are listed, or drawn by a JSON Schema."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ...config import options
from ...errors import ConfigError
from ...model import Record
from .charset import check_encoding, in_bytes, text_of
from .fields import Listed, Place, as_leaves, listed
from .json_flat import flat_reader
from .json_patch import patch, render
from .json_read import JsonReader
from .json_scan import places
from .json_schema import load_places
from .json_tree import Group, grow
from .shape import Sides, Stray, Values

__all__ = ["JsonShape", "json"]

_BOM = codecs.BOM_UTF8


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    fields: Listed = ()
    schema: str = ""
    answer: Listed = ()
    answer_schema: str = ""
    encoding: str = ""


def json(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the shapes from ``fields`` or ``schema``, and from ``answer`` or ``answer_schema``.

    Without an answer of its own the document itself is answered: what legacy decided stands in it.
    """
    wanted = options(_From, table, place)
    check_encoding(table, place)
    asked = _places(wanted.fields, wanted.schema, root, place, ("fields", "schema"))
    request = JsonShape(asked, grow(asked, f"{place}.fields"), encoding=wanted.encoding)
    if not wanted.answer and not wanted.answer_schema:
        return Sides(root="json", request=request, reply=request, shared=True)
    names = ("answer", "answer_schema")
    given = _places(wanted.answer, wanted.answer_schema, root, place, names)
    reply = JsonShape(given, grow(given, f"{place}.answer"), encoding=wanted.encoding, answers=True)
    return Sides(root="json", request=request, reply=reply)


def _places(
    fields: Listed, schema: str, root: Path, place: str, names: tuple[str, str]
) -> Sequence[Place]:
    if bool(fields) == bool(schema):
        raise ConfigError(
            f"{names[0]} and {names[1]}" if fields else "nothing says what stands in it",
            place=f"{place}.{names[0]}",
            expected=f"either {names[0]} (a list of paths) or {names[1]} (a JSON Schema)",
        )
    if fields:
        return listed(fields, f"{place}.{names[0]}")
    return load_places(root / schema)


class JsonShape:
    """A document, an object at the top, whose values stand where ``tree`` says.

    ``answers``: it is written anew, not into the request. ``document`` and ``places`` are what
    errors call it and its values.
    """

    def __init__(
        self,
        fields: Sequence[Place],
        tree: Group,
        *,
        encoding: str = "",
        answers: bool = False,
        document: str = "a JSON object",
        places: str = "fields",
    ) -> None:
        self.name = "json"
        self.leaves = as_leaves(fields)
        self._fields = fields
        self._encoding = encoding
        self._answers = answers
        self._tree = tree
        self._flat = flat_reader(tree)
        self._reader = JsonReader(tree, document=document, places=places)

    def describe(self) -> bytes:
        """Give the fields as bytes."""
        return msgspec.json.encode((self._encoding, self._fields))

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the document. Raises ``EnvelopeError`` where it is not a JSON object."""
        if self._flat is not None and (self._encoding or record.encoding) == "utf-8":
            values = self._flat.read(record.body)
            if values is not None:
                return values, ()
        return self._reader.read(self._utf8(record))

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the offset of each value, in bytes of its UTF-8."""
        return places(self._utf8(record))

    def write(self, values: Values, original: Record) -> bytes:
        """Write a document, or the values into the one that they answer."""
        if not self._answers:
            return self.patch(values, original)
        return self._encoded(render(self._tree, values), original)

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changes into the document; every other byte stays as it is."""
        if not changes:
            return original.body
        body = self._utf8(original)
        self._reader.check(body)
        patched = self._encoded(patch(self._tree, body, changes, self._reader.entry), original)
        marked = self._is_utf8(original) and original.body.startswith(_BOM)
        return _BOM + patched if marked else patched

    def _is_utf8(self, record: Record) -> bool:
        return (self._encoding or record.encoding) == "utf-8"

    def _utf8(self, record: Record) -> bytes:
        if self._is_utf8(record):
            body = record.body
            return body.removeprefix(_BOM) if body[:1] == b"\xef" else body
        return text_of(record, self._encoding).encode()

    def _encoded(self, body: bytes, original: Record) -> bytes:
        if self._is_utf8(original):
            return body
        return in_bytes(body.decode(), original, self._encoding)
