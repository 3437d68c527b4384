"""Loading a mapping: read, checked with all that is wrong named at once, and compiled."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from ...config import options, read_toml
from ...errors import ConfigError, FigError
from ..converters.codes import described, load_codes
from ..converters.traits import traits_of
from ..formats.kinds import sides
from ..formats.shape import Leaf, Sides
from ..operations.contract import Contract
from ..operations.operation import Operation
from ..rows import MappingTable, Row, own_modules
from .cover import Cover
from .lines import Lines
from .link import Link, strictest
from .linker import Linker
from .plan import grow_plan
from .problem import MappingFileError, Problem, RowPlace
from .side import Side

__all__ = ["load"]


def load(file: Path, operation: Operation, root: Path) -> tuple[str, str, Side, Side | None]:
    """Load a mapping; see ``load_mapping``. Give its digest, its root and its two sides."""
    return _Loader(file, operation, root).load()


class _Loader:
    def __init__(self, file: Path, operation: Operation, root: Path) -> None:
        self._file = file
        self._operation = operation
        self._root = root
        self._problems: list[FigError] = []

    def load(self) -> tuple[str, str, Side, Side | None]:
        tables = read_toml(self._file)
        lines = Lines(self._file.read_text("utf-8"))
        name, contracts = self._file.name, self._operation
        table = options(MappingTable, tables, name)
        self._check_head(table)
        made = sides(table.from_, self._root, f"{name}: from")
        self._check_reply(table, made)
        codes = load_codes(table.codes, self._root, f"{name}: codes")
        asked = self._side(RowPlace(name, "fields", lines), table.fields)
        answered = self._side(RowPlace(name, "reply", lines), table.reply)
        complete = not self._problems
        asked.tie(made.request.leaves, contracts.input, codes)
        if made.reply is not None:
            answered.tie(made.reply.leaves, contracts.output, codes)
        if complete:
            self._cover(table, made, asked, answered)
        self._problems += [*asked.problems, *answered.problems]
        self._unused_codes(lines, table, [*asked.links, *answered.links])
        self._raise()
        digest = self._digest(tables, made, codes, (*asked.rows, *answered.rows))
        return self._compiled(table, made, digest, asked, answered)

    def _compiled(
        self, table: MappingTable, made: Sides, digest: str, asked: _Rows, answered: _Rows
    ) -> tuple[str, str, Side, Side | None]:
        place = f"{self._file.name}@{digest[:12]}"
        request = Side(
            place,
            "fields",
            made.request,
            asked.links,
            self._operation.input,
            table.unmapped,
            [*table.ignore],
        )
        answer: Side | None = None
        if made.reply is not None and (table.reply or not made.shared):
            answer = Side(
                place,
                "reply",
                made.reply,
                answered.links,
                self._operation.output,
                table.unmapped,
                [*table.reply_ignore],
            )
        return digest, made.root, request, answer

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

    def _side(self, at: RowPlace, tables: Sequence[Mapping[str, object]]) -> _Rows:
        rows: list[Row] = []
        for number, table in enumerate(tables, 1):
            try:
                rows.append(options(Row, table, f"{self._file.name}: {at.side} row {number}"))
            except ConfigError as error:
                spot = at.lines.row(at.side, number)
                if spot is not None:
                    error.source, error.column = spot.source, spot.column
                self._problems.append(error)
        return _Rows(at, rows)

    def _cover(self, table: MappingTable, made: Sides, asked: _Rows, answered: _Rows) -> None:
        contracts = self._operation
        request = Cover(asked.at, asked.rows, asked.links, table.ignore)
        reply = Cover(answered.at, answered.rows, answered.links, table.reply_ignore)
        paths = [leaf.path for leaf in made.request.leaves] if made.shared else []
        theirs = {path for path in paths if path in reply.mapped or reply.ignores(path)}
        ours = {path for path in paths if path in request.mapped or request.ignores(path)}
        self._problems += request.problems(made.request.leaves, contracts.input, theirs)
        if made.reply is None:
            return
        if made.shared:
            # What neither side covers was named above, once is enough.
            ours = {*ours, *paths}
        if answered.rows or not made.shared:
            self._problems += reply.problems(made.reply.leaves, contracts.output, ours)
        if answered.whole and not made.shared:
            self._problems += reply.unwritable(made.reply.leaves, contracts.output)
            self._problems += reply.undecided()

    def _unused_codes(self, lines: Lines, table: MappingTable, links: Sequence[Link]) -> None:
        if self._problems:
            return
        used = {traits_of(one.converter).table for link in links for one in link.chain.stages}
        for name in table.codes:
            if name not in used:
                close = difflib.get_close_matches(name, used - {""}, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "take it out"
                error = ConfigError(
                    "a table of codes that no row reads",
                    place=f"{self._file.name}: codes.{name}",
                    expected=f'a row with as = "code({name})"',
                    remedy=hint,
                )
                spot = lines.key(f"codes.{name}")
                if spot is not None:
                    error.source, error.column = spot.source, spot.column
                self._problems.append(error)

    def _raise(self) -> None:
        if len(self._problems) == 1 and not isinstance(self._problems[0], Problem):
            raise self._problems[0]
        if self._problems:
            raise MappingFileError(str(self._file), self._problems)

    def _digest(
        self,
        tables: Mapping[str, object],
        made: Sides,
        codes: Mapping[str, Mapping[str, str]],
        rows: Sequence[Row],
    ) -> str:
        parts = [tables, {name: described(table) for name, table in codes.items()}]
        made_of = hashlib.sha256(msgspec.json.encode(parts, order="deterministic"))
        made_of.update(self._operation.digest.encode())
        for shape in (made.request, made.reply):
            made_of.update(b"\0" if shape is None else shape.describe())
        for module in sorted({name for row in rows for name in own_modules(row.as_)}):
            made_of.update(module.encode() + b"\0" + _source(module))
        return made_of.hexdigest()


def _source(module: str) -> bytes:
    """Give the text of a module, so that a mapping changes when its own converters do."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return b""
    return hashlib.sha256(Path(spec.origin).read_bytes()).digest()


