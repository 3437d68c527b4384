"""Carrying payloads of one version over to another: rows from value to value, total and checked."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from ...errors import ConfigError
from ...model import Payload
from ..operations.contract import Contract
from ..operations.field import Field, as_value
from ..operations.tree import Branch, branches, lists_of
from ..rows import own_modules
from .convert import Convert, conversion
from .moves import Move, compile_moves
from .presence import presence_problems

__all__ = ["Carry", "CarryRow"]


class CarryRow(msgspec.Struct, frozen=True, kw_only=True, rename={"as_": "as", "else_": "else"}):
    """One row: from ``src`` to ``dst``, or a constant ``value``. Both are fields, or both groups.

    Without ``as`` a value of the same type moves as it is, another through its canonical text. With
    it, the old value's text is what the converter decodes to the new value, and encodes it back to
    in a reply. ``else`` is what the target gets where the source is absent or does not convert.
    ``one_way`` is for readers: versions only ever go one way.
    """

    dst: str
    src: str = ""
    as_: str = ""
    value: object = None
    else_: object = None
    one_way: str = ""


class Carry:
    """One way of a step: from ``source`` to ``target``. ``tie`` first, then ``compiled``.

    ``tables`` holds the names of the code tables that its rows read, ``modules`` those of the
    modules that their own converters come from.
    """

    def __init__(
        self,
        place: str,
        source: Contract,
        target: Contract,
        codes: Mapping[str, Mapping[str, str]],
        *,
        upward: bool,
    ) -> None:
        self.place = place
        self.tables: set[str] = set()
        self.modules: set[str] = set()
        self._source = source
        self._target = target
        self._codes = codes
        self._upward = upward
        self._moves: list[Move] = []
        self._lists: dict[str, str] = {}
        self._problems: list[ConfigError] = []

    def tie(
        self, rows: Sequence[CarryRow], ignore: Mapping[str, str], *, same: bool
    ) -> list[ConfigError]:
        """Check the rows, alone and together; give all that is wrong."""
        for number, row in enumerate(rows, 1):
            for one in self._spread(number, row):
                self._tie_one(number, one)
        if same:
            self._tie_same(ignore)
        # What is wrong with a row would be told twice.
        if not self._problems:
            self._problems += self._uncovered(ignore)
            self._problems += self._unfed()
            self._problems += [
                self._problem(message, 0, expected=expected)
                for message, expected in presence_problems(
                    self._source, self._target, self._moves, self._lists
                )
            ]
        return self._problems

    def compiled(self) -> Callable[[Payload], dict[str, object]]:
        """Give the function that carries a payload over. It raises ``ContractError``."""
        return compile_moves(self._target.tree, self._moves, self._lists)

    def _spread(self, number: int, row: CarryRow) -> Iterator[CarryRow]:
        """Give a row for each field that two groups have in common; a field's row as it is."""
        source, target = (
            _branch(self._source.tree, row.src),
            _branch(self._target.tree, row.dst),
        )
        if source is None or target is None:
            yield row
            return
        if row.as_ or row.else_ is not None or row.value is not None:
            self._problems.append(
                self._problem("is of groups", number, expected="as, else and value on fields")
            )
        for name in self._target.by_name:
            twin = row.src + name[len(row.dst) :]
            if name.startswith(f"{row.dst}.") and twin in self._source.by_name:
                yield CarryRow(src=twin, dst=name)

    def _tie_one(self, number: int, row: CarryRow) -> None:
        target = self._target.by_name.get(row.dst)
        source = self._source.by_name.get(row.src)
        if target is None:
            self._unknown(number, row.dst, self._target)
            return
        if row.src and source is None:
            self._unknown(number, row.src, self._source)
            return
        if (source is None) == (row.value is None):
            message = "needs a src or a value, and not both"
            self._problems.append(self._problem(message, number, value=row.dst))
            return
        before = next((one for one in self._moves if one.target.name == row.dst), None)
        if before is not None:
            message = f"{row.dst} is fed by {before.where} already"
            self._problems.append(self._problem(message, number))
            return
        move = self._move(number, row, source, target)
        if move is not None and self._paired(number, source, target):
            self._moves.append(move)

    def _move(self, number: int, row: CarryRow, source: Field | None, target: Field) -> Move | None:
        constants: dict[str, object] = {}
        for key, raw in (("value", row.value), ("else", row.else_)):
            constants[key] = None if raw is None else as_value(target, raw)
            if raw is not None and constants[key] is None:
                expected = target.expected
                problem = self._problem(
                    f"{key} does not fit {target.name}", number, value=repr(raw), expected=expected
                )
                self._problems.append(problem)
                return None
        where = f"row {number}" if number else "same"
        convert: Convert | None = None
        if source is not None:
            try:
                found = conversion(
                    row.as_,
                    self._codes,
                    source,
                    target,
                    upward=self._upward,
                    place=self.place,
                    total=row.else_ is None,
                )
            except ValueError as error:
                text = f"{source.name} → {target.name}"
                self._problems.append(
                    self._problem("does not convert", number, value=text, expected=str(error))
                )
                return None
            self.tables |= found.tables
            self.modules |= set(own_modules(row.as_)) if row.as_ else set()
            place = f"{self.place} {where}: {source.name} → {target.name}"
            convert = found.guarded(place, source.tag or target.tag, target, constants["else"])
        return Move(source, target, where, convert, constants["value"], constants["else"])

    def _paired(self, number: int, source: Field | None, target: Field) -> bool:
        """Note which list feeds which; say whether that can be."""
        if source is None:
            return True
        ours, theirs = lists_of(target.name), lists_of(source.name)
        if len(ours) != len(theirs):
            message = f"{source.name} and {target.name} stand in another number of lists"
            self._problems.append(
                self._problem(message, number, expected="as many [] on each side")
            )
            return False
        for one, other in zip(ours, theirs, strict=True):
            if self._lists.setdefault(one, other) != other:
                message = f"{one} is filled from {self._lists[one]} and from {other}"
                self._problems.append(
                    self._problem(message, number, expected="one list for each list")
                )
                return False
        return True

    def _tie_same(self, ignore: Mapping[str, str]) -> None:
        fed = {move.target.name for move in self._moves}
        used = {move.source.name for move in self._moves if move.source is not None}
        for name, target in self._target.by_name.items():
            source = self._source.by_name.get(name)
            if source is None or name in fed or name in used or _ignores(ignore, name):
                continue
            if (source.type, source.zone, source.unit) == (target.type, target.zone, target.unit):
                self._tie_one(0, CarryRow(src=name, dst=name))

    def _uncovered(self, ignore: Mapping[str, str]) -> Iterator[ConfigError]:
        used = {move.source.name for move in self._moves if move.source is not None}
        key = "ignore" if self._upward else "reply_ignore"
        for name in self._source.by_name:
            if name not in used and not _ignores(ignore, name):
                expected = f'a row, or {key} = {{ "{name}" = "reason" }}'
                yield self._problem(f"{name} is neither carried nor ignored", 0, expected=expected)
        for name, reason in ignore.items():
            inside = [one for one in self._source.by_name if _ignores({name: ""}, one)]
            if not inside:
                yield self._problem(
                    f"{key}: {self._source.title} has no {name!r}",
                    0,
                    remedy=_close(name, self._source.by_name),
                )
            elif not reason.strip():
                yield self._problem(f"{key}: no reason", 0, value=name)
            elif used & set(inside):
                both = min(used & set(inside))
                yield self._problem(f"{key}: {both} is carried as well", 0, value=name)

    def _unfed(self) -> Iterator[ConfigError]:
        fed = {move.target.name for move in self._moves} | self._lists.keys()
        needed: list[Branch | Field] = [
            *(one for one in branches(self._target.tree) if one.listed),
            *self._target.fields,
        ]
        for node in needed:
            if node.required and node.name not in fed and self._entered(node.name, fed):
                expected = node.expected if isinstance(node, Field) else "a list of groups"
                expected = f"a row that feeds it ({expected})"
                message = f"{self._target.title} needs {node.name}, and no row feeds it"
                yield self._problem(message, 0, expected=expected)
        for move in self._moves:
            around = lists_of(move.target.name)
            if around and around[-1] not in self._lists:
                yield self._problem(f"nothing says how many entries {around[-1]} has", 0)

    def _entered(self, name: str, fed: Collection[str]) -> bool:
        """Say whether a needed thing is needed here: nothing around it stays away as a whole."""
        lists = lists_of(name.removesuffix("[]"))
        if lists and lists[-1] not in self._lists:
            return False
        return not any(
            name.startswith(f"{branch.name}.")
            and not (branch.required or branch.listed)
            and not any(one.startswith(f"{branch.name}.") for one in fed)
            for branch in branches(self._target.tree)
        )

    def _unknown(self, number: int, name: str, contract: Contract) -> None:
        remedy = _close(name, [*contract.by_name, *(one.name for one in branches(contract.tree))])
        self._problems.append(
            self._problem(f"{contract.title} has no {name!r}", number, remedy=remedy)
        )

    def _problem(self, message: str, number: int, **parts: str) -> ConfigError:
        place = f"{self.place} row {number}" if number else self.place
        return ConfigError(message, place=place, **parts)


def _branch(tree: Branch, name: str) -> Branch | None:
    return next((one for one in branches(tree) if one.name == name), None)


def _ignores(ignore: Mapping[str, str], name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in ignore)


def _close(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "there is " + ", ".join([*names][:20])
