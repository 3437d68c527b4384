"""JSON Schema 2020-12 of a contract: what its JSON may be, for anybody's validator.

It says all of the contract that JSON Schema can say: types, needed fields, lists and their lengths,
enums, bounds of numbers, the most characters, the patterns of days and times. What it has no words
for stands beside as annotations: ``x-minimum`` and ``x-maximum`` for days, times and durations,
``x-unit``, ``x-tag``, ``x-type`` where JSON has no such type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .contract import Contract
from .field import Field
from .tree import Branch
from .value import to_text

__all__ = ["DIALECT", "error_schema", "json_schema"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_DAY: Final = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_DURATION: Final = (
    r"-?P(?=[0-9T])([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,6})?S)?)?"
)
_BASE64: Final = r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"

Schema = dict[str, Any]


def json_schema(contract: Contract, *, dialect: bool = True) -> Schema:
    """Give the schema of a contract's JSON, as ``Contract.encode`` writes it.

    A field that may be absent may be null as well. ``dialect`` says whether ``$schema`` and the
    title stand in it: in an OpenAPI document they stand around it.
    """
    head: Schema = {"$schema": DIALECT, "title": contract.title} if dialect else {}
    return {**head, **_group(contract.tree)}


def error_schema() -> Schema:
    """Give the schema of a refusal, for all facades: the parts of a ``FigError``."""
    words = {
        "error": "Its class: the reader does the same for all of one class",
        "message": "What is wrong",
        "place": "Where: the field's path",
        "value": "What was found there; masked where it is tagged",
        "expected": "What would have been right",
        "remedy": "What to do",
    }
    return {
        "type": "object",
        "properties": {key: {"type": "string", "description": text} for key, text in words.items()},
        "required": ["error", "message"],
        "additionalProperties": False,
    }


def _group(branch: Branch) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {child.key: _child(child) for child in branch.children},
        "required": [child.key for child in branch.children if child.required],
        "additionalProperties": False,
    }
    return schema if schema["required"] else {k: v for k, v in schema.items() if k != "required"}


def _child(child: Branch | Field) -> Schema:
    schema = _group(child) if isinstance(child, Branch) else _value(child)
    if child.listed:
        schema = {"type": "array", "items": schema}
        if child.min_items:
            schema["minItems"] = child.min_items
        if child.max_items is not None:
            schema["maxItems"] = child.max_items
    if child.description:
        schema["description"] = child.description
    return schema if child.required else _nullable(schema)


def _nullable(schema: Schema) -> Schema:
    kinds = schema["type"]
    schema["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _value(field: Field) -> Schema:
    schema = dict(_TYPES[field.type])
    if field.type == "timestamp" and field.zone == "none":
        schema = {"type": "string", "format": "date-time-local", "pattern": f"^{_DAY}T{_TIME}$"}
    if field.enum:
        schema["enum"] = [_exact(value) for value in field.enum]
    numeric = field.type in ("integer", "decimal")
    for bound, name in ((field.min, "minimum"), (field.max, "maximum")):
        if isinstance(bound, int | Decimal) and numeric:
            schema[name] = _bound(bound, upper=name == "maximum")
        elif bound is not None:
            schema[f"x-{name}"] = to_text(bound)
    if field.max_length is not None:
        bytes_too = field.type == "bytes"
        schema["maxLength"] = -(-field.max_length // 3) * 4 if bytes_too else field.max_length
    if field.unit:
        schema["x-unit"] = field.unit
    if field.tag:
        schema["x-tag"] = field.tag
    return schema


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        return _number(value)
    return value if isinstance(value, str | int) else to_text(value)


def _number(value: Decimal) -> int | float:
    # A float's shortest text is what the file said, up to 15 digits.
    number = float(value)
    whole = value == value.to_integral_value() or not math.isfinite(number)
    return int(value) if whole else number


def _bound(value: int | Decimal, *, upper: bool) -> int | float:
    """Give a bound as a number of JSON; where a float cannot be it, the next one outside."""
    if isinstance(value, int):
        return value
    number = _number(value)
    if isinstance(number, int):
        return number if number == value else number + (1 if upper else -1)
    if Decimal(repr(number)) == value:
        return number
    outside = Decimal(repr(number)) > value if upper else Decimal(repr(number)) < value
    return number if outside else math.nextafter(number, math.inf if upper else -math.inf)


_TYPES: Final[Mapping[str, Schema]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number", "x-type": "decimal"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date", "pattern": f"^{_DAY}$"},
    "time": {"type": "string", "format": "time-local", "pattern": f"^{_TIME}$"},
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "pattern": rf"^{_DAY}T{_TIME}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
    },
    # The format "duration" of the standard has neither a minus nor parts of a second.
    "duration": {"type": "string", "x-type": "duration", "pattern": f"^{_DURATION}$"},
    "bytes": {"type": "string", "contentEncoding": "base64", "pattern": f"^{_BASE64}$"},
    "json": {"type": ["object", "array", "string", "number", "boolean"], "x-type": "json"},
}
