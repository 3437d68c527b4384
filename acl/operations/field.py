"""One field of an operation's contract."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Final, Literal, cast

import msgspec

from ...config import options
from ...errors import ConfigError
from .value import ORDERED, PYTHON, Type, Value, is_json, read, to_text

__all__ = ["MOST_SIZE", "Field", "Value", "as_value", "check_name", "parse_field", "shown"]

_NAME: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]{0,62}(\[\])?(\.[A-Za-z_][A-Za-z0-9_-]{0,62}(\[\])?)*"
)
MOST_SIZE: Final = 2**31 - 1
_MOST_LEVELS: Final = 16
_TAG: Final = re.compile(r"none|secret|[a-z][a-z0-9_-]{0,31}(\.[a-z0-9][a-z0-9_-]{0,31}){1,3}")
_LONG: Final = (str, bytes, list, dict)
_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 160
_ENUMERABLE: Final = ("text", "integer", "decimal", "date", "time")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: its dotted name, its type and what a value must be.

    A name that ends in ``[]`` is a list of single values: all that is said of values holds for each
    entry, ``min_items`` and ``max_items`` for how many there are. ``enum``, ``min`` and ``max``
    hold values of the field's type; ``max_length`` counts characters, for bytes the bytes.
    ``tag`` is its data tag: ``none`` says that it is nobody's secret, "" that nobody has said.
    ``zone`` says whether a timestamp has a time zone.
    """

    name: str
    type: Type
    required: bool = True
    enum: tuple[Value, ...] = ()
    min: Value | None = None
    max: Value | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    zone: Literal["required", "none"] = "required"
    tag: str = ""
    unit: str = ""
    description: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Give the parts of its name; without lists they are the keys that lead to it."""
        return tuple(self.name.split("."))

    @property
    def key(self) -> str:
        """Give its key in the group that it stands in: ``tags`` of ``order.tags[]``."""
        return self.name.rpartition(".")[2].removesuffix("[]")

    @property
    def listed(self) -> bool:
        """Say whether it is a list of single values."""
        return self.name.endswith("[]")

    @property
    def expected(self) -> str:
        """Say what a value (of a list: an entry) must be, for an error."""
        parts: list[str] = [self.type]
        if self.type == "timestamp":
            parts[0] += " with a time zone" if self.zone == "required" else " without a time zone"
        if self.enum:
            parts.append("one of " + ", ".join(to_text(value) for value in self.enum))
        if self.min is not None:
            parts.append(f"at least {to_text(self.min)}")
        if self.max is not None:
            parts.append(f"at most {to_text(self.max)}")
        if self.max_length is not None:
            parts.append(
                f"at most {self.max_length} {'bytes' if self.type == 'bytes' else 'characters'}"
            )
        return ", ".join(parts) + ("" if self.required or self.listed else " (may be absent)")

    def accepts(self, value: object) -> bool:
        """Say whether the value (of a list: an entry), which is not None, fits."""
        if self.type == "json":
            return is_json(value)
        if type(value) not in PYTHON[self.type]:
            return False
        if isinstance(value, Decimal) and not value.is_finite():
            return False
        if isinstance(value, time | datetime) and _zoned(value) != self._needs_zone:
            return False
        if self.max_length is not None and len(cast("str", value)) > self.max_length:
            return False
        if self.enum and value not in self.enum:
            return False
        return _in_bounds(value, self.min, self.max)

    @property
    def _needs_zone(self) -> bool:
        return self.type == "timestamp" and self.zone == "required"


def _zoned(value: time | datetime) -> bool:
    return value.tzinfo is not None and (isinstance(value, time) or value.utcoffset() is not None)


def _in_bounds(value: object, low: Value | None, high: Value | None) -> bool:
    # The loader saw to it that the bounds are of the value's own type.
    return (low is None or not value < low) and (  # type: ignore[operator]
        high is None or not value > high  # type: ignore[operator]
    )


def shown(value: object, tag: str) -> str:
    """Give a value for an error: masked where it is tagged, shortened where it is long."""
    if tag not in ("", "none"):
        return "<masked>"
    try:
        text = _SHORT.repr(value) if isinstance(value, _LONG) else str(value)
    except ValueError:
        # Python does not write integers of thousands of digits.
        text = f"{type(value).__name__} of very many digits"
    return text if len(text) <= 80 else text[:80] + "…"


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """A field as it stands in the file: bounds still in TOML's types."""

    type: Type
    required: bool = True
    enum: tuple[object, ...] = ()
    min: object = None
    max: object = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    zone: Literal["required", "none"] = "required"
    tag: str = ""
    unit: str = ""
    description: str = ""


