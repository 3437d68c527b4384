"""A mapping: the total, two-way translation between a legacy record and an operation."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ..config import options, read_toml
from ..errors import ConfigError, FigError, MappingError
from ..model import Payload, Record
from .cover import Cover
from .formats.kinds import sides
from .formats.shape import Leaf, Sides
from .link import Link, Linker
from .operation import Operation
from .problem import Problem
from .rows import MappingTable, Row
from .side import Side

__all__ = ["CompiledMapping", "load_mapping"]


class CompiledMapping:
    """A mapping at work. Made once by ``load_mapping``; any thread may use it.

    ``digest`` is the SHA-256 of all that decides what it does. ``root`` is the name of the
    request's element, ``{namespace}local``, for kind ``soap``.
    """

    def __init__(
        self, place: str, digest: str, root: str, request: Side, reply: Side | None
    ) -> None:
        self.place = place
        self.digest = digest
        self.root = root
        self.request = request
        self.reply = reply

    def decode_request(self, record: Record) -> dict[str, object]:
        """Give the payload that a legacy request means.

        Every field of the operation is in it, None where legacy said nothing. Raises
        ``MappingError`` with all of the record's problems, or ``EnvelopeError``.
        """
        return self.request.decode(record)

    def encode_request(self, payload: Payload, original: Record) -> bytes:
        """Give the original's bytes with what the payload says otherwise; all else stays.

        Raises ``MappingError`` or ``EnvelopeError``.
        """
        return self.request.patch(payload, original)

    def decode_reply(self, record: Record) -> dict[str, object]:
        """Give the payload that legacy's answer means.

        Raises ``MappingError``, also where legacy answered with a fault, or ``EnvelopeError``.
        """
        return self._reply().decode(record)

    def encode_reply(self, payload: Payload, request: Record) -> bytes:
        """Write the answer that legacy would have given; for ``soap`` a whole envelope.

        Raises ``MappingError`` with all problems of the payload.
        """
        return self._reply().write(payload, request)

    def unmapped(self) -> dict[str, int]:
        """Count what came and is in no schema, by path, since the start."""
        counts = dict(self.request.reported)
        for path, count in (self.reply.reported if self.reply else {}).items():
            counts[path] = counts.get(path, 0) + count
        return counts

    def _reply(self) -> Side:
        if self.reply is None:
            raise MappingError(
                "the mapping has no reply",
                place=self.place,
                expected="reply rows and, for kind soap, from.answer",
            )
        return self.reply


def load_mapping(file: Path, operation: Operation, root: Path) -> CompiledMapping:
    """Read, check and compile a mapping. Called once an endpoint, at start.

    ``from.schema`` is relative to ``root``, the workspace's folder. Raises ``ConfigError`` that
    names all that is wrong: rows that do not fit, places of legacy that are neither mapped nor
    ignored with a reason, fields of the operation that nothing feeds.
    """
    return _Loader(file, operation, root).load()


class _Loader:
    def __init__(self, file: Path, operation: Operation, root: Path) -> None:
        self._file = file
        self._operation = operation
        self._root = root
        self._problems: list[FigError] = []

    def load(self) -> CompiledMapping:
        tables = read_toml(self._file)
        table = options(MappingTable, tables, self._file.name)
        self._check_head(table)
        made = sides(table.from_, self._root, f"{self._file.name}: from")
        self._check_reply(table, made)
        fields = self._rows("fields", table.fields)
        reply = self._rows("reply", table.reply)
        if not self._problems:
            self._cover(table, made, fields, reply)
        asked = self._links("fields", fields, made.request.leaves, table)
        answered: list[Link] = []
        if made.reply is not None:
            answered = self._links("reply", reply, made.reply.leaves, table)
            if not self._problems and not made.shared:
                self._writable(table, reply, made.reply.leaves, answered)
        self._unused_codes(table, [*asked, *answered])
        self._raise()
        digest = self._digest(tables, made)
        place = f"{self._file.name}@{digest[:12]}"
        request = Side(place, "fields", made.request, asked, table.unmapped)
        answer: Side | None = None
        if made.reply is not None and (table.reply or not made.shared):
            answer = Side(place, "reply", made.reply, answered, table.unmapped)
        return CompiledMapping(place, digest, made.root, request, answer)

    def _check_head(self, table: MappingTable) -> None:
        if table.operation != self._operation.id:
            raise ConfigError(
                "for another operation",
                place=f"{self._file.name}: operation",
                value=table.operation,
                expected=self._operation.id,
                remedy="mend it here, or in the endpoint of fig.toml",
            )
        if table.unmapped not in ("error", "report"):
            raise ConfigError(
                "no such policy",
                place=f"{self._file.name}: unmapped",
                value=table.unmapped,
                expected='"error" or "report"',
            )

    def _check_reply(self, table: MappingTable, made: Sides) -> None:
        wanted = any(field.required for field in self._operation.output.fields)
        if made.reply is None and (wanted or table.reply):
            raise ConfigError(
                "nothing answers",
                place=f"{self._file.name}: from.answer",
                expected=f"the element of the answer: {self._operation.id} has an output",
                remedy="name it as {namespace}local",
            )

    def _rows(
        self, side: Literal["fields", "reply"], tables: Sequence[Mapping[str, object]]
    ) -> list[Row]:
        rows: list[Row] = []
        for number, table in enumerate(tables, 1):
            try:
                rows.append(options(Row, table, f"{self._file.name}: {side} row {number}"))
            except ConfigError as error:
                self._problems.append(error)
        return rows

    def _links(
        self,
        side: Literal["fields", "reply"],
        rows: Sequence[Row],
        leaves: Sequence[Leaf],
        table: MappingTable,
    ) -> list[Link]:
        contract = self._operation.input if side == "fields" else self._operation.output
        linker = Linker(self._file.name, side, leaves, contract, table.codes)
        links: list[Link] = []
        for number, row in enumerate(rows, 1):
            link, problems = linker.tie(number, row)
            self._problems.extend(problems)
            if link is not None:
                links.append(link)
        return links

    def _cover(
        self, table: MappingTable, made: Sides, fields: Sequence[Row], reply: Sequence[Row]
    ) -> None:
        name, operation = self._file.name, self._operation
        asked = Cover(name, "fields", fields, table.ignore)
        answered = Cover(name, "reply", reply, table.reply_ignore)
        paths = [leaf.path for leaf in made.request.leaves] if made.shared else []
        theirs = {path for path in paths if path in answered.mapped or answered.ignores(path)}
        ours = {path for path in paths if path in asked.mapped or asked.ignores(path)}
        self._problems += asked.problems(made.request.leaves, operation.input, theirs)
        if made.reply is None:
            return
        if made.shared:
            # What neither side covers was named above, once is enough.
            ours = {*ours, *paths}
        if reply or not made.shared:
            self._problems += answered.problems(made.reply.leaves, operation.output, ours)

    def _writable(
        self, table: MappingTable, rows: Sequence[Row], leaves: Sequence[Leaf], links: list[Link]
    ) -> None:
        cover = Cover(self._file.name, "reply", rows, table.reply_ignore)
        self._problems += cover.unwritable(leaves, links)

    def _unused_codes(self, table: MappingTable, links: Sequence[Link]) -> None:
        if self._problems:
            return
        used = {link.traits.table for link in links}
        for name in table.codes:
            if name not in used:
                close = difflib.get_close_matches(name, used - {""}, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "take it out"
                self._problems.append(
                    ConfigError(
                        "a table of codes that no row reads",
                        place=f"{self._file.name}: codes.{name}",
                        expected=f'a row with as = "code({name})"',
                        remedy=hint,
                    )
                )

    def _raise(self) -> None:
        if len(self._problems) == 1 and not isinstance(self._problems[0], Problem):
            raise self._problems[0]
        if self._problems:
            count = len(self._problems)
            listed = "".join(f"\n  {number}. {one}" for number, one in enumerate(self._problems, 1))
            raise ConfigError(
                f"{count} problem{'s' if count > 1 else ''}:{listed}",
                place=str(self._file),
                remedy="mend them all; nothing of this mapping is used until then",
            )

    def _digest(self, tables: Mapping[str, object], made: Sides) -> str:
        made_of = hashlib.sha256(msgspec.json.encode(tables, order="deterministic"))
        made_of.update(self._operation.digest.encode())
        for shape in (made.request, made.reply):
            made_of.update(b"\0" if shape is None else shape.describe())
        return made_of.hexdigest()
