"""One field of an operation's contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

import msgspec

from ..config import options
from ..errors import ConfigError

__all__ = ["Field", "Value", "shown"]

Value = str | int | bool | Decimal | date
Type = Literal["text", "integer", "decimal", "date", "boolean"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}(\.[A-Za-z_][A-Za-z0-9_-]{0,62})*")
_TAG: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_ORDERED: Final = ("integer", "decimal", "date")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: its dotted name, its type and what a value must be.

    ``enum``, ``min`` and ``max`` hold values of the field's type; ``max_length`` counts characters.
    ``tag`` is its data tag: ``none`` says that it is nobody's secret, "" that nobody has said.
    """

    name: str
    type: Type
    required: bool = True
    enum: tuple[Value, ...] = ()
    min: Value | None = None
    max: Value | None = None
    max_length: int | None = None
    tag: str = ""
    unit: str = ""
    description: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Give the keys that lead to it in a payload."""
        return tuple(self.name.split("."))

    @property
    def expected(self) -> str:
        """Say what a value must be, for an error."""
        parts: list[str] = [self.type]
        if self.enum:
            parts.append("one of " + ", ".join(str(value) for value in self.enum))
        if self.min is not None:
            parts.append(f"at least {self.min}")
        if self.max is not None:
            parts.append(f"at most {self.max}")
        if self.max_length is not None:
            parts.append(f"at most {self.max_length} characters")
        return ", ".join(parts) + ("" if self.required else " (may be absent)")

    def accepts(self, value: object) -> bool:
        """Say whether the value, which is not None, fits."""
        kinds = _PYTHON[self.type]
        if type(value) not in kinds or not isinstance(value, Value):
            return False
        if isinstance(value, Decimal) and not value.is_finite():
            return False
        if self.max_length is not None and isinstance(value, str) and len(value) > self.max_length:
            return False
        if self.enum and value not in self.enum:
            return False
        return _in_bounds(value, self.min, self.max)


_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "decimal": (Decimal, int),
    "date": (date,),
    "boolean": (bool,),
}


def _in_bounds(value: Value, low: Value | None, high: Value | None) -> bool:
    # The loader saw to it that the bounds are of the value's own type.
    return (low is None or not value < low) and (  # type: ignore[operator]
        high is None or not value > high  # type: ignore[operator]
    )


def shown(value: object, tag: str) -> str:
    """Give a value for an error: masked where it is tagged, shortened where it is long."""
    if tag not in ("", "none"):
        return "<masked>"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:80] + "…"


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """A field as it stands in the file: bounds still in TOML's types."""

    type: Type
    required: bool = True
    enum: tuple[object, ...] = ()
    min: object = None
    max: object = None
    max_length: int | None = None
    tag: str = ""
    unit: str = ""
    description: str = ""


def parse_field(name: str, table: Mapping[str, object], place: str) -> Field:
    """Check a field's table. Raises ``ConfigError`` with the key in ``place``."""
    if not _NAME.fullmatch(name):
        expected = "letters, digits, - and _, groups divided by dots"
        raise ConfigError("not a field's name", place=place, value=repr(name), expected=expected)
    raw = options(_Table, table, place)
    _check_applies(raw, place)
    read = _READERS[raw.type]
    field = Field(
        name=name,
        type=raw.type,
        required=raw.required,
        enum=tuple(_value(read, value, f"{place}.enum", raw.type) for value in raw.enum),
        min=None if raw.min is None else _value(read, raw.min, f"{place}.min", raw.type),
        max=None if raw.max is None else _value(read, raw.max, f"{place}.max", raw.type),
        max_length=raw.max_length,
        tag=raw.tag,
        unit=raw.unit,
        description=raw.description,
    )
    if field.min is not None and not _in_bounds(field.min, None, field.max):
        expected = f"at most {field.max}"
        raise ConfigError("above max", place=f"{place}.min", value=str(raw.min), expected=expected)
    return field


def _check_applies(raw: _Table, place: str) -> None:
    checks = [
        ("min", raw.min is not None and raw.type not in _ORDERED, "no bounds on this type"),
        ("max", raw.max is not None and raw.type not in _ORDERED, "no bounds on this type"),
        ("max_length", raw.max_length is not None and raw.type != "text", "only on text"),
        ("max_length", raw.max_length is not None and raw.max_length < 1, "at least 1"),
        ("tag", bool(raw.tag) and not _TAG.fullmatch(raw.tag), "such as pii.name, secret or none"),
        ("enum", bool(raw.enum) and raw.type == "boolean", "no enum on a boolean"),
    ]
    for key, wrong, expected in checks:
        if wrong:
            value = str(getattr(raw, key))
            raise ConfigError(
                "does not fit", place=f"{place}.{key}", value=value, expected=expected
            )


def _value(
    read: Callable[[object], Value | None], value: object, place: str, expected: str
) -> Value:
    found = read(value)
    if found is None:
        raise ConfigError("of another type", place=place, value=repr(value), expected=expected)
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def _decimal(value: object) -> Decimal | None:
    # TOML's floats print as the shortest text that gives the same float: what the file said.
    if type(value) not in (int, float, str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _date(value: object) -> date | None:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_READERS: Final[Mapping[str, Callable[[object], Value | None]]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "boolean": _boolean,
}


def as_value(field: Field, value: object) -> Value | None:
    """Read a value of a TOML file as one of the field's type; None where it does not fit."""
    found = _READERS[field.type](value)
    return found if found is not None and field.accepts(found) else None
