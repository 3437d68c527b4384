"""The clauses of an entry: a reader for each, by the word that it begins with."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from decimal import Decimal

import msgspec

from .cursor import Cursor
from .entry import Entry, Reference, Table
from .item import Sign, Usage
from .literal import literal
from .picture import parse_picture
from .tokens import Token

__all__ = ["CLAUSES", "Dialect", "begins_clause", "read_clause", "reference", "values"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What a program around the copybook would say in its ENVIRONMENT DIVISION."""

    decimal_comma: bool = False
    currency: str = ""


_BINARY = {"COMP", "COMP-0", "COMP-4", "BINARY", "COMPUTATIONAL"}
_USAGES: dict[str, Usage] = {
    "DISPLAY": Usage.DISPLAY,
    "COMP": Usage.BINARY,
    "COMP-0": Usage.BINARY,
    "COMP-1": Usage.FLOAT,
    "COMP-2": Usage.DOUBLE,
    "COMP-3": Usage.PACKED,
    "COMP-4": Usage.BINARY,
    "COMP-5": Usage.NATIVE,
    "COMP-6": Usage.UNSIGNED_PACKED,
    "COMP-9": Usage.LITTLE,
    "BINARY": Usage.BINARY,
    "PACKED-DECIMAL": Usage.PACKED,
    "NATIONAL": Usage.NATIONAL,
    "DISPLAY-1": Usage.DBCS,
    "INDEX": Usage.INDEX,
    "POINTER": Usage.POINTER,
    "POINTER-32": Usage.POINTER,
    "FUNCTION-POINTER": Usage.POINTER,
    "PROCEDURE-POINTER": Usage.POINTER,
}
_USAGES |= {
    name.replace("COMP", "COMPUTATIONAL"): usage
    for name, usage in _USAGES.items()
    if name.startswith("COMP")
}
_WIDE = {"PROCEDURE-POINTER": 8}


def reference(cursor: Cursor, what: str) -> Reference:
    """Take a name with its ``OF`` or ``IN``."""
    first = cursor.word(what)
    names = [first.text]
    while cursor.accept("OF", "IN"):
        names.append(cursor.word("the name of a group").text)
    return Reference(tuple(names), first)


def values(
    cursor: Cursor, dialect: Dialect
) -> tuple[str | Decimal | tuple[str | Decimal, str | Decimal], ...]:
    """Take the literals and ranges of a level 88."""
    found: list[str | Decimal | tuple[str | Decimal, str | Decimal]] = []
    while not found or cursor.key() not in {".", "", "WHEN", "FALSE"}:
        least = literal(cursor, comma=dialect.decimal_comma)
        if cursor.accept("THRU", "THROUGH"):
            found.append((least, literal(cursor, comma=dialect.decimal_comma)))
        else:
            found.append(least)
        cursor.accept(",", ";")
    cursor.accept("WHEN")
    cursor.accept("SET")
    cursor.accept("TO")
    if cursor.accept("FALSE"):
        cursor.accept("IS")
        literal(cursor, comma=dialect.decimal_comma)
    return tuple(found)


