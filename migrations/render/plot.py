"""The course of the e-values as a drawing: told apart on paper too, where colours are grey."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isnan, log10
from typing import Final, TypeVar

from lxml import etree

from ...routing.guardrails.course import Point

__all__ = ["drawing", "some"]

_WIDTH, _HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 26, 36
_LOW, _HIGH = -2.0, 6.0
_LINES: Final = (("worse", "worse than legacy", ""), ("within", "not worse", "6 3"))

_Any = TypeVar("_Any")


def some(found: Sequence[_Any], most: int) -> list[_Any]:
    """Give at most ``most`` of a sequence, evenly, the first and the last among them."""
    if len(found) <= most:
        return list(found)
    step = (len(found) - 1) / (most - 1)
    return [found[round(number * step)] for number in range(most)]


def drawing(course: Sequence[Point], alpha: float) -> etree._Element:
    """Draw both e-values over the pairs, as powers of ten, with the line where they decide."""
    goal = log10(1 / alpha)
    top = max(_kept(value) for point in course for value in (point.worse, point.not_worse))
    high = max(ceil(goal) + 1, ceil(top))
    scale = _Scale(max(1, course[-1].pairs), float(high))
    svg = etree.Element("svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")
    svg.set("class", "plot")
    title = etree.SubElement(svg, "title")
    title.text = f"e-values, powers of ten; {goal:g} decides"
    _axes(svg, scale, high)
    _line(svg, "goal", [(_LEFT, scale.y(goal)), (_WIDTH - _RIGHT, scale.y(goal))], "2 3")
    for values, (name, label, dashes) in zip(
        ([point.worse for point in course], [point.not_worse for point in course]),
        _LINES,
        strict=True,
    ):
        places = [
            (scale.x(point.pairs), scale.y(_kept(value)))
            for point, value in zip(course, values, strict=True)
        ]
        _line(svg, name, places, dashes)
        _legend(svg, name, label, dashes)
    return svg


class _Scale:
    """Where a number of pairs and a power of ten stand in the drawing."""

    def __init__(self, pairs: int, high: float) -> None:
        self.pairs = pairs
        self._high = high

    def x(self, pairs: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * pairs / self.pairs

    def y(self, power: float) -> float:
        share = (power - _LOW) / (self._high - _LOW)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _kept(value: float) -> float:
    """Give a power as it is drawn: far beyond the decision, more is not told apart."""
    return 0.0 if isnan(value) else min(max(value, _LOW), _HIGH)


def _axes(svg: etree._Element, scale: _Scale, high: int) -> None:
    for power in range(int(_LOW), high + 1):
        height = scale.y(power)
        _line(svg, "grid", [(_LEFT, height), (_WIDTH - _RIGHT, height)])
        _words(svg, _LEFT - 6, height + 4, f"10^{power}", "end")
    last = scale.pairs
    for pairs in sorted({0, last // 2, last}):
        _words(svg, scale.x(pairs), _HEIGHT - _BOTTOM + 16, str(pairs), "middle")
    _words(svg, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "pairs", "middle")


def _legend(svg: etree._Element, name: str, label: str, dashes: str) -> None:
    left = _LEFT + (0 if name == "worse" else 180)
    _line(svg, name, [(left, 10), (left + 28, 10)], dashes)
    _words(svg, left + 34, 14, label, "start")


def _line(
    svg: etree._Element, name: str, places: Sequence[tuple[float, float]], dashes: str = ""
) -> None:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = etree.SubElement(svg, "polyline", points=points)
    drawn.set("class", name)
    if dashes:
        drawn.set("stroke-dasharray", dashes)


def _words(svg: etree._Element, x: float, y: float, text: str, anchor: str) -> None:
    words = etree.SubElement(svg, "text", x=f"{x:.1f}", y=f"{y:.1f}")
    words.set("text-anchor", anchor)
    words.text = text
