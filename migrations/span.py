"""Lengths of time as runbooks write them: ``"90s"``, ``"30m"``, ``"24h"``, ``"7d"``, or seconds."""

from __future__ import annotations

import math
import re
from typing import Final

from ..errors import ConfigError

__all__ = ["Span", "seconds", "span_text"]

Span = str | float
"""As it stands in a file: a number of seconds, or a number with a unit."""

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhd])", re.ASCII)


def seconds(span: Span, place: str) -> float:
    """Give a length of time in seconds. Raises ``ConfigError`` where it is none."""
    found = _SPAN.fullmatch(span.strip()) if isinstance(span, str) else None
    value = float(found[1]) * _UNITS[found[2]] if found else -1.0
    if not isinstance(span, str):
        value = float(span)
    if value < 0 or not math.isfinite(value):
        raise ConfigError(
            "no length of time",
            place=place,
            value=repr(span),
            expected='seconds, or a number with a unit: "90s", "30m", "24h", "7d"',
        )
    return value


def span_text(length: float) -> str:
    """Say a length of time in seconds for people: 45 s, 30 min, 2 h 10 min, 7 d."""
    if length < 90:
        return f"{length:.0f} s"
    minutes = round(length / 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours < 48:
        parts = ([f"{hours} h"] if hours else []) + (
            [f"{minutes_left} min"] if minutes_left else []
        )
        return " ".join(parts)
    days, hours_left = divmod(hours, 24)
    return f"{days} d" + (f" {hours_left} h" if hours_left else "")