def _redefines(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    entry.redefines = reference(cursor, "the name of the item whose bytes are redefined")


def _picture(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("IS")
    text, token = cursor.glued()
    try:
        entry.picture = parse_picture(
            text, comma=dialect.decimal_comma, currency=dialect.currency
        )
    except ValueError as error:
        raise token.error(
            f"the picture {text[:60]} cannot be taken: {error}",
            expected="a picture such as 9(5)V99, S9(4), X(10) or Z(6)9.99-",
        ) from None
    entry.pictured = token


def _usage(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("IS")
    token = cursor.expect(_USAGES, "a usage: " + ", ".join(sorted(set(Usage))))
    _set_usage(entry, token)


def _set_usage(entry: Entry, token: Token) -> None:
    entry.usage, entry.used = _USAGES[token.key], token
    entry.bytes = _WIDE.get(token.key, 0)


def _sign(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("IS")
    side = cursor.expect({"LEADING", "TRAILING"}, "LEADING or TRAILING")
    _side(cursor, entry, side)


def _side(cursor: Cursor, entry: Entry, side: Token) -> None:
    separate = cursor.accept("SEPARATE") is not None
    cursor.accept("CHARACTER")
    entry.sign = Sign(side.key == "LEADING", separate)


def _occurs(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    token = cursor.peek()
    if cursor.key() in {"UNBOUNDED", "DYNAMIC"}:
        raise cursor.error(
            f"OCCURS {cursor.key()} has no largest size", expected="OCCURS n [TO m] TIMES"
        )
    least, number = cursor.integer("how often it occurs, a whole number")
    most, ranged = least, cursor.accept("TO") is not None
    if ranged:
        if cursor.key() == "UNBOUNDED":
            raise cursor.error("OCCURS UNBOUNDED has no largest size", expected="OCCURS n TO m")
        most, number = cursor.integer("how often it occurs at most, a whole number")
    if most < 1 or least > most:
        raise number.error(
            f"OCCURS {least} TO {most} is no table", expected="at least once, the smaller first"
        )
    cursor.accept("TIMES")
    depending = None
    while cursor.key() in _OCCURS:
        word = cursor.take().key
        if word == "DEPENDING":
            cursor.accept("ON")
            depending = reference(cursor, "the name of the item that counts")
        else:
            _keys(cursor, word)
    if depending is not None and not ranged:
        least = 0
    elif depending is None:
        least = most
    entry.table = Table(least, most, depending, token or number)


_OCCURS = {"DEPENDING", "ASCENDING", "DESCENDING", "INDEXED"}


def _keys(cursor: Cursor, word: str) -> None:
    """Pass over the names behind ASCENDING KEY or INDEXED BY: they hold no bytes."""
    for optional in ("KEY", "IS", "ARE", "BY"):
        cursor.accept(optional)
    what = "the name of an index" if word == "INDEXED" else "the name of a key"
    reference(cursor, what)
    while True:
        cursor.accept(",", ";")
        token = cursor.peek()
        if token is None or token.kind != "word" or begins_clause(cursor) or token.key in _OCCURS:
            return
        if token.key.isdigit():
            return
        reference(cursor, what)


def _value(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("IS", "ARE")
    if entry.level == 88:
        entry.values = values(cursor, dialect)
        return
    entry.value = literal(cursor, comma=dialect.decimal_comma)


def _justified(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("RIGHT")
    entry.justified = True


def _blank(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("WHEN")
    cursor.expect({"ZERO", "ZEROS", "ZEROES"}, "ZERO")
    entry.blank_when_zero = True


def _synchronized(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("LEFT", "RIGHT")
    entry.synchronized = True


def _scope(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("GLOBAL", "EXTERNAL")


def _is(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.expect({"GLOBAL", "EXTERNAL"}, "GLOBAL or EXTERNAL")


def _renames(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    first = reference(cursor, "the name of the first item renamed")
    last = None
    if cursor.accept("THRU", "THROUGH"):
        last = reference(cursor, "the name of the last item renamed")
    entry.renames = (first, last)


def _group_usage(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.accept("IS")
    _set_usage(entry, cursor.expect({"NATIONAL"}, "NATIONAL"))


def _date_format(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    cursor.expect({"FORMAT"}, "FORMAT")
    cursor.accept("IS")
    cursor.word("a pattern such as YYYYMMDD")


_Reader = Callable[[Cursor, Entry, Dialect], None]
_NAMED: dict[tuple[str, ...], _Reader] = {
    ("REDEFINES",): _redefines,
    ("PIC", "PICTURE"): _picture,
    ("USAGE",): _usage,
    ("SIGN",): _sign,
    ("OCCURS",): _occurs,
    ("VALUE", "VALUES"): _value,
    ("JUST", "JUSTIFIED"): _justified,
    ("BLANK",): _blank,
    ("SYNC", "SYNCHRONIZED"): _synchronized,
    ("GLOBAL", "EXTERNAL"): _scope,
    ("IS",): _is,
    ("RENAMES",): _renames,
    ("GROUP-USAGE",): _group_usage,
    ("DATE",): _date_format,
}
CLAUSES: dict[str, tuple[str, _Reader]] = {
    spelling: (names[0], reader) for names, reader in _NAMED.items() for spelling in names
}
"""The readers by the word that a clause begins with; with each the clause's one name."""

_FOLLOWED: dict[str, set[str]] = {
    "SIGN": {"IS", "LEADING", "TRAILING"},
    "BLANK": {"WHEN", "ZERO", "ZEROS", "ZEROES"},
    "DATE": {"FORMAT"},
    "IS": {"GLOBAL", "EXTERNAL"},
}


def begins_clause(cursor: Cursor) -> bool:
    """Say whether a clause begins here. Some words are names unless they go on as a clause."""
    word = cursor.key()
    if word in _FOLLOWED:
        return cursor.key(1) in _FOLLOWED[word]
    return word in CLAUSES or word in _USAGES or word in {"LEADING", "TRAILING"}


def read_clause(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    """Take one clause. Raises ``CopybookError`` where it is unknown or a second of its kind."""
    token = cursor.peek()
    if token is None or not begins_clause(cursor):
        near = difflib.get_close_matches(cursor.key()[:40], [*CLAUSES, *_USAGES], n=1)
        raise cursor.error(
            f"{cursor.key()[:40]!r} begins no clause",
            expected="a clause, or a period at the end of the entry",
            remedy=f"is {near[0]} meant?" if near else "",
        )
    cursor.take()
    name, reader = CLAUSES.get(token.key, ("", None))
    if token.key in _USAGES:
        name = "USAGE"
    elif token.key in {"LEADING", "TRAILING"}:
        name = "SIGN"
    if name in entry.seen:
        raise token.error(f"{name} stands twice in one entry", expected=f"one {name}")
    entry.seen.add(name)
    if reader is not None:
        reader(cursor, entry, dialect)
    elif name == "USAGE":
        _set_usage(entry, token)
    else:
        _side(cursor, entry, token)
