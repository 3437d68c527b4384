"""Figures in the text format of Prometheus, version 0.0.4.

By hand: the format is a dozen lines for the few kinds of figures that we have, and its client
library would come with registries and collectors of its own beside ``telemetry``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

__all__ = ["CONTENT_TYPE", "Family", "exposition"]

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A metric with its samples: labels, and a value. ``counter`` or else a gauge."""

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]
    counter: bool = False


def exposition(families: Iterable[Family]) -> str:
    """Write families, each with its help and its kind."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: Family) -> list[str]:
    kind = "counter" if family.counter else "gauge"
    lines = [
        f"# HELP {family.name} {_escaped(family.help)}\n",
        f"# TYPE {family.name} {kind}\n",
    ]
    for labels, value in family.samples:
        pairs = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
        lines.append(f"{family.name}{'{' + pairs + '}' if pairs else ''} {_number(value)}\n")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
