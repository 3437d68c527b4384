"""The schema that a language model's answer is bound to, and the way back to a payload.

Vendors take different parts of JSON Schema. This one holds only what all of them take: an object at
the root, every field needed, null for what may be absent, nothing beside, enums of text alone; no
lengths, bounds, patterns or formats. Those stand in the descriptions, and ``restore`` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from ...errors import ConfigError, ContractError
from .contract import Contract
from .field import Field
from .tree import Branch
from .value import from_text

__all__ = ["Limits", "restore", "structured_schema"]

_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a schema may be. The defaults are the least of what vendors say."""

    levels: int = 5
    properties: int = 100
    nullable: int = 16
    choices: int = 500


_LEAST: Final = Limits()


class _Unread(str):
    """A text that is not what it should be written as: no contract takes it for a text."""

    __slots__ = ()


def structured_schema(contract: Contract, limits: Limits = _LEAST) -> dict[str, Any]:
    """Give the schema for a contract. Raises ``ConfigError`` where it is larger than ``limits``."""
    counts = {"levels": 1, "properties": 0, "nullable": 0, "choices": 0}
    schema = _group(contract.tree, 1, counts)
    for name, count in counts.items():
        most: int = getattr(limits, name)
        if count > most:
            raise ConfigError(
                "too large for a language model's structured output",
                place=contract.title,
                value=f"{count} {name}",
                expected=f"at most {most}",
                remedy="ask for less in one operation, or give the limits of your vendor",
            )
    return schema


def restore(contract: Contract, output: str | bytes | Mapping[str, object]) -> dict[str, object]:
    """Turn a model's output into a payload, and check it wholly.

    It takes the text, whose numbers keep their digits, or what somebody else has parsed of it.
    Raises ``ContractError`` naming the field.
    """
    found: object = output
    if isinstance(output, str | bytes):
        try:
            found = _JSON.decode(output)
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {str(error) or 'nested too deeply'}"
            raise ContractError(message, place=contract.title, expected="an object") from None
        except ArithmeticError:
            message = "holds a number beyond all bounds"
            raise ContractError(message, place=contract.title, expected="an object") from None
    if not isinstance(found, Mapping):
        raise ContractError("not an object", place=contract.title, expected="an object")
    payload = _restored_group(contract.tree, found)
    contract.check(payload)
    return payload


def _group(branch: Branch, level: int, counts: dict[str, int]) -> dict[str, Any]:
    counts["levels"] = max(counts["levels"], level)
    counts["properties"] += len(branch.children)
    return {
        "type": "object",
        "properties": {child.key: _child(child, level, counts) for child in branch.children},
        "required": [child.key for child in branch.children],
        "additionalProperties": False,
    }


def _child(child: Branch | Field, level: int, counts: dict[str, int]) -> dict[str, Any]:
    if isinstance(child, Branch):
        schema, words = _group(child, level + 1, counts), child.description
    else:
        schema, words = _value(child, counts), _words(child)
    if child.listed:
        schema = {"type": "array", "items": schema}
        words = " ".join(part for part in (words, _how_many(child)) if part)
    if not child.required:
        counts["nullable"] += 1
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "description": words} if words else schema


def _value(field: Field, counts: dict[str, int]) -> dict[str, Any]:
    if field.type == "text" and field.enum:
        counts["choices"] += len(field.enum)
        return {"type": "string", "enum": list(field.enum)}
    numeric = {"integer": "integer", "decimal": "number", "boolean": "boolean"}
    return {"type": numeric.get(field.type, "string")}


def _words(field: Field) -> str:
    """Say in words what the schema may not: the form, the unit and the bounds."""
    form = _FORMS.get(field.type, "")
    if field.type == "timestamp" and field.zone == "none":
        form = "YYYY-MM-DDTHH:MM:SS without a time zone"
    bounds = field.expected.removesuffix(" (may be absent)").split(", ", 1)[1:]
    told = [form, f"in {field.unit}" if field.unit else ""]
    if not (field.type == "text" and field.enum):
        told += bounds
    about = "; ".join(part for part in told if part)
    about = f"{about[:1].upper()}{about[1:]}." if about else ""
    return " ".join(part for part in (field.description, about) if part)


def _how_many(child: Branch | Field) -> str:
    low = f"at least {child.min_items}" if child.min_items else ""
    high = f"at most {child.max_items}" if child.max_items is not None else ""
    told = " and ".join(part for part in (low, high) if part)
    return f"Entries: {told}." if told else ""


_FORMS: Final[Mapping[str, str]] = {
    "date": "YYYY-MM-DD",
    "time": "HH:MM:SS",
    "timestamp": "YYYY-MM-DDTHH:MM:SS with Z or an offset such as +01:00",
    "duration": "an ISO 8601 duration such as PT1H30M",
    "bytes": "base64",
    "json": "JSON, written as text",
}


def _restored_group(branch: Branch, found: Mapping[str, object]) -> dict[str, object]:
    known = {child.key: child for child in branch.children}
    return {
        key: _restored(known[key], value) if key in known else value for key, value in found.items()
    }


def _restored(child: Branch | Field, value: object) -> object:
    # What is not as it should be stays as it came: the check names it.
    if child.listed and isinstance(value, list):
        return [_entry(child, one) for one in value]
    return value if child.listed else _entry(child, value)


def _entry(child: Branch | Field, value: object) -> object:
    if isinstance(child, Branch):
        return _restored_group(child, value) if isinstance(value, Mapping) else value
    if child.type in _FORMS:
        try:
            return from_text(child.type, value) if isinstance(value, str) else value
        except ValueError:
            return _Unread(value)
    if child.type in ("integer", "decimal") and isinstance(value, float):
        value = Decimal(repr(value))
    if child.type == "integer" and isinstance(value, Decimal) and value.is_finite():
        whole = abs(value.adjusted()) < 20 and value == value.to_integral_value()
        return int(value) if whole else value
    return value
