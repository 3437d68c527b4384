"""How a legacy table differs from what it was when its capture was installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ...errors import SchemaDrift
from .dialect import Shape

__all__ = ["Difference", "drift", "drifted"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed. ``breaks``: what is captured no longer is what was agreed on."""

    kind: Literal["added", "removed", "type", "key"]
    column: str
    was: str = ""
    now: str = ""

    @property
    def breaks(self) -> bool:
        """Say whether rows would be misread or missed; a new column is merely not captured."""
        return self.kind != "added"

    def __str__(self) -> str:
        if self.kind == "type":
            return f"column {self.column} was {self.was or 'untyped'}, is {self.now or 'untyped'}"
        if self.kind == "key":
            return f"the key was ({self.was}), is ({self.now})"
        return f"column {self.column} was {self.kind}"


def drift(recorded: Shape, present: Shape) -> list[Difference]:
    """Hold what was captured against the table as it is; ``present`` has all of its columns."""
    types = dict(present.columns)
    found = []
    for name, declared in recorded.columns:
        if name not in types:
            found.append(Difference(kind="removed", column=name, was=declared))
        elif types[name] != declared:
            found.append(Difference(kind="type", column=name, was=declared, now=types[name]))
    if recorded.key != present.key:
        was, now = ", ".join(recorded.key), ", ".join(present.key)
        found.append(Difference(kind="key", column="", was=was, now=now))
    known = set(recorded.all_columns)
    found += [
        Difference(kind="added", column=name, now=types.get(name, ""))
        for name in present.all_columns
        if name not in known
    ]
    return found


def drifted(differences: Sequence[Difference], *, place: str, source: str) -> SchemaDrift:
    """Make the error with which a source pauses."""
    return SchemaDrift(
        "the table has changed since its capture was installed",
        place=place,
        value="; ".join(str(difference) for difference in differences),
        expected="the columns and the key that were installed",
        remedy=f"look at the mapping, then run 'fig adapter install {source}'",
    )
