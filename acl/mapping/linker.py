"""Tying the rows of a mapping to what they name, alone and before all of them are held together."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal, TypeVar, cast

from ...errors import FigError
from ...registry import find
from ..converters import BUILT_IN
from ..converters.traits import Codes, Factory
from ..formats.shape import Leaf
from ..operations.contract import Contract
from ..operations.field import as_value
from ..path import Path, parse_path
from ..rows import Form, Row, parse_forms
from .chain import Chain, Knot, Stage, stage
from .divider import parse_divider
from .fitting import misfits
from .link import Condition, Link, Place, Target
from .problem import Problem, RowPlace

__all__ = ["Linker", "close_to"]

A = TypeVar("A")
B = TypeVar("B")
_KNOTS = ("split", "join")


class _Refused(ValueError):
    """A part of a row that cannot be tied; ``key`` is the row's key that says it."""

    def __init__(
        self, message: str, key: str, *, expected: str = "", hint: str = "", value: str = ""
    ) -> None:
        super().__init__(message)
        self.key = key
        self.parts = {"expected": expected, "hint": hint, "value": value}


class Linker:
    """Ties the rows of one side; collects what is wrong instead of stopping at the first."""

    def __init__(
        self,
        at: RowPlace,
        leaves: Collection[Leaf],
        contract: Contract,
        codes: Codes,
    ) -> None:
        self._at = at
        self._side: Literal["fields", "reply"] = at.side
        self._leaves = {leaf.path: leaf for leaf in leaves}
        self._contract = contract
        self._codes = codes

    def tie(self, number: int, row: Row) -> tuple[Link | None, list[Problem]]:
        """Check one row, alone. The link is None where it cannot be tied at all."""
        refused: list[_Refused] = []
        ours_side = self._side == "fields"
        legacy, ours = (row.sources, row.targets) if ours_side else (row.targets, row.sources)
        keys = ("src", "dst") if ours_side else ("dst", "src")
        places = _each(legacy, keys[0], self._place, refused)
        targets = _each(ours, keys[1], self._target, refused)
        conditions = _each(row.conditions().items(), "when", self._condition, refused)
        chain: Chain | None = None
        try:
            _shape(row)
            chain = self._chain(row, len(legacy), len(ours))
        except _Refused as error:
            refused.append(error)
        if refused or chain is None:
            return None, [self._problem(number, row, one) for one in refused]
        try:
            link = self._link(number, row, places, targets, tuple(conditions), chain)
        except _Refused as error:
            return None, [self._problem(number, row, error)]
        found = [
            self._problem(
                number,
                row,
                _Refused(
                    one.message, one.key, expected=one.expected, hint=one.hint, value=one.value
                ),
            )
            for one in misfits(link)
        ]
        return link, found

    def _link(
        self,
        number: int,
        row: Row,
        places: Sequence[Place],
        targets: Sequence[Target],
        conditions: tuple[Condition, ...],
        chain: Chain,
    ) -> Link:
        reads = tuple((at, self._read(at)) for at in chain.reads)
        if targets and targets[0].field.listed and chain.traits.type.endswith("[]"):
            targets = [target._replace(whole=True) for target in targets]
        constant, otherwise = row.value, row.else_
        if self._side == "fields" and len(targets) == 1:
            field = targets[0].field
            constant = None if constant is None else as_value(field, constant)
            if row.is_constant and constant is None:
                raise _Refused(
                    "value does not fit the field",
                    "value",
                    expected=field.expected,
                    value=repr(row.value),
                )
            otherwise = None if otherwise is None else as_value(field, otherwise)
        return Link(
            number=number,
            side=self._side,
            row=row,
            places=tuple(places),
            targets=tuple(targets),
            chain=chain,
            conditions=conditions,
            reads=reads,
            constant=constant,
            else_=otherwise,
        )

    def _path(self, text: str, key: str) -> Path:
        if text in self._leaves and "[" not in text:
            # A column may be called anything.
            return Path((), text)
        try:
            return parse_path(text)
        except ValueError as error:
            raise _Refused("not a path", key, expected=str(error), value=repr(text)) from None

    def _place(self, text: str, key: str) -> Place:
        path = self._path(text, key)
        leaf = self._leaves.get(path.leaf)
        for name in path.key_leaves if leaf is not None else ():
            if name not in self._leaves:
                hint = close_to(name, self._leaves)
                raise _Refused(f"legacy has no {name!r} to choose by", key, hint=hint, value=text)
        if leaf is None:
            hint = close_to(path.leaf, self._leaves)
            raise _Refused(f"legacy has no {path.leaf!r}", key, hint=hint)
        return Place(leaf, path)

    def _read(self, text: str) -> Place:
        try:
            return self._place(text, "as")
        except _Refused as error:
            error.args = (f"the converter reads {text!r}: {error}",)
            raise

    def _target(self, text: str, key: str) -> Target:
        field = self._contract.by_name.get(text)
        if field is None:
            hint = close_to(text, self._contract.by_name)
            raise _Refused(f"{self._contract.title} has no {text!r}", key, hint=hint)
        return Target(field)

    def _condition(self, entry: tuple[str, tuple[str, ...]], key: str) -> Condition:
        name, texts = entry
        place = self._place(name, key)
        if not texts:
            expected = "the legacy texts with which the row applies"
            raise _Refused(f"when: no texts for {name!r}", key, expected=expected)
        return Condition(place, texts)

    def _chain(self, row: Row, legacy: int, ours: int) -> Chain:
        try:
            return self._knotted(parse_forms(row.as_), legacy, ours)
        except _Refused as error:
            error.parts["value"] = row.as_
            raise
        except FigError as error:
            raise _Refused(
                error.message, "as", expected=error.expected, hint=error.remedy, value=row.as_
            ) from None
        except ValueError as error:
            raise _Refused("no such converter", "as", expected=str(error), value=row.as_) from None

    def _knotted(self, forms: Sequence[Form], legacy: int, ours: int) -> Chain:
        knots = [at for at, form in enumerate(forms) if form.name in _KNOTS]
        several = legacy > 1 or ours > 1
        if not several and not knots:
            return Chain((), None, [self._stage(form) for form in forms])
        way: Literal["join", "split"] = "join" if legacy > 1 else "split"
        if len(knots) != 1 or not several or forms[knots[0]].name != way:
            raise _Refused(_several(legacy, ours), "as", expected=_SEVERAL)
        at = knots[0]
        return Chain(
            [self._stage(form) for form in forms[:at]],
            Knot(way, parse_divider(forms[at].arguments, max(legacy, ours))),
            [self._stage(form) for form in forms[at + 1 :]],
        )

    def _stage(self, form: Form) -> Stage:
        found = BUILT_IN.get(form.name) or find("converters", form.name, place=self._at.file)
        converter: object = found
        ready = hasattr(found, "decode") and hasattr(found, "encode")
        if not (ready and not isinstance(found, type) and not form.arguments):
            if not callable(found):
                raise ValueError(
                    "a converter, or a factory: called with arguments and codes, it gives one"
                )
            try:
                converter = cast("Factory", found)(form.arguments, self._codes)
            except (ValueError, FigError):
                raise
            except Exception as error:
                raise ValueError(f"a factory that raises ValueError only, not {error!r}") from error
        if not (hasattr(converter, "decode") and hasattr(converter, "encode")):
            raise ValueError(f"a converter with decode and encode, not {type(converter).__name__}")
        return stage(converter)

    def _problem(self, number: int, row: Row, error: _Refused) -> Problem:
        return self._at.problem(
            str(error),
            row=number,
            key=error.key,
            src=row.from_text,
            dst=", ".join(row.targets),
            **error.parts,
        )


