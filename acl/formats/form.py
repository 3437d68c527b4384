"""Kind ``form``: named fields, as a browser posts them or a screen gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote_to_bytes

import msgspec

from ...config import options
from ...errors import ConfigError, EnvelopeError
from ...model import Record
from .charset import check_encoding
from .fields import Place, as_leaves, listed
from .json import JsonShape
from .json_tree import grow
from .shape import Sides, Stray, Values

__all__ = ["FormShape", "form"]

_BAD = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MOST = 10_000
_MOST_STRAYS = 1000


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    fields: tuple[str, ...]
    answer: tuple[str, ...] = ()
    encoding: str = "utf-8"


class _Pair(NamedTuple):
    """One field as it stands: its bytes as text, and what they mean."""

    raw: str
    name: str
    text: str | None


def form(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the shapes from ``fields`` (``name[]`` for one that is repeated) and ``answer``.

    Without an answer of its own the form itself is answered: what legacy decided stands in it.
    """
    del root
    wanted = options(_From, table, place)
    check_encoding(table, place)
    request = FormShape(_fields(wanted.fields, f"{place}.fields"), wanted.encoding)
    if not wanted.answer:
        return Sides(root="form", request=request, reply=request, shared=True)
    given = _fields(wanted.answer, f"{place}.answer")
    return Sides(
        root="form", request=request, reply=FormShape(given, wanted.encoding, answers=True)
    )


def _fields(entries: tuple[str, ...], place: str) -> tuple[Place, ...]:
    places = listed(entries, place)
    for one in places:
        if one.type != "text" or "." in one.path:
            expected = "names, ? behind one that may be left out, [] behind one that is repeated"
            raise ConfigError(
                "not a field of a form", place=place, value=one.path, expected=expected
            )
    return tuple(msgspec.structs.replace(one, nullable=False) for one in places)


class FormShape:
    """``a=1&b=2`` in percent encoding, or a JSON object of name to text: what comes is answered."""

    def __init__(self, fields: Sequence[Place], encoding: str, *, answers: bool = False) -> None:
        self.name = "form"
        self.leaves = as_leaves(fields)
        self._fields = fields
        self._encoding = encoding
        self._answers = answers
        self._paths = {one.path.removesuffix("[]"): one.path for one in fields}
        self._json = JsonShape(fields, grow(fields, "fields"), encoding="utf-8", answers=answers)

    def describe(self) -> bytes:
        """Give the fields as bytes."""
        return msgspec.json.encode((self._encoding, self._fields))

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the form. Raises ``EnvelopeError`` where it is none."""
        if _is_json(record.body):
            return self._json.read(record)
        values: dict[str, Any] = {}
        strays: list[Stray] = []
        unknown: dict[str, None] = {}
        for pair in self._pairs(record.body):
            path = self._paths.get(pair.name)
            if path is None:
                unknown[pair.name] = None
            elif pair.text is None:
                expected = f"percent encoding of {self._encoding}"
                strays.append(Stray(path, "cannot be decoded", expected, broken=True))
            elif path.endswith("[]"):
                values.setdefault(path, []).append(pair.text)
            elif path in values:
                expected = "one value; NAME[] takes several"
                strays.append(Stray(path, "stands there twice", expected, broken=True))
            else:
                values[path] = pair.text
        expected = "one of " + ", ".join(self._paths)
        strays += [
            Stray(name[:200], "is not among the fields", expected)
            for name in list(unknown)[:_MOST_STRAYS]
        ]
        return values, strays

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the offset of each field."""
        if _is_json(record.body):
            return self._json.places(record)
        found: dict[str, str] = {}
        offset = 0
        for pair in self._pairs(record.body):
            if pair.name in self._paths:
                found.setdefault(self._paths[pair.name], f"offset {offset}")
            offset += len(pair.raw) + 1
        return found

    def write(self, values: Values, original: Record) -> bytes:
        """Write a form of the kind that it answers, or put the values into that."""
        if not self._answers:
            return self.patch(values, original)
        if _is_json(original.body):
            return self._json.write(values, original)
        pairs = [
            self._pair(name, text)
            for name, path in self._paths.items()
            for text in _texts(values.get(path))
        ]
        return "&".join(pairs).encode()

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changes into the form; fields that they do not name keep their bytes and place."""
        if not changes:
            return original.body
        if _is_json(original.body):
            return self._json.patch(changes, original)
        left = {path.removesuffix("[]"): _texts(value) for path, value in changes.items()}
        raw: list[str] = []
        for pair in self._pairs(original.body):
            texts = left.get(pair.name)
            if texts is None:
                raw.append(pair.raw)
            elif texts:
                text = texts.pop(0)
                raw.append(pair.raw if text == pair.text else self._pair(pair.name, text))
        raw += [self._pair(name, text) for name, texts in left.items() for text in texts]
        return "&".join(raw).encode("latin-1")

    def _pairs(self, body: bytes) -> Iterator[_Pair]:
        # Percent encoding leaves ASCII; whatever else is there stays as it is.
        text = body.decode("latin-1")
        if text.count("&") >= _MOST:
            raise EnvelopeError("too many fields", place="record", expected=f"at most {_MOST}")
        for raw in text.split("&") if text else ():
            name, _, value = raw.partition("=")
            yield _Pair(raw, self._plain(name) or name, self._plain(value))

    def _plain(self, raw: str) -> str | None:
        if _BAD.search(raw) or not raw.isascii():
            return None
        try:
            return unquote_to_bytes(raw.replace("+", " ")).decode(self._encoding)
        except UnicodeError:
            return None

    def _pair(self, name: str, text: str) -> str:
        try:
            return "=".join(
                quote_plus(one, encoding=self._encoding, errors="strict") for one in (name, text)
            )
        except UnicodeError:
            raise ValueError(f"characters that {self._encoding} has") from None


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] == b"{"


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    texts = (
        [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
    )
    if not all(isinstance(one, str) for one in texts):
        raise ValueError("text in every entry")
    return texts
