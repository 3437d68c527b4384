"""Records of a copybook: bytes to nested dicts, and back to the same bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from ..copybook import Copybook
from .assemble import Assembly
from .correction import Corrections, apply, covers, difference
from .decode import Decoder, decoder
from .encode import encoder
from .node import Node, plant
from .options import CodecOptions
from .problem import Problem, RecordError
from .repair import Repair

__all__ = ["Codec", "Decoded"]

Decoded = dict[str, object]
"""Groups are dicts, tables lists, elementary items ``str``, ``int``, ``Decimal``, ``float`` or
None; keys are the names of the copybook. FILLER is left out, but not what has a name inside it."""


class Codec:
    """A copybook at work. Building one writes its reader and its writer; any thread may use it.

    ``size`` is the bytes of a record, every OCCURS at its most. ``tree`` are its items, compiled;
    ``moving``: what stands behind a table with DEPENDING ON moves up.

    Raises ``ConfigError`` where the options do not fit the copybook, ``MissingExtra`` where a code
    page needs the package ``ebcdic``.
    """

    def __init__(self, copybook: Copybook, options: CodecOptions | None = None) -> None:
        self.copybook = copybook
        self.options = options or CodecOptions()
        self.tree = plant(copybook, self.options)
        self.moving = self.options.occurs != "max" and any(n.variable for n in self.tree.walk())
        self._careful: Decoder | None = None
        self._whole = self._carefully() if self.moving else self._reader(careful=False)
        self._nodes = list(self.tree.walk())
        self._numbers = {id(node): number for number, node in enumerate(self._nodes)}
        self._repair = Repair(self._nodes)
        self._quick = encoder(self.tree, self._repair, moving=self.moving)
        self.size = self.tree.size

    def decode(self, record: bytes, report: list[Problem] | None = None) -> Decoded:
        """Give a record's values.

        What stands behind the end of a record that is shorter than the copybook is None. Where
        ``report`` is given, all that could not be read is added to it, and policies that say
        ``error`` say ``null``; without one they raise ``RecordError``.
        """
        read = self._whole if len(record) >= self.size else self._carefully()
        if report is None:
            return read(record, self._repair)
        found: list[Problem] = []
        values = read(record, Repair(self._nodes, found))
        report += sorted(found, key=lambda one: one.offset)
        if len(record) > self.size:
            rest = record[self.size :]
            reason = f"{len(rest)} bytes more than the copybook has"
            report.append(
                Problem(
                    path="",
                    offset=self.size,
                    size=len(rest),
                    hex=rest[:64].hex(),
                    reason=reason,
                    kind="rest",
                )
            )
        return values

    def _carefully(self) -> Decoder:
        """Give the reader of records that may end anywhere, written where one is met."""
        if self._careful is None:
            self._careful = self._reader(careful=True)
        return self._careful

    def _reader(self, *, careful: bool) -> Decoder:
        return decoder(self.tree, careful=careful, moving=self.moving)

    def reader(self, path: str) -> Callable[[bytes], object]:
        """Give the function that reads one item's bytes, policies and all."""
        number, repair = self._numbers[id(self.tree.by_path[path])], self._repair
        return lambda raw: repair.value(number, raw, 0)

    def problems(self, record: bytes) -> list[Problem]:
        """Give all that cannot be read in a record, in the order of its bytes."""
        report: list[Problem] = []
        self.decode(record, report)
        return report

    def encode(self, values: Mapping[str, object], corrections: Corrections | None = None) -> bytes:
        """Give the record that holds the values.

        A field that is not among them gets its VALUE, else zeros or spaces; one that is None, what
        reads as nothing. ``corrections`` are those of ``exact``. Raises ``RecordError`` with all
        that does not fit.
        """
        made, problems = self._assembled(values)
        if corrections:
            try:
                made = apply(made, corrections)
            except ValueError as error:
                raise RecordError(
                    [Problem(path="", offset=0, size=0, value="corrections", reason=str(error))]
                ) from None
            # Nothing is wrong with bytes behind the end, nor with those that are said one by one.
            problems = [
                one
                for one in problems
                if not one.size
                or not covers(corrections, one.offset, min(one.offset + one.size, len(made)))
            ]
        if problems:
            raise RecordError(problems)
        return made

    def exact(self, record: bytes) -> tuple[Decoded, Corrections]:
        """Give a record's values, and what ``encode`` needs beside them to give its very bytes."""
        values = self.decode(record)
        made, problems = self._assembled(values)
        if not problems and made == record:
            return values, {}
        kept = [(one.offset, one.offset + one.size) for one in problems]
        return values, difference(record, made, kept)

    def item(self, node: Node, value: object) -> bytes:
        """Give the bytes of one item, a table whole. Raises ``RecordError``."""
        assembly = self._assembly()
        made = assembly.item(node, value)
        if assembly.problems:
            raise RecordError(assembly.problems)
        return made

    def _assembly(self) -> Assembly:
        return Assembly(self.tree, self._numbers, self._repair, moving=self.moving)

    def _assembled(self, values: Mapping[str, object]) -> tuple[bytes, list[Problem]]:
        if self._quick is not None:
            with contextlib.suppress(Exception):  # whatever it was: all is looked at once more
                return self._quick(values), []
        assembly = self._assembly()
        made = assembly.record(values)
        if self.options.occurs == "pad":
            made = made.ljust(self.size, self.tree.page.blank)
        return made, assembly.problems