def parse_field(name: str, table: Mapping[str, object], place: str) -> Field:
    """Check a field's table. Raises ``ConfigError`` with the key in ``place``."""
    check_name(name, place)
    raw = options(_Table, table, place)
    _check_applies(raw, name.endswith("[]"), place)
    given = {key: getattr(raw, key) for key in _Table.__struct_fields__}
    given["enum"] = tuple(_value(raw, value, f"{place}.enum") for value in raw.enum)
    given["min"] = None if raw.min is None else _value(raw, raw.min, f"{place}.min")
    given["max"] = None if raw.max is None else _value(raw, raw.max, f"{place}.max")
    field = Field(name=name, **given)
    for low, high, key in (
        (field.min, field.max, "min"),
        (field.min_items, field.max_items, "min_items"),
    ):
        if low is not None and not _in_bounds(low, None, high):
            expected = f"at most {to_text(high)}"
            value = to_text(low)
            raise ConfigError("above max", place=f"{place}.{key}", value=value, expected=expected)
    return field


def check_name(name: str, place: str) -> None:
    """Refuse what cannot be a field's or a group's name. Raises ``ConfigError``."""
    if not _NAME.fullmatch(name):
        expected = "letters, digits, - and _, groups divided by dots, [] behind a list"
        raise ConfigError("not a field's name", place=place, value=repr(name), expected=expected)
    if name.count(".") >= _MOST_LEVELS:
        expected = f"at most {_MOST_LEVELS} levels"
        raise ConfigError("nested too deeply", place=place, value=repr(name), expected=expected)


def _check_applies(raw: _Table, listed: bool, place: str) -> None:
    bounds = raw.type in ORDERED
    sized = raw.type in ("text", "bytes")
    kinds = ", ".join(_ENUMERABLE)
    checks = [
        ("min", raw.min is not None and not bounds, "no bounds on this type"),
        ("max", raw.max is not None and not bounds, "no bounds on this type"),
        ("max_length", raw.max_length is not None and not sized, "only on text and bytes"),
        ("max_length", _wrong_size(raw.max_length, 1), f"1 to {MOST_SIZE}"),
        ("min_items", raw.min_items is not None and not listed, "only on a list: name[]"),
        ("max_items", raw.max_items is not None and not listed, "only on a list: name[]"),
        ("min_items", _wrong_size(raw.min_items, 0), f"0 to {MOST_SIZE}"),
        ("max_items", _wrong_size(raw.max_items, 1), f"1 to {MOST_SIZE}"),
        ("zone", raw.zone == "none" and raw.type != "timestamp", "only on a timestamp"),
        (
            "enum",
            bool(raw.enum) and raw.type not in _ENUMERABLE,
            f"no enum on {raw.type}, only on {kinds}",
        ),
    ]
    for key, wrong, expected in checks:
        if wrong:
            value = str(getattr(raw, key))
            raise ConfigError(
                "does not fit", place=f"{place}.{key}", value=value, expected=expected
            )
    if raw.tag and not _TAG.fullmatch(raw.tag):
        # A misspelt "none" must not pass for a family of its own.
        close = difflib.get_close_matches(raw.tag, ("none", "secret"), n=1)
        raise ConfigError(
            "does not fit",
            place=f"{place}.tag",
            value=raw.tag,
            expected="none, secret, or a family and a kind such as pii.name",
            remedy=f"did you mean {close[0]!r}?" if close else "",
        )


def _wrong_size(size: int | None, least: int) -> bool:
    return size is not None and not least <= size <= MOST_SIZE


def _value(raw: _Table, value: object, place: str) -> Value:
    found = read(raw.type, value)
    if isinstance(found, datetime) and _zoned(found) != (raw.zone == "required"):
        found = None
    if isinstance(found, time) and _zoned(found):
        found = None
    if found is None:
        expected = raw.type if raw.type != "timestamp" else f"timestamp, zone = {raw.zone!r}"
        raise ConfigError("of another type", place=place, value=repr(value), expected=expected)
    return cast("Value", found)


def as_value(field: Field, value: object) -> object | None:
    """Read a value of a TOML file as one of the field's type; None where it does not fit."""
    found = read(field.type, value)
    return found if found is not None and field.accepts(found) else None