_SEVERAL = "split(', ') for one place of legacy and several fields, join(' ') for the opposite"


def _each(
    texts: Iterable[A], key: str, make: Callable[[A, str], B], refused: list[_Refused]
) -> list[B]:
    found: list[B] = []
    for text in texts:
        try:
            found.append(make(text, key))
        except _Refused as error:
            refused.append(error)
    return found


def _several(legacy: int, ours: int) -> str:
    if legacy > 1 and ours > 1:
        return "several places of legacy and several fields at once"
    if legacy > 1 or ours > 1:
        return f"{max(legacy, ours)} places in one row without {'join' if legacy > 1 else 'split'}"
    return "split and join need several places on one side"


def _shape(row: Row) -> None:
    """Refuse rows without a source, or with a constant where there is another."""
    if row.is_constant and (row.sources or row.as_ != "text" or row.null or row.else_ is not None):
        expected = "value, dst and when"
        raise _Refused("a constant has no src, as, null or else", "value", expected=expected)
    if not row.is_constant and not row.sources:
        raise _Refused("no source", "src", expected="src, or value for a constant")
    if not row.targets or (row.is_constant and len(row.targets) > 1):
        raise _Refused("not one target", "dst", expected="one target")


def close_to(name: str, names: Collection[str]) -> str:
    """Give a hint that names what is near, or all there is."""
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "there is " + (", ".join(list(names)[:30]) or "nothing")
