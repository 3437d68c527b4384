"""The table of kinds. A new one is one file beside this one, and one line here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...errors import ConfigError
from .copybook import copybook
from .delimited import delimited
from .form import form
from .headers import headed, headers
from .json import json
from .row import row
from .shape import Kind, Sides
from .soap import soap
from .xml import xml

__all__ = ["KINDS", "sides"]

KINDS: Final[Mapping[str, Kind]] = {
    "copybook": copybook,
    "delimited": delimited,
    "form": form,
    "headers": headers,
    "json": json,
    "row": row,
    "soap": soap,
    "xml": xml,
}


def sides(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the two sides that a mapping's ``from`` table asks for. Raises ``ConfigError``.

    ``headers`` beside any kind adds the request's headers to its places.
    """
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
    if "headers" not in table or kind is headers:
        return kind(table, root, place)
    rest = {key: value for key, value in table.items() if key != "headers"}
    return headed(kind(rest, root, place), table["headers"], f"{place}.headers")
