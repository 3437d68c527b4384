"""Tables of rules, read from TOML or CSV; a mistake is named by file and row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ..errors import ConfigError
from ..options import options, read_toml

__all__ = ["Rule", "read_rules"]


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pattern: str
    gives: Mapping[str, object]
    confidence: float = 1.0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One pattern and what it gives, with a confidence in 0..1; ``place`` is where it stands."""

    pattern: re.Pattern[str]
    gives: Mapping[str, object]
    confidence: float
    place: str

    def fits(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in the text."""
        return self.pattern.search(text) is not None

    @property
    def deciding(self) -> tuple[str, float, Mapping[str, object]]:
        """Give what decides answers, for the revision."""
        return self.pattern.pattern, self.confidence, self.gives


def read_rules(file: Path) -> tuple[Rule, ...]:
    """Read a table. Raises ``ConfigError`` naming file and row of the first mistake."""
    found = _toml(file) if file.suffix.lower() == ".toml" else _csv(file)
    rules = tuple(_rule(row, place) for row, place in found)
    if not rules:
        raise ConfigError("holds no rules", place=str(file), expected="one rule or more")
    return rules


def _toml(file: Path) -> Iterator[tuple[_Row, str]]:
    table = read_toml(file)
    rows = table.get("rule", [])
    if set(table) - {"rule"} or not isinstance(rows, list):
        raise ConfigError(
            "does not hold rules only",
            place=str(file),
            value=", ".join(table),
            expected="a list of [[rule]]",
        )
    for number, row in enumerate(rows, 1):
        place = f"{file}: rule {number}"
        if not isinstance(row, dict):
            raise ConfigError("is not a table", place=place, expected="[[rule]]")
        yield options(_Row, row, place), place


def _csv(file: Path) -> Iterator[tuple[_Row, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            header = reader.fieldnames or []
            if "pattern" not in header or not set(header) - {"pattern", "confidence"}:
                raise ConfigError(
                    "a column is missing",
                    place=f"{file}: line 1",
                    value=", ".join(repr(name) for name in header),
                    expected="'pattern', 'confidence' (or not), and the output fields",
                )
            for row in reader:
                place = f"{file}: line {reader.line_num}"
                yield _cells(row, place), place
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"cannot be read: {error}", place=str(file), expected="CSV") from error


def _cells(row: Mapping[str | None, str | None], place: str) -> _Row:
    if None in row or None in row.values():
        raise ConfigError("does not have as many cells as the header", place=place)
    cells = {str(key): str(value) for key, value in row.items()}
    sure = cells.pop("confidence", "") or "1"
    try:
        confidence = float(sure)
    except ValueError:
        raise ConfigError(
            "is not a confidence", place=place, value=repr(sure), expected="0 to 1"
        ) from None
    return _Row(pattern=cells.pop("pattern"), gives=cells, confidence=confidence)


def _rule(row: _Row, place: str) -> Rule:
    if not 0 <= row.confidence <= 1:
        raise ConfigError(
            "is not a confidence", place=place, value=str(row.confidence), expected="0 to 1"
        )
    if not row.pattern or not row.gives:
        raise ConfigError("is not whole", place=place, expected="a pattern, and what it gives")
    try:
        pattern = re.compile(row.pattern, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(
            f"is not a pattern: {error}",
            place=place,
            value=repr(row.pattern),
            expected="a regular expression of Python",
        ) from error
    return Rule(pattern=pattern, gives=row.gives, confidence=row.confidence, place=place)
