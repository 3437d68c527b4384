"""Several texts in one: how ``split`` and ``join`` part it and put it together."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Divider", "parse_divider"]


class Divider:
    """A divider between the parts, or the width of each of them; without loss either way."""

    def __init__(self, count: int, between: str, widths: tuple[int, ...]) -> None:
        self._count = count
        self._between = between
        self._widths = widths

    def part(self, text: str) -> tuple[str | None, ...]:
        """Part a text; of fewer parts than expected the last ones are None.

        Raises ``ValueError`` where the widths do not fit.
        """
        if not self._widths:
            parts = text.split(self._between, self._count - 1)
            return (*parts, *[None] * (self._count - len(parts)))
        if len(text) != sum(self._widths):
            raise ValueError(f"{sum(self._widths)} characters ({self._said})")
        ends = [sum(self._widths[: place + 1]) for place in range(self._count)]
        return tuple(text[end - width : end] for end, width in zip(ends, self._widths, strict=True))

    def together(self, parts: Sequence[str | None]) -> str | None:
        """Put parts together; None where there are none.

        Raises ``ValueError`` where ``part`` would not give the same parts again.
        """
        there = [part for part in parts if part is not None]
        if not there:
            return None
        text = self._between.join(there)
        # A part that is missing before another, or that holds the divider, comes back elsewhere.
        if self.part(text) != tuple(parts):
            raise ValueError(f"parts that can be told apart again ({self._said})")
        return text

    @property
    def _said(self) -> str:
        if self._widths:
            return f"widths {', '.join(map(str, self._widths))}"
        return f"{self._count} at most, with {self._between!r} between"


def parse_divider(arguments: Sequence[str], count: int) -> Divider:
    """Read ``(', ')``, or ``(8, 6)``: the width of each part. ``count`` is how many there are.

    Raises ``ValueError`` with what was expected.
    """
    if len(arguments) == 1 and arguments[0]:
        return Divider(count, arguments[0], ())
    widths = [int(one) for one in arguments if one.isascii() and one.isdigit() and len(one) < 6]
    if len(widths) != len(arguments) or len(widths) != count or not all(widths):
        raise ValueError(f"the divider in quotes, or the widths of the {count} parts")
    return Divider(count, "", tuple(widths))
