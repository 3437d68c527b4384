"""The entries of a copybook, one after the other, as they are written."""

from __future__ import annotations

from collections.abc import Callable

from ..item import Condition
from .clauses import begins_clause, read_clause
from .cursor import Cursor
from .dialect import Dialect
from .entry import Entry
from .limits import MAX_ITEMS
from .source import Source
from .tokens import Token

__all__ = ["read_entries"]

_LISTING = {"EJECT", "SKIP1", "SKIP2", "SKIP3"}
_HEADERS = {"DIVISION", "SECTION"}
_FRONT = {"IDENTIFICATION", "ID", "ENVIRONMENT"}
_FILES = {"FD", "SD", "RD", "CD"}
_LEVELS = {*range(1, 50), 66, 77, 78, 88}

Warn = Callable[[Token, str], None]


def read_entries(found: list[Token], source: Source, dialect: Dialect, warn: Warn) -> list[Entry]:
    """Read all entries. Raises ``CopybookError`` at the first that is wrong."""
    cursor = Cursor(found, source)
    entries: list[Entry] = []
    while not cursor.done:
        if cursor.key() == "PROCEDURE" and cursor.key(1) == "DIVISION":
            break
        if _passed(cursor, dialect):
            continue
        entry = _entry(cursor, dialect, warn)
        if entry is None:
            continue
        entries.append(entry)
        if len(entries) > MAX_ITEMS:
            raise entry.token.error(
                f"the copybook has more than {MAX_ITEMS} entries",
                expected=f"at most {MAX_ITEMS}",
                remedy="read only the record that is needed",
            )
    return entries


def _passed(cursor: Cursor, dialect: Dialect) -> bool:
    """Pass over what stands between entries and holds no bytes."""
    if cursor.accept(".", *_LISTING):
        return True
    if cursor.key() == "TITLE" and (token := cursor.peek(1)) and token.kind == "literal":
        cursor.take()
        cursor.take()
        return True
    if cursor.key() in _FRONT and cursor.key(1) == "DIVISION":
        _skip_front(cursor, dialect)
        return True
    if cursor.key(1) in _HEADERS and not cursor.key().isdigit():
        cursor.take()
        cursor.take()
        return True
    if cursor.accept("EXEC"):
        while not cursor.done and cursor.take().key != "END-EXEC":
            pass
        return True
    if cursor.key() in _FILES:
        _skip_sentence(cursor)
        return True
    return False


def _skip_front(cursor: Cursor, dialect: Dialect) -> None:
    """Pass over all in front of the DATA DIVISION, apart from what it says about numbers."""
    while not cursor.done and not (cursor.key() == "DATA" and cursor.key(1) == "DIVISION"):
        if cursor.take().key == "DECIMAL-POINT":
            cursor.accept("IS")
            dialect.decimal_comma = dialect.decimal_comma or cursor.key() == "COMMA"


def _skip_sentence(cursor: Cursor) -> None:
    """Pass over all up to a period."""
    while not cursor.done:
        if cursor.take().text == "." and not _glued(cursor):
            return


def _glued(cursor: Cursor) -> bool:
    token = cursor.peek()
    return token is not None and token.glued


def _entry(cursor: Cursor, dialect: Dialect, warn: Warn) -> Entry | None:
    """Read one entry up to its period; None for a constant (level 78), which holds no bytes."""
    level, token = cursor.integer("a level number")
    if level not in _LEVELS:
        raise token.error(
            f"{token.text[:20]} is no level number",
            expected="01 to 49, 66, 77 or 88",
            remedy="if a clause goes on here, the line before may end in a period too early",
        )
    entry = Entry(level=level, token=token)
    if level == 78:
        warn(token, "a constant (level 78) holds no bytes and is left out")
        _skip_sentence(cursor)
        return None
    if not begins_clause(cursor) and cursor.key() != ".":
        name = cursor.word("the name of an item")
        entry.name = "FILLER" if name.key == "FILLER" else name.text
        entry.named = name
    while not cursor.accept("."):
        if cursor.done or _next_entry(cursor):
            _check_end(cursor)
            warn(token, "the entry has no period at its end")
            break
        read_clause(cursor, entry, dialect)
        cursor.accept(",", ";")
    _check(entry)
    return entry


def _next_entry(cursor: Cursor) -> bool:
    """Say whether another entry begins though this one has no period: a level first on its line."""
    token, last, after = cursor.peek(), cursor.peek(-1), cursor.peek(1)
    if token is None or last is None or after is None or after.kind != "word":
        return False
    if not token.text.isdigit() or len(token.text) > 2:
        return False
    return token.line != last.line or token.source is not last.source


def _check_end(cursor: Cursor) -> None:
    """Refuse an entry without a period where the period may stand beyond the right margin."""
    last = cursor.peek(-1)
    if last is not None and "." in last.source.beyond(last.line):
        raise last.error(
            "the entry has no period at its end, and what stands behind column 72 is not read",
            expected="a period in the columns that hold code",
        )


def _check(entry: Entry) -> None:
    """Refuse what an entry of this level cannot say."""
    if entry.level == 88:
        if entry.seen - {"VALUE"} or not entry.values:
            raise entry.place.error(
                "a level 88 names values and nothing else", expected="88 NAME VALUE literal …"
            )
    elif entry.level == 66:
        if entry.seen != {"RENAMES"}:
            raise entry.place.error(
                "a level 66 renames and does nothing else",
                expected="66 NAME RENAMES first [THRU last]",
            )
    elif entry.renames is not None:
        raise entry.place.error(
            f"RENAMES stands at level {entry.level:02d}", expected="it at level 66"
        )


def condition(entry: Entry) -> Condition:
    """Give what a level 88 says as a value."""
    return Condition(name=entry.name, values=entry.values, line=entry.token.line)
