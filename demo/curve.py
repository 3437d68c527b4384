"""The numbers behind the plot: moving shares over the requests of the story."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .tally import Point

__all__ = ["Curve", "curve"]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Percentages over the number of the request.

    ``legacy`` and ``replacement``: right answers among the last ``window`` compared requests;
    ``share``: those that the replacement served among the last ``window`` requests of all.
    """

    window: int
    numbers: tuple[int, ...]
    legacy: tuple[float, ...]
    replacement: tuple[float, ...]
    share: tuple[float, ...]


def curve(points: Sequence[Point], served: Sequence[bool], window: int = 0) -> Curve:
    """Smooth the points; the window is a twentieth of them unless told, at least 40."""
    size = window or max(40, len(points) // 20)
    ordered = sorted(points, key=lambda point: point.number)
    spans = [ordered[max(0, end - size) : end] for end in range(1, len(ordered) + 1)]
    spans = spans[min(size, len(spans)) // 2 :]
    numbers = tuple(span[-1].number for span in spans)
    return Curve(
        window=size,
        numbers=numbers,
        legacy=tuple(_percent([point.legacy_right for point in span]) for span in spans),
        replacement=tuple(_percent([point.replacement_right for point in span]) for span in spans),
        share=tuple(_percent(served[max(0, number - size) : number]) for number in numbers),
    )


def _percent(flags: Sequence[bool]) -> float:
    return 100 * sum(flags) / len(flags)