def tagged(links: Sequence[Link]) -> list[Link]:
    """Tell links how what they read besides is tagged, by the rows that map it."""
    tags: dict[str, list[str]] = {}
    for link in links:
        for place in link.places:
            tags.setdefault(place.path.leaf, []).append(link.tag)
    return [
        replace(
            link,
            beside_tag=strictest(
                [
                    tag
                    for place in link.every_place[len(link.places) :]
                    for tag in tags.get(place.path.leaf, ())
                ]
            ),
        )
        for link in links
    ]


class _Rows:
    """The rows of one side, the links that they were tied to, and what is wrong with them."""

    def __init__(self, at: RowPlace, rows: Sequence[Row]) -> None:
        self.at = at
        self.rows = rows
        self.links: list[Link] = []
        self.problems: list[Problem] = []

    @property
    def whole(self) -> bool:
        """Say whether every row was tied, and all go together."""
        return not self.problems

    def tie(
        self, leaves: Sequence[Leaf], contract: Contract, codes: Mapping[str, Mapping[str, str]]
    ) -> None:
        linker = Linker(self.at, leaves, contract, codes)
        for number, row in enumerate(self.rows, 1):
            link, problems = linker.tie(number, row)
            self.problems.extend(problems)
            if link is not None:
                self.links.append(link)
        self.links = tagged(self.links)
        read = [link for link in self.links if self.at.side == "fields" or link.two_way]
        if not self.problems:
            _, misplaced = grow_plan(contract.tree, read)
            self.problems += [
                self.at.problem(
                    one.message,
                    row=one.link.number,
                    key="dst",
                    src=one.link.source,
                    dst=one.link.destination,
                    expected=one.expected,
                )
                for one in misplaced
            ]
