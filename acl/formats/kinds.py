"""The table of kinds. A new one is one file beside this one, and one line here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...errors import ConfigError
from .json import json
from .row import row
from .shape import Kind, Sides
from .soap import soap
from .xml import xml

__all__ = ["KINDS", "sides"]

KINDS: Final[Mapping[str, Kind]] = {
    "json": json,
    "row": row,
    "soap": soap,
    "xml": xml,
}


def sides(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the two sides that a mapping's ``from`` table asks for. Raises ``ConfigError``."""
    name = table.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        close = difflib.get_close_matches(str(name), KINDS, n=1)
        raise ConfigError(
            "no such kind of record",
            place=f"{place}.kind",
            value=repr(name),
            expected="one of " + ", ".join(KINDS),
            remedy=f"did you mean {close[0]!r}?" if close else "mend the kind",
        )
    return kind(table, root, place)
