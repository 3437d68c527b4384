"""One side of a mapping at work: the request's, or the reply's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, Literal

from ...errors import MappingError
from ...model import Payload, Record
from ..formats.shape import Shape, Stray, Values
from ..operations.contract import Contract
from ..operations.field import shown
from ..path import numbered
from .chooser import Chooser
from .decoding import compile_decoder
from .encoding import compile_encoder
from .link import Link
from .plan import grow_plan
from .problem import Problem, gathered
from .reading import Reader, Reading
from .sheet import Ours, grow_sheet
from .writing import Writer

__all__ = ["Side"]

_MOST_NAMES: Final = 1000
_MOST_PROBLEMS: Final = 1000


class Side:
    """Links over a shape, compiled. ``name`` is the key of its rows in the mapping's file.

    ``reported`` counts what came and is not in the schema, where ``unmapped`` is ``report``.
    ``compiled`` reads a record's values, and raises anything where they do not fit.
    """

    def __init__(
        self,
        mapping: str,
        name: Literal["fields", "reply"],
        shape: Shape,
        links: Sequence[Link],
        contract: Contract,
        unmapped: str,
        ignored: Sequence[str] = (),
    ) -> None:
        self._mapping = mapping
        self._name: Literal["fields", "reply"] = name
        self.shape = shape
        self.links = tuple(links)
        two_way = [link for link in links if link.two_way]
        request = name == "fields"
        self._strict = unmapped == "error"
        plan, _ = grow_plan(contract.tree, links if request else two_way)
        self.compiled = compile_decoder(plan, with_else=request)
        self._reader = Reader(plan, with_else=request, complain=self._complain)
        ours = Ours(contract)
        sheet = grow_sheet(two_way if request else links, ours)
        self._encode = compile_encoder(sheet, ours, with_else=not request)
        self._writer = Writer(sheet, ours, with_else=not request, complain=self._complain)
        self._chooser = Chooser(links, ignored)
        self._lock = threading.Lock()
        self.reported: dict[str, int] = {}

    def decode(self, record: Record) -> dict[str, object]:
        """Give the payload that a record means. Raises ``MappingError``, ``EnvelopeError``."""
        values, strays = self.shape.read(record)
        if self._chooser.needed:
            strays = [*strays, *self._chooser.strays(values)]
        if strays and self._counted(strays):
            raise self._refused(record, values, strays)
        try:
            return self.compiled(values)
        except Exception:  # noqa: BLE001 - whatever it was, the record is read with care
            # The error that is hidden here may hold the value, which may be anybody's secret.
            raise self._refused(record, values, ()) from None

    def write(self, payload: Payload, original: Record) -> bytes:
        """Write the whole message from a payload. Raises ``MappingError``, ``EnvelopeError``."""
        try:
            values = self._encode(payload)
        except Exception:  # noqa: BLE001 - as above
            _, problems = self._writer.write(payload, None)
            raise self._gathered(problems) from None
        try:
            return self.shape.write(values, original)
        except ValueError as error:
            raise self._uncarried(values, original, error) from None

    def patch(self, payload: Payload, original: Record) -> bytes:
        """Put into the original's bytes whatever the payload says otherwise than they do."""
        values, _ = self.shape.read(original)
        changes, problems = self._writer.write(payload, values)
        if problems:
            raise self._gathered(problems)
        try:
            return self.shape.patch(changes, original)
        except ValueError as error:
            raise self._uncarried(changes, original, error) from None

    def unmapped(self) -> dict[str, int]:
        """Count what came and is not in the schema, and codes without a meaning."""
        counts = dict(self.reported)
        for link in self.links:
            passed = link.chain.traits.passed
            for text, count in passed().items() if passed else ():
                counts[f"{link.source} = {text}"] = count
        return counts

    def explain(self, record: Record) -> tuple[list[Reading], list[Problem]]:
        """Read a record with care: what each row made of it, and the problems."""
        values, strays = self.shape.read(record)
        strays = [*strays, *self._chooser.strays(values)]
        broken = [stray.path for stray in strays if stray.broken]
        _, readings, problems = self._reader.read(values, self.shape.places(record), broken)
        return readings, [*self._stray_problems(strays), *problems]

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
        problems = self._stray_problems(strays)
        broken = [stray.path for stray in strays if stray.broken]
        _, _, found = self._reader.read(values, self.shape.places(record), broken)
        return self._gathered([*problems, *found])

    def _stray_problems(self, strays: Sequence[Stray]) -> list[Problem]:
        return [
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

    def _gathered(self, problems: Sequence[Problem]) -> MappingError:
        unsteady = "converters that do the same twice"
        found = list(problems) or [
            self._problem("failed once, and then did not", expected=unsteady)
        ]
        return gathered(found[:_MOST_PROBLEMS])

    def _uncarried(self, values: Values, original: Record, error: ValueError) -> MappingError:
        """Name the rows whose text the message cannot carry, by trying each alone."""
        problems: list[Problem] = []
        for path in values:
            try:
                self.shape.write({path: values[path]}, original)
            except ValueError as reason:
                for link in self._writer.names(path):
                    text = values[path]
                    value = shown(text, link.tag) if isinstance(text, str) else ""
                    problem = self._complain(
                        link, "cannot be carried", value=value, expected=str(reason)
                    )
                    problems.append(problem)
        return self._gathered(problems or [self._problem("cannot be written", expected=str(error))])

    def _complain(
        self,
        link: Link,
        message: str,
        *,
        indices: Sequence[int] = (),
        at: str = "",
        value: str = "",
        expected: str = "",
    ) -> Problem:
        row = link.row
        hint = ""
        if message == "cannot be read":
            hint = f"mend the record; or give the row another 'as' than {row.as_}, 'null' or 'else'"
        return self._problem(
            message,
            row=link.number,
            src=numbered(link.source, indices),
            dst=numbered(link.destination, indices),
            at=at,
            value=value,
            expected=expected,
            hint=hint,
        )

    def _problem(self, message: str, **parts: object) -> Problem:
        return Problem(message, mapping=self._mapping, side=self._name, **parts)  # type: ignore[arg-type]
