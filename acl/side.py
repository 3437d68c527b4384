"""One side of a mapping at work: the request's, or the reply's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from ..errors import MappingError
from ..model import Payload, Record
from .compile import decoder, decoding, encoder, encoding
from .contract import dig
from .field import shown
from .formats.shape import Shape, Stray, Values
from .link import Link
from .problem import Problem, gathered

__all__ = ["Side"]

_ABSENT: Final = object()
_MOST_NAMES: Final = 1000


class Side:
    """Links over a shape, compiled. ``name`` is the key of its rows in the mapping's file.

    ``reported`` counts what came and is not in the schema, where ``unmapped`` is ``report``.
    """

    def __init__(
        self,
        mapping: str,
        name: Literal["fields", "reply"],
        shape: Shape,
        links: Sequence[Link],
        unmapped: str,
    ) -> None:
        self._mapping = mapping
        self._name: Literal["fields", "reply"] = name
        self.shape = shape
        self.links = tuple(links)
        two_way = tuple(link for link in links if not link.row.one_way)
        self._read = self.links if name == "fields" else two_way
        self._written = self.links if name == "reply" else two_way
        self._strict = unmapped == "error"
        self._decode = decoder(self._read, with_else=name == "fields")
        self._encode = encoder(self._written, with_else=name == "reply")
        self._each = [(link, encoder([link], with_else=name == "reply")) for link in self._written]
        self._lock = threading.Lock()
        self.reported: dict[str, int] = {}

    def decode(self, record: Record) -> dict[str, object]:
        """Give the payload that a record means. Raises ``MappingError``, ``EnvelopeError``."""
        values, strays = self.shape.read(record)
        if strays and self._counted(strays):
            raise self._refused(record, values, strays)
        try:
            return self._decode(values)
        except Exception:  # noqa: BLE001 - whatever it was, the rows are asked one by one
            # The error that is hidden here may hold the value, which may be anybody's secret.
            raise self._refused(record, values, ()) from None

    def write(self, payload: Payload, original: Record) -> bytes:
        """Write the whole message from a payload. Raises ``MappingError``, ``EnvelopeError``."""
        try:
            values = self._encode(payload)
        except Exception:  # noqa: BLE001 - as above
            raise self._unwritten(payload, self._written) from None
        try:
            return self.shape.write(values, original)
        except ValueError as error:
            raise self._uncarried(values, payload, original, error) from None

    def patch(self, payload: Payload, original: Record) -> bytes:
        """Put into the original's bytes whatever the payload says otherwise than they do."""
        values, _ = self.shape.read(original)
        changes: dict[str, str | None] = {}
        changed: list[Link] = []
        try:
            for link, encode in self._each:
                if self._meant(link, values) != dig(payload, link.field.path):
                    changed.append(link)
                    changes[link.leaf.path] = encode(payload).get(link.leaf.path)
        except Exception:  # noqa: BLE001 - as above
            raise self._unwritten(payload, changed) from None
        try:
            return self.shape.patch(changes, original)
        except ValueError as error:
            raise self._uncarried(changes, payload, original, error) from None

    def _meant(self, link: Link, values: Values) -> object:
        text = values.get(link.leaf.path)
        if text is None or text in link.row.null:
            return None
        try:
            return decoding(link, with_else=self._name == "fields")(text)
        except Exception:  # noqa: BLE001 - what means nothing is replaced
            return _ABSENT

    def _counted(self, strays: Sequence[Stray]) -> bool:
        """Count what is only reported; say whether anything must be refused."""
        if self._strict or any(stray.broken for stray in strays):
            return True
        with self._lock:
            for stray in strays:
                # Names come from outside: they must not fill the memory.
                room = stray.path in self.reported or len(self.reported) < _MOST_NAMES
                path = stray.path if room else "…"
                self.reported[path] = self.reported.get(path, 0) + 1
        return False

    def _refused(self, record: Record, values: Values, strays: Sequence[Stray]) -> MappingError:
        places = self.shape.places(record)
        problems = [
            self._problem(
                stray.message,
                src=stray.path,
                at=stray.at,
                expected=stray.expected,
                hint="" if stray.broken else 'unmapped = "report" lets it pass, counted',
            )
            for stray in strays
            if stray.broken or self._strict
        ]
        broken = {stray.path for stray in strays if stray.broken}
        for link in self._read:
            if link.leaf.path not in broken:
                problems.extend(self._decode_problems(link, values, places.get(link.leaf.path, "")))
        return gathered(problems or [self._unsteady()])

    def _unwritten(self, payload: Payload, links: Sequence[Link]) -> MappingError:
        problems = [one for link in links for one in self._encode_problems(link, payload)]
        return gathered(problems or [self._unsteady()])

    def _unsteady(self) -> Problem:
        expected = "converters that do the same twice"
        return self._problem("failed once, and then did not", expected=expected)

    def _decode_problems(self, link: Link, values: Values, at: str) -> Iterator[Problem]:
        path = link.leaf.path
        text = values.get(path)
        if text is None or (link.may_be_absent and text in link.row.null):
            there = path in values or link.row.optional or not link.leaf.required
            if not (link.may_be_absent and (text is not None or there)):
                message = "holds nothing" if path in values else "is missing"
                yield self._of(link, message, at, "", link.field.expected)
            return
        try:
            decoding(link, with_else=self._name == "fields")(text)
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            expected = _why(link, "decode", text, error)
            yield self._of(link, "cannot be read", at, shown(text, link.tag), expected)

    def _encode_problems(self, link: Link, payload: Payload) -> Iterator[Problem]:
        value = dig(payload, link.field.path)
        if value is None:
            leaf = link.leaf
            absent = link.row.null or leaf.nullable or not leaf.required
            if link.field.required or not absent:
                yield self._of(link, "has no value", "", "", link.field.expected)
            return
        try:
            encoding(link, with_else=self._name == "reply")(value)
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            expected = _why(link, "encode", value, error)
            yield self._of(link, "cannot be written", "", shown(value, link.tag), expected)

    def _uncarried(
        self, values: Values, payload: Payload, original: Record, error: ValueError
    ) -> MappingError:
        """Name the rows whose text the message cannot carry, by trying each alone."""
        problems: list[Problem] = []
        for link in self._written:
            path = link.leaf.path
            if path not in values:
                continue
            try:
                self.shape.write({path: values[path]}, original)
            except ValueError as reason:
                value = shown(dig(payload, link.field.path), link.tag)
                problems.append(self._of(link, "cannot be carried", "", value, str(reason)))
        return gathered(problems or [self._problem("cannot be written", expected=str(error))])

    def _of(self, link: Link, message: str, at: str, value: str, expected: str) -> Problem:
        row = link.row
        hint = ""
        if message == "cannot be read":
            hint = f"mend the record; or give the row another 'as' than {row.as_}, 'null' or 'else'"
        return self._problem(
            message,
            row=link.number,
            src=row.src,
            dst=row.dst,
            at=at,
            value=value,
            expected=expected,
            hint=hint,
        )

    def _problem(self, message: str, **parts: object) -> Problem:
        return Problem(message, mapping=self._mapping, side=self._name, **parts)  # type: ignore[arg-type]


def _why(link: Link, way: Literal["decode", "encode"], value: object, quick: Exception) -> str:
    """Give what a converter expected; a masked value that it repeats is masked there too."""
    try:
        getattr(link.converter, way)(value)
    except ValueError as error:
        expected = str(error)
    except Exception as error:  # noqa: BLE001 - a converter of somebody else's
        return f"a converter that raises ValueError only, not {type(error).__name__}"
    else:
        expected = str(quick) if isinstance(quick, ValueError) else "a converter that is sure"
    if link.tag not in ("", "none") and str(value) in expected:
        return f"what {link.row.as_} takes"
    return expected
