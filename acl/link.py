"""A row that was checked: a legacy leaf and a canonical field, tied by a converter."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple, cast

from ..errors import FigError
from ..ports import Converter
from ..registry import find
from .contract import Contract
from .converters.traits import Factory, Traits, traits_of
from .field import Field, as_value
from .formats.shape import Leaf
from .problem import Problem
from .rows import Row, parse_forms

__all__ = ["Link", "Linker", "close_to"]


class Link(NamedTuple):
    """Legacy's place and ours. The converter decodes legacy text; ``row.else_`` was checked."""

    number: int
    row: Row
    leaf: Leaf
    field: Field
    converter: Converter
    traits: Traits

    @property
    def tag(self) -> str:
        """Give the data tag that masks its values in errors."""
        return self.row.tag or self.field.tag

    @property
    def may_be_absent(self) -> bool:
        """Say whether legacy may send nothing here without breaking anything."""
        row = self.row
        allowed = bool(row.null) or row.optional or self.leaf.nullable or not self.leaf.required
        return allowed and not self.field.required


class Linker:
    """Ties the rows of one side; collects what is wrong instead of stopping at the first."""

    def __init__(
        self,
        mapping: str,
        side: Literal["fields", "reply"],
        leaves: Collection[Leaf],
        contract: Contract,
        codes: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._mapping = mapping
        self._side = side
        self._leaves = {leaf.path: leaf for leaf in leaves}
        self._contract = contract
        self._codes = codes

    def tie(self, number: int, row: Row) -> tuple[Link | None, list[Problem]]:
        """Check one row, alone. The link is None where it cannot be tied at all."""
        legacy, ours = (row.src, row.dst) if self._side == "fields" else (row.dst, row.src)
        problems: list[Problem] = []
        leaf = self._leaves.get(legacy)
        if leaf is None:
            hint = close_to(legacy, self._leaves)
            problems.append(self._problem(number, row, f"legacy has no {legacy!r}", hint=hint))
        field = self._contract.by_name.get(ours)
        if field is None:
            names = self._contract.by_name
            text = f"{self._contract.title} has no {ours!r}"
            problems.append(self._problem(number, row, text, hint=close_to(ours, names)))
        try:
            converter = self._converter(number, row)
        except (ValueError, FigError) as error:
            problems.append(self._refused(number, row, error))
            return None, problems
        if leaf is None or field is None:
            return None, problems
        link = Link(number, row, leaf, field, converter, traits_of(converter))
        found = [
            self._problem(number, row, message, expected=expected, hint=hint, value=value)
            for message, expected, hint, value in _faults(link, self._side)
        ]
        if not found and row.else_ is not None and self._side == "fields":
            value = as_value(field, row.else_)
            link = link._replace(row=_with_else(row, value))
        return link, found

    def _converter(self, number: int, row: Row) -> Converter:
        (form,) = parse_forms(row.as_)
        place = f"{self._mapping}: {self._side} row {number}"
        factory = cast("Factory", find("converters", form.name, place=place))
        if not callable(factory):
            raise ValueError("a factory: called with arguments and codes, it gives a converter")  # noqa: TRY004
        try:
            converter = factory(form.arguments, self._codes)
        except (ValueError, FigError):
            raise
        except Exception as error:
            raise ValueError(f"a factory that raises ValueError only, not {error!r}") from error
        if not (hasattr(converter, "decode") and hasattr(converter, "encode")):
            raise ValueError(f"a converter with decode and encode, not {type(converter).__name__}")
        return converter

    def _refused(self, number: int, row: Row, error: Exception) -> Problem:
        message, expected, hint = "no such converter", str(error), ""
        if isinstance(error, FigError):
            message, expected, hint = error.message, error.expected, error.remedy
        return self._problem(number, row, message, expected=expected, hint=hint, value=row.as_)

    def _problem(
        self,
        number: int,
        row: Row,
        message: str,
        *,
        expected: str = "",
        hint: str = "",
        value: str = "",
    ) -> Problem:
        return Problem(
            message,
            mapping=self._mapping,
            side=self._side,
            row=number,
            src=row.src,
            dst=row.dst,
            value=value,
            expected=expected,
            hint=hint,
        )


def close_to(name: str, names: Collection[str]) -> str:
    """Give a hint that names what is near, or all there is."""
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "there is " + (", ".join(list(names)[:30]) or "nothing")


def _with_else(row: Row, value: object) -> Row:
    changes = {name: getattr(row, name) for name in Row.__struct_fields__} | {"else_": value}
    return Row(**changes)


def _faults(link: Link, side: Literal["fields", "reply"]) -> Iterator[tuple[str, str, str, str]]:
    """Give message, expectation, hint and value of all that is wrong with a tied row."""
    row, field = link.row, link.field
    if link.leaf.opaque:
        yield link.leaf.opaque, "one value", "ignore it with a reason", link.leaf.path
    kind = link.traits.type
    if kind and kind != field.type:
        hint = f"use a converter that gives {field.type}"
        yield f"{row.as_} gives {kind}", f"{field.type} for {field.name}", hint, row.as_
    if (row.null or row.optional) and field.required:
        hint = "say required = false in the operation, or take null and optional out"
        yield "may be absent here, but is required", f"a value for {field.name}", hint, ""
    if row.unit and field.unit and row.unit != field.unit:
        yield "another unit than the operation's", field.unit, "convert it, or mend it", row.unit
    for value in dict.fromkeys(link.traits.values):
        if field.enum and value not in field.enum:
            hint = f"mend table {link.traits.table}, or the enum of {field.name}"
            yield "a code's value is not in the enum", field.expected, hint, value
    if row.else_ is not None:
        yield from _faults_of_else(link, side)
    yield from _faults_of_codes(link, side)


def _faults_of_else(
    link: Link, side: Literal["fields", "reply"]
) -> Iterator[tuple[str, str, str, str]]:
    value = link.row.else_
    if side == "fields" and as_value(link.field, value) is None:
        yield "else does not fit the field", link.field.expected, "mend else", repr(value)
    if side == "reply" and not isinstance(value, str):
        yield "else is not text", "the text that legacy gets", "put it in quotes", repr(value)


def _faults_of_codes(
    link: Link, side: Literal["fields", "reply"]
) -> Iterator[tuple[str, str, str, str]]:
    table = link.traits.table
    values = link.traits.values
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice and not (link.row.one_way and side == "fields"):
        hint = f'say one_way = "reason", or give each code of {table} its own value'
        yield (
            "several codes for one value: the way back is lost",
            "one code a value",
            hint,
            twice[0],
        )
