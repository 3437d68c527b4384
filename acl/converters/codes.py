"""Code tables that stand in files of their own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ...errors import ConfigError
from ...options import options

__all__ = ["CodeTable", "described", "load_codes"]

_COLUMNS: Final = ("code", "value", "preferred", "version", "note")
_YES: Final[Mapping[str, bool]] = {"": False, "no": False, "yes": True}
_MOST: Final = 1_000_000


class CodeTable(dict[str, str]):
    """Legacy code to our value. ``preferred`` are the codes that are written where several fit."""

    def __init__(self, table: Mapping[str, str], preferred: Iterable[str] = ()) -> None:
        super().__init__(table)
        self.preferred = frozenset(preferred)


def described(table: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give all that a table says, for the mapping's digest."""
    return dict(table), sorted(table.preferred if isinstance(table, CodeTable) else ())


class _File(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    version: str = ""


def load_codes(
    tables: Mapping[str, Mapping[str, str]], root: Path, place: str
) -> dict[str, Mapping[str, str]]:
    """Give a mapping's code tables, those in files read. Called once, while it is loaded.

    ``[codes.status] file = "acl/status.csv", version = "2026-01"`` names a CSV file in the
    workspace: UTF-8, a line of column names, then ``code`` and ``value``; ``preferred`` (yes or
    empty), ``version`` and ``note`` may stand beside them. Where there are versions, the rows of
    the one that is asked for are the table. Raises ``ConfigError`` with file and line.
    """
    return {
        name: _load(options(_File, table, f"{place}.{name}"), root, f"{place}.{name}")
        if table.keys() in ({"file"}, {"file", "version"})
        else table
        for name, table in tables.items()
    }


def _load(wanted: _File, root: Path, place: str) -> CodeTable:
    rows = _rows(root / wanted.file, place)
    columns = rows[0][1] if rows else []
    where = f"{place}: {wanted.file}"
    if not {"code", "value"} <= set(columns) or len(set(columns)) != len(columns):
        raise ConfigError(
            "not a table of codes",
            place=f"{where}, line 1",
            value=", ".join(columns)[:200],
            expected="column names: code, value; preferred, version and note beside them",
        )
    unknown = [name for name in columns if name not in _COLUMNS]
    if unknown:
        expected = "one of " + ", ".join(_COLUMNS)
        raise ConfigError(
            "unknown column", place=f"{where}, line 1", value=unknown[0][:80], expected=expected
        )
    if bool(wanted.version) != ("version" in columns):
        raise ConfigError(
            "no column of versions" if wanted.version else "no version asked for",
            place=f"{where}",
            value=wanted.version,
            expected='version = "…" where the file has a column of versions, and only there',
        )
    return _table(columns, rows[1:], wanted.version, where)


def _rows(file: Path, place: str) -> list[tuple[int, list[str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            rows: list[tuple[int, list[str]]] = []
            for row in reader:
                if row:
                    rows.append((reader.line_num, row))
                if len(rows) > _MOST:
                    raise ConfigError(
                        "too long", place=str(file), expected=f"at most {_MOST} codes"
                    )
            return rows
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(
            f"cannot be read: {error}", place=place, value=str(file), expected="CSV in UTF-8"
        ) from error


def _table(
    columns: Sequence[str], rows: Sequence[tuple[int, list[str]]], version: str, where: str
) -> CodeTable:
    table: dict[str, str] = {}
    preferred: set[str] = set()
    versions: dict[str, None] = {}
    for line, row in rows:
        if len(row) != len(columns):
            raise ConfigError(
                f"{len(row)} values for {len(columns)} columns", place=f"{where}, line {line}"
            )
        cells = dict(zip(columns, row, strict=True))
        versions[cells.get("version", "")] = None
        if cells.get("version", "") != version:
            continue
        code = cells["code"]
        if code in table:
            raise ConfigError(
                "a code twice", place=f"{where}, line {line}", value=code, expected="each code once"
            )
        table[code] = cells["value"]
        if (marked := cells.get("preferred", "")) not in _YES:
            raise ConfigError(
                "neither yes nor empty", place=f"{where}, line {line}", value=marked[:80]
            )
        if _YES[marked]:
            preferred.add(code)
    if not table:
        known = ", ".join(list(versions)[-12:]) or "none"
        raise ConfigError(
            "no codes of that version" if version else "no codes",
            place=where,
            value=version,
            expected=f"versions: {known}" if version else "a line for each code",
        )
    return CodeTable(table, preferred)
