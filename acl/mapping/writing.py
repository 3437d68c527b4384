"""Writing a payload with care: into a record that is there, and naming all that is wrong.

The compiled encoder writes the same into nothing, quickly. This one leaves alone what the record
says already, and is asked for the problems where the encoder refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...model import Payload
from ..formats.shape import Values
from .frame import Frame
from .link import Link
from .out import Out, texts_of
from .pen import Pen
from .problem import Problem
from .sheet import Ours, Sheet

__all__ = ["Writer"]

_ABSENT: Final = object()


class Writer:
    """Writes by a sheet. ``complain`` makes the problems of its side.

    ``with_else``: the rows' ``else`` stands for texts that ours has no value for (``reply``); else
    for values that legacy's texts have none for (``fields``).
    """

    def __init__(
        self, sheet: Sheet, ours: Ours, *, with_else: bool, complain: Callable[..., Problem]
    ) -> None:
        self._sheet = sheet
        self._ours = ours
        self._with_else = with_else
        self._complain = complain

    def write(
        self, payload: Payload, original: Values | None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Give what changes, by path, and the problems.

        With an original it is what the payload says otherwise than it; None takes a value away.
        """
        pen = Pen(self._ours, with_else=self._with_else, complain=self._complain)
        before = texts_of(original or {})
        after = texts_of(original or {})
        base = None if original is None else Frame({(): original})
        pen.sheet(self._sheet, payload, base, Out({(): after}, ()))
        changed = {
            path: after.get(path)
            for path in (*after, *before)
            if after.get(path, _ABSENT) != before.get(path, _ABSENT)
        }
        return (after if original is None else changed), pen.problems

    def names(self, path: str) -> list[Link]:
        """Give the links that write the value or the list at a path of the record."""
        return [
            link
            for sheet in self._sheet.walk()
            for link in sheet.links
            if any(_in(place.path.leaf, path) for place in link.places)
        ]


def _in(leaf: str, path: str) -> bool:
    return leaf == path or (path.endswith("[]") and leaf.startswith(path))
