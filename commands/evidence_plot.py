"""The e-values of ``fig evidence`` over the pairs, drawn in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any, Final

from ..routing.guardrails.course import Point

__all__ = ["plot"]

_LOW, _HIGH = -2.0, 6.0
_BARS: Final = " ▁▂▃▄▅▆▇█"


def plot(course: Sequence[Point], alpha: float, width: int, *, colours: bool) -> str:
    """Draw both e-values as powers of ten, with the line where they decide.

    Without ``plotext`` (the extra ``demo``) it is two lines of bars: an e-value is no less true.
    """
    try:
        import plotext  # noqa: PLC0415  # an extra
    except ModuleNotFoundError:
        return _bars(course, alpha, width)
    figure: Any = plotext
    goal = log10(1 / alpha)
    numbers = [point.pairs for point in course]
    figure.clear_figure()
    figure.plot_size(min(width, 100), 16)
    for values, label, colour in (
        ([point.worse for point in course], "worse than legacy", "red"),
        ([point.not_worse for point in course], "not worse", "green"),
    ):
        shown = [min(max(value, _LOW), _HIGH) for value in values]
        figure.plot(numbers, shown, label=label, color=colour, marker="braille")
    figure.hline(goal, "gray")
    top = max(max(point.worse, point.not_worse) for point in course)
    figure.ylim(_LOW, max(min(top, _HIGH), goal + 1))
    figure.title(f"e-values, powers of ten; {goal:g} decides")
    figure.xlabel("pairs")
    figure.theme("clear" if not colours else "pro")
    drawn: str = figure.build()
    return drawn if colours else str(figure.uncolorize(drawn))


def _bars(course: Sequence[Point], alpha: float, width: int) -> str:
    """Draw a bar for each of some points, its height the share of the way to the decision."""
    goal = log10(1 / alpha)
    some = course[:: max(1, len(course) // max(1, width - 20))]

    def bar(value: float) -> str:
        part = min(max(value / goal, 0.0), 1.0)
        return _BARS[round(part * (len(_BARS) - 1))]

    worse = "".join(bar(point.worse) for point in some)
    within = "".join(bar(point.not_worse) for point in some)
    return f"worse than legacy |{worse}|\nnot worse         |{within}|"
