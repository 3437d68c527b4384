"""From a contract's tree to one function that says whether a payload fits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from ..generate import Function
from .field import Field
from .tree import Branch
from .value import is_json

__all__ = ["compile_check"]

_TYPES: Final[Mapping[str, type]] = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "date": date,
    "time": time,
    "timestamp": datetime,
    "duration": timedelta,
    "bytes": bytes,
}


def compile_check(tree: Branch) -> Callable[[Mapping[str, object]], bool]:
    """Write the function; it agrees with ``Contract.problems``, and names nothing."""
    function = Function("fits", "p")
    function.line("try:")
    _group(function, tree, "p", 2)
    function.line("except (KeyError, TypeError, AttributeError, ArithmeticError):")
    function.line("return False", 2)
    function.line("return True")
    return function.build()


def _group(function: Function, branch: Branch, name: str, depth: int) -> None:
    keys = frozenset(child.key for child in branch.children)
    function.line(f"if not {name}.keys() <= {function.constant(keys)}: return False", depth)
    for child in branch.children:
        source = f"{name}.get({child.key!r})"
        if child.listed:
            _list(function, child, source, depth)
        elif isinstance(child, Branch):
            inner = f"g{function.constant(None)}"
            function.line(f"{inner} = {source}", depth)
            if not child.required:
                function.line(f"if {inner} is not None:", depth)
            _group(function, child, inner, depth + (not child.required))
        else:
            function.line(f"v = {source}", depth)
            absent = "" if child.required else "v is not None and "
            function.line(f"if {absent}not ({_tests(function, child)}): return False", depth)


def _list(function: Function, child: Branch | Field, source: str, depth: int) -> None:
    name = f"l{function.constant(None)}"
    function.line(f"{name} = {source}", depth)
    if not child.required:
        function.line(f"if {name} is not None:", depth)
        depth += 1
    function.line(f"if type({name}) is not {function.constant(list)}: return False", depth)
    if child.min_items:
        function.line(f"if len({name}) < {child.min_items:d}: return False", depth)
    if child.max_items is not None:
        function.line(f"if len({name}) > {child.max_items:d}: return False", depth)
    if isinstance(child, Branch):
        entry = f"e{function.constant(None)}"
        function.line(f"for {entry} in {name}:", depth)
        _group(function, child, entry, depth + 1)
    else:
        function.line(f"for v in {name}:", depth)
        function.line(f"if not ({_tests(function, child)}): return False", depth + 1)


def _tests(function: Function, field: Field) -> str:
    if field.type == "json":
        return f"v is not None and {function.constant(is_json)}(v)"
    tests: list[str] = []
    if field.type == "decimal":
        decimal = function.constant(Decimal)
        tests.append(f"(v.is_finite() if type(v) is {decimal} else type(v) is int)")
    else:
        tests.append(f"type(v) is {function.constant(_TYPES[field.type])}")
    if field.type == "time" or (field.type == "timestamp" and field.zone == "none"):
        tests.append("v.tzinfo is None" if field.type == "time" else "v.utcoffset() is None")
    elif field.type == "timestamp":
        tests.append("v.utcoffset() is not None")
    if field.max_length is not None:
        tests.append(f"len(v) <= {field.max_length:d}")
    if field.enum:
        tests.append(f"v in {function.constant(frozenset(field.enum))}")
    if field.min is not None:
        tests.append(f"v >= {function.constant(field.min)}")
    if field.max is not None:
        tests.append(f"v <= {function.constant(field.max)}")
    return " and ".join(tests)
