"""The keyword table: which words speak for which category, and how loudly."""

import csv
import re
import sqlite3
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

HIGHEST, LOWEST = 1, 3

_WORD = re.compile(r"\w+")
_CENT = Decimal("0.01")


class BadTable(Exception):
    """A table of words or categories cannot be used; the text names file and line."""


class Triage(NamedTuple):
    """What the keyword table makes of a text."""

    category: str
    priority: int
    score: Decimal


class KeywordTable:
    """The keyword table, read once from the database and never changed after."""

    def __init__(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT code, priority, is_default FROM categories ORDER BY rowid")
        categories: list[tuple[str, int, int]] = rows.fetchall()
        self._priorities = {code: priority for code, priority, _ in categories}
        self._default = next(code for code, _, is_default in categories if is_default)
        self._order = {code: place for place, code in enumerate(self._priorities)}
        self._weights: dict[str, list[tuple[str, Decimal]]] = {}
        for word, category, weight in db.execute("SELECT word, category, weight FROM keywords"):
            self._weights.setdefault(word, []).append((category, Decimal(str(weight))))
        self._urgent = {word for (word,) in db.execute("SELECT word FROM urgent_words")}

    def triage(self, text: str) -> Triage:
        """Add up the weights of the words in `text`; the heaviest category wins."""
        words = _WORD.findall(text.lower())
        found = {*words, *map(" ".join, pairwise(words))}
        sums: dict[str, Decimal] = {}
        for word in found & self._weights.keys():
            for category, weight in self._weights[word]:
                sums[category] = sums.get(category, Decimal(0)) + weight
        best, score = self._default, Decimal("0.00")
        if sums:
            best = min(sums, key=lambda code: (-sums[code], self._order[code]))
            score = (sums[best] / sum(sums.values())).quantize(_CENT, ROUND_HALF_UP)
        priority = self._priorities[best] if found.isdisjoint(self._urgent) else HIGHEST
        return Triage(best, priority, score)


def fill(db: sqlite3.Connection, keywords: Path, categories: Path) -> None:
    """Fill the two tables from their CSV files; a table that has rows stays as it is."""
    if db.execute("SELECT 1 FROM categories LIMIT 1").fetchone() is None:
        _load_categories(db, categories)
    if db.execute("SELECT 1 FROM keywords LIMIT 1").fetchone() is None:
        _load_keywords(db, keywords)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) of a CSV file that has at least these columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        if not set(columns) <= set(reader.fieldnames or ()):
            raise BadTable(f"{path}: the first line must name the columns {','.join(columns)}")
        for row in reader:
            yield f"{path} line {reader.line_num}", {c: row[c].strip() for c in columns}


def _load_categories(db: sqlite3.Connection, path: Path) -> None:
    seen: dict[str, bool] = {}
    for place, row in _rows(path, ("code", "name", "priority", "default")):
        code, priority = row["code"], row["priority"]
        if not code or code in seen:
            raise BadTable(f"{place}: code {code!r} is empty or there twice")
        if priority not in {str(p) for p in range(HIGHEST, LOWEST + 1)}:
            raise BadTable(f"{place}: priority {priority!r}, expected {HIGHEST} to {LOWEST}")
        seen[code] = row["default"].lower() in {"1", "y", "yes", "true"}
        values = (code, row["name"], int(priority), seen[code])
        db.execute("INSERT INTO categories VALUES (?, ?, ?, ?)", values)
    if not any(seen.values()):
        raise BadTable(f"{path}: no row has default = 1")


def _load_keywords(db: sqlite3.Connection, path: Path) -> None:
    known = {code for (code,) in db.execute("SELECT code FROM categories")}
    seen: set[tuple[str, str]] = set()
    for place, row in _rows(path, ("word", "category", "weight")):
        words = _WORD.findall(row["word"].lower())
        word, category = " ".join(words), row["category"]
        if len(words) not in (1, 2):
            raise BadTable(f"{place}: {row['word']!r}, expected one word or two")
        if category not in known:
            raise BadTable(f"{place}: there is no category {category!r}")
        if (word, category) in seen:
            raise BadTable(f"{place}: {word!r} for {category} is there twice")
        try:
            usable = 0 < Decimal(row["weight"]) < 1_000_000
        except InvalidOperation:
            usable = False
        if not usable:
            raise BadTable(f"{place}: weight {row['weight']!r}, expected a number above 0")
        seen.add((word, category))
        db.execute("INSERT INTO keywords VALUES (?, ?, ?)", (word, category, row["weight"]))
