"""From a file of records to values: what is bad goes to the quarantine, and the file goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from ..copybook.codec.codec import Codec
from ..copybook.codec.correction import as_text
from ..copybook.codec.problem import Problem, RecordError
from .format import RecordFormat
from .lines import BYTES, FRAME, Framing
from .quarantine import Quarantine
from .record import Bad, Found, RawRecord

__all__ = ["Decoded", "Decoding"]

_TOLD = 50
"""The most kinds of replaced values that are counted apart."""
_WORDS = {
    "blank": "blank",
    "low": "low-values",
    "invalid": "no number",
    "zero": "zero",
    "short": "the record ends inside it",
    "rest": "bytes behind all that the copybook has",
    "count": "a count that the table cannot have",
}
"""What is said of a value that is none: never the value itself, which may be a person's."""


class Decoded:
    """One record's values, as they are printed: ``number`` and ``offset`` say where it was."""

    __slots__ = ("number", "offset", "values")

    def __init__(self, number: int, offset: int, values: dict[str, object]) -> None:
        self.number = number
        self.offset = offset
        self.values = values


class Records(Protocol):
    """Where records come from: a ``Reader``, or a ``Replay``."""

    @property
    def header(self) -> bytes:
        """Give the bytes before the first record."""

    @property
    def footer(self) -> bytes:
        """Give the bytes behind the last one, once all was read."""

    def __iter__(self) -> Iterator[Found]:
        """Give the records."""

    def rest(self) -> Iterator[bytes]:
        """Give what is unread behind a ``stop``."""


class Decoding:
    """Decodes one file; iterate over it once.

    ``plain`` leaves out what only writing back needs. ``count`` counts the records given and
    ``nulls`` the values that a policy replaced, by path and reason.
    """

    def __init__(
        self,
        reader: Records,
        form: RecordFormat,
        codec: Codec,
        quarantine: Quarantine,
        *,
        plain: bool = False,
    ) -> None:
        self._reader = reader
        self._around = bool(form.header or form.footer) and not plain
        self._codec = codec
        self._quarantine = quarantine
        self._plain = plain
        self._framing = Framing(form.end, b"" if plain else reader.header)
        self.count = 0
        self.nulls: Counter[tuple[str, str]] = Counter()

    def __iter__(self) -> Iterator[Decoded]:
        """Give the values of each good record; the last one says what the file's footer is."""
        held: Decoded | None = None
        for decoded in self._good():
            self.count += 1
            if not self._around:
                yield decoded
                continue
            if held is not None:
                yield held
            held = decoded
        if held is not None:
            if footer := self._ends(alone=False):
                held.values[FRAME] = {**_framed(held), **footer}
            yield held
        elif self._around and not self.count:
            yield Decoded(0, 0, {FRAME: self._ends(alone=True)})

    def _ends(self, *, alone: bool) -> dict[str, str]:
        ends = {"header": self._reader.header if alone else b"", "footer": self._reader.footer}
        return {name: found.hex().upper() for name, found in ends.items() if found}

    def _good(self) -> Iterator[Decoded]:
        for found in self._reader:
            if isinstance(found, Bad):
                self._quarantine.add(found, self._reader.rest())
                continue
            values = self._decode(found)
            if values is None:
                self._framing.missed(found.frame)
                continue
            if not self._plain and (frame := self._framing.tell(found.frame)):
                values[FRAME] = frame
            yield Decoded(found.number, found.offset, values)

    def _decode(self, record: RawRecord) -> dict[str, object] | None:
        report: list[Problem] = []
        try:
            values = self._values(record.body, report)
        except RecordError as error:
            self._quarantine.add(_refused(record, error.problems))
            return None
        for problem in report:
            self._count(problem)
        return values

    def _values(self, body: bytes, report: list[Problem]) -> dict[str, object]:
        """Give the values, and report what is missing among them. Raises ``RecordError``."""
        values = self._codec.decode(body, report)
        if not self._plain:
            values, corrections = self._codec.exact(body)
            if corrections:
                values[BYTES] = as_text(corrections)
        elif report:
            # With a report no policy refuses a record; without one it does.
            values = self._codec.decode(body)
        return values

    def _count(self, problem: Problem) -> None:
        said = (problem.path, _WORDS.get(problem.kind, problem.reason))
        if said in self.nulls or len(self.nulls) < _TOLD:
            self.nulls[said] += 1


def _framed(decoded: Decoded) -> dict[str, str]:
    frame = decoded.values.get(FRAME)
    return frame if isinstance(frame, dict) else {}


def _refused(record: RawRecord, problems: Sequence[Problem]) -> Bad:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Bad(
        kind="record",
        number=record.number,
        offset=record.offset,
        length=len(record.body),
        body=record.body,
        path=first.path,
        reason=f"{_WORDS.get(first.kind, first.reason)}{more}",
        expected=f"not {first.hex} in bytes {first.offset}+{first.size}: {first.reason}",
    )
