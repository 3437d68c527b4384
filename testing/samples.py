"""Comparisons and dead letters as they come, for tests of a store."""

from __future__ import annotations

from collections.abc import Callable

from ..model import Comparison, Record
from ..store import DeadLetter

__all__ = ["letter", "seen"]


def seen(unit: str, winner: str, revision: str = "v1") -> Comparison:
    """Give a comparison of an input."""
    kind: Callable[..., Comparison] = Comparison
    return kind(
        request_id=f"q-{unit}",
        endpoint="e",
        revision=revision,
        unit=unit,
        winner=winner,
        by="none",
        differs=("category",),
        legacy={"category": "a"},
        replacement={"category": "b"},
    )


def letter(number: int) -> DeadLetter:
    """Give a dead letter whose record holds every byte."""
    record = Record(
        source="q",
        position=f"{number}",
        kind="soap",
        body=bytes(range(256)) + b"%d" % number,
        key="k",
        headers=((":path", "/x"), ("a", "Ä"), ("a", "2")),
        encoding="cp037",
        captured_at=12.25,
    )
    error = {"error": "MappingError", "place": "row 7", "value": "0x00"}
    return DeadLetter(
        source="q",
        position=f"{number}",
        reason="refused by the mapping",
        record=record,
        error=error,
        attempts=3,
        at=99.5,
    )
