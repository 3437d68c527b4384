"""A group of fields, or a list of such groups, that an operation declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ...config import options
from ...errors import ConfigError
from .field import MOST_SIZE, check_name

__all__ = ["Group", "parse_group"]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a group itself: ``address``, or ``lines[]`` for a list of groups.

    Where it may be absent, the fields that are needed in it are needed only where it is there.
    """

    name: str
    required: bool = True
    min_items: int | None = None
    max_items: int | None = None
    description: str = ""


class GroupTable(msgspec.Struct, frozen=True, kw_only=True):
    """A group as it stands in the file."""

    type: Literal["group"]
    required: bool = True
    min_items: int | None = None
    max_items: int | None = None
    description: str = ""


def parse_group(name: str, table: Mapping[str, object], place: str) -> Group:
    """Check a group's table. Raises ``ConfigError`` with the key in ``place``."""
    check_name(name, place)
    raw = options(GroupTable, table, place)
    listed = name.endswith("[]")
    for key, least in (("min_items", 0), ("max_items", 1)):
        value: int | None = getattr(raw, key)
        if value is not None and not (listed and least <= value <= MOST_SIZE):
            expected = f"{least} to {MOST_SIZE}" if listed else "only on a list: name[]"
            raise ConfigError(
                "does not fit", place=f"{place}.{key}", value=str(value), expected=expected
            )
    if (raw.min_items or 0) > (raw.max_items or raw.min_items or 0):
        raise ConfigError(
            "above max_items",
            place=f"{place}.min_items",
            value=str(raw.min_items),
            expected=f"at most {raw.max_items}",
        )
    return Group(
        name=name,
        required=raw.required,
        min_items=raw.min_items,
        max_items=raw.max_items,
        description=raw.description,
    )
