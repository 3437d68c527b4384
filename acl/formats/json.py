"""Kind ``json``: documents whose places are listed, or drawn by a JSON Schema."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...config import options
from ...errors import ConfigError, EnvelopeError
from ...model import Record
from .fields import Listed, Place, as_leaves, listed
from .json_patch import patch, render
from .json_read import JsonReader
from .json_scan import places
from .json_schema import load_places
from .json_tree import Group, Value, grow
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
    if wanted.encoding:
        _check_encoding(wanted.encoding, f"{place}.encoding")
    asked = _places(wanted.fields, wanted.schema, root, place, ("fields", "schema"))
    request = JsonShape(asked, encoding=wanted.encoding, place=f"{place}.fields")
    if not wanted.answer and not wanted.answer_schema:
        return Sides(root="json", request=request, reply=request, shared=True)
    names = ("answer", "answer_schema")
    given = _places(wanted.answer, wanted.answer_schema, root, place, names)
    reply = JsonShape(given, encoding=wanted.encoding, place=f"{place}.answer", answers=True)
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


def _check_encoding(name: str, place: str) -> None:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ConfigError(
            "no such encoding", place=place, value=repr(name), expected="such as utf-8 or latin-1"
        ) from None


class JsonShape:
    """A document, an object at the top. ``answers``: it is written anew, not into the request."""

    def __init__(
        self,
        fields: Sequence[Place],
        *,
        encoding: str = "",
        place: str = "fields",
        answers: bool = False,
    ) -> None:
        self.name = "json"
        self.leaves = as_leaves(fields)
        self._fields = fields
        self._encoding = encoding
        self._answers = answers
        self._tree = grow(fields, place)
        self._reader = JsonReader(self._tree)

    def describe(self) -> bytes:
        """Give the fields as bytes."""
        return msgspec.json.encode((self._encoding, self._fields))

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the document. Raises ``EnvelopeError`` where it is not a JSON object."""
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
        mark = _BOM if original.body.startswith(_BOM) else b""
        return mark + self._encoded(patch(self._tree, body, changes, self._entry), original)

    def _entry(self, entry: Group | Value, text: bytes) -> Any:
        return self._reader.entry(entry, text)

    def _utf8(self, record: Record) -> bytes:
        encoding = self._encoding or record.encoding
        if encoding == "utf-8":
            body = record.body
            return body.removeprefix(_BOM) if body[:1] == b"\xef" else body
        try:
            text = record.body.decode(encoding)
            if text.encode(encoding) != record.body:
                raise ValueError("its bytes would not come back")  # noqa: TRY301
            return text.encode()
        except (LookupError, ValueError) as error:
            raise EnvelopeError(
                f"not text in {encoding}: {error}", place="record", expected=f"JSON in {encoding}"
            ) from None

    def _encoded(self, body: bytes, original: Record) -> bytes:
        encoding = self._encoding or original.encoding
        if encoding == "utf-8":
            return body
        try:
            return body.decode().encode(encoding)
        except UnicodeEncodeError:
            raise ValueError(f"characters that {encoding} has") from None
