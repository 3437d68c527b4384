"""The plot in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..registry import missing
from .curve import Curve

__all__ = ["plot"]


def plot(curve: Curve, marks: Sequence[tuple[int, str]], width: int, *, colours: bool) -> str:
    """Draw accuracy and share over the requests; ``marks`` are upright lines, by request number.

    Raises ``MissingExtra`` where the extra ``demo`` is not installed.
    """
    try:
        import plotext  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise missing("demo", error) from error
    figure: Any = plotext
    figure.clear_figure()
    figure.plot_size(min(width, 110), 20)
    for number, _ in marks:
        figure.vline(number, "gray")
    for values, label, colour in (
        (curve.share, "share of the replacement", "magenta"),
        (curve.legacy, "legacy right", "orange"),
        (curve.replacement, "replacement right", "green"),
    ):
        figure.plot(curve.numbers, values, label=label, color=colour, marker="braille")
    figure.ylim(0, 103)
    figure.title(f"percent, over the last {curve.window} requests")
    figure.xlabel("request")
    figure.theme("pro")
    drawn: str = figure.build()
    return drawn if colours else str(figure.uncolorize(drawn))
