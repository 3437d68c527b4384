"""One side of an operation, its input or its output, as a compiled check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from ..errors import ContractError
from .field import Field, shown
from .generate import Function

__all__ = ["Contract", "dig"]

_ABSENT: Final = object()
_TYPES: Final[Mapping[str, type]] = {"text": str, "integer": int, "date": date, "boolean": bool}


class Contract:
    """The fields of one side. ``title`` names it in errors: ``ticket.triage@1 input``."""

    __slots__ = ("_fits", "by_name", "fields", "title")

    def __init__(self, title: str, fields: tuple[Field, ...]) -> None:
        self.title = title
        self.fields = fields
        self.by_name: Mapping[str, Field] = {field.name: field for field in fields}
        self._fits = _compile(fields)

    def __reduce__(self) -> tuple[object, ...]:
        """Send title and fields to another process; the check is compiled there again."""
        return (Contract, (self.title, self.fields))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.__reduce__()[1] == other.__reduce__()[1]

    def __hash__(self) -> int:
        return hash((self.title, self.fields))

    def check(self, payload: Mapping[str, object]) -> None:
        """Check a payload. Raises ``ContractError`` for the first field; the message names all."""
        if not self._fits(payload):
            problems = self.problems(payload)
            first = problems[0]
            others = ", ".join(dict.fromkeys(problem.place for problem in problems[1:]))
            raise ContractError(
                f"{first.message}{f' (as well: {others})' if others else ''}",
                place=f"{self.title}: {first.place}",
                value=first.value,
                expected=first.expected,
                remedy=first.remedy,
            )

    def problems(self, payload: Mapping[str, object]) -> list[ContractError]:
        """Give all that is wrong with a payload; ``place`` holds the field's name."""
        found = _unknown(payload, self._tree(), "")
        for field in self.fields:
            value = dig(payload, field.path, _ABSENT)
            if value is _ABSENT or value is None:
                if field.required:
                    found.append(
                        ContractError("is missing", place=field.name, expected=field.expected)
                    )
            elif not field.accepts(value):
                message = f"does not fit its contract ({type(value).__name__})"
                text = shown(value, field.tag)
                found.append(
                    ContractError(message, place=field.name, value=text, expected=field.expected)
                )
        return found

    def _tree(self) -> dict[str, object]:
        tree: dict[str, object] = {}
        for field in self.fields:
            group = tree
            for key in field.path[:-1]:
                group = group.setdefault(key, {})  # type: ignore[assignment]
            group[field.path[-1]] = None
        return tree


def dig(payload: object, path: tuple[str, ...], default: object = None) -> object:
    """Give the value that a path of keys leads to."""
    for key in path:
        if not isinstance(payload, Mapping) or key not in payload:
            return default
        payload = payload[key]
    return payload


def _unknown(payload: object, tree: Mapping[str, object], prefix: str) -> list[ContractError]:
    if not isinstance(payload, Mapping):
        if payload is None and prefix:
            return []
        return [ContractError("not a group of fields", place=prefix.rstrip(".") or "payload")]
    found: list[ContractError] = []
    for key, value in payload.items():
        place = f"{prefix}{key}"
        if key not in tree:
            expected = "one of " + ", ".join(tree)
            found.append(ContractError("is not in the contract", place=place, expected=expected))
        elif isinstance(group := tree[key], Mapping):
            found.extend(_unknown(value, group, f"{place}."))
    return found


def _compile(fields: tuple[Field, ...]) -> Callable[[Mapping[str, object]], bool]:
    function = Function("fits", "p")
    function.line("try:")
    _compile_group(function, [(field, field.path) for field in fields], "p", 0)
    function.line("except (KeyError, TypeError, AttributeError, ArithmeticError):")
    function.line("return False", 2)
    function.line("return True")
    return function.build()


def _compile_group(
    function: Function, entries: list[tuple[Field, tuple[str, ...]]], name: str, level: int
) -> None:
    keys = frozenset(path[level] for _, path in entries)
    function.line(f"if not {name}.keys() <= {function.constant(keys)}: return False", 2)
    for key in dict.fromkeys(path[level] for _, path in entries):
        inside = [entry for entry in entries if entry[1][level] == key]
        if len(inside[0][1]) == level + 1:
            _compile_field(function, inside[0][0], f"{name}.get({key!r})")
            continue
        group = f"g{function.constant(None)}"
        needed = any(field.required for field, _ in inside)
        function.line(f"{group} = {name}.get({key!r})", 2)
        if not needed:
            function.line(f"if {group} is None: {group} = {{}}", 2)
        _compile_group(function, inside, group, level + 1)


def _compile_field(function: Function, field: Field, source: str) -> None:
    function.line(f"v = {source}", 2)
    tests: list[str] = []
    if field.type == "decimal":
        decimal = function.constant(Decimal)
        tests.append(f"(v.is_finite() if type(v) is {decimal} else type(v) is int)")
    else:
        tests.append(f"type(v) is {function.constant(_TYPES[field.type])}")
    if field.max_length is not None:
        tests.append(f"len(v) <= {field.max_length:d}")
    if field.enum:
        tests.append(f"v in {function.constant(frozenset(field.enum))}")
    if field.min is not None:
        tests.append(f"v >= {function.constant(field.min)}")
    if field.max is not None:
        tests.append(f"v <= {function.constant(field.max)}")
    absent = "" if field.required else "v is not None and "
    function.line(f"if {absent}not ({' and '.join(tests)}): return False", 2)
