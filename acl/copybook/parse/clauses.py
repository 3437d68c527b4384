"""The clauses of an entry: a reader for each, by the word that it begins with."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from ..item import Sign
from .cursor import Cursor
from .dialect import Dialect
from .entry import Entry, Reference, Table, Value
from .literal import literal
from .usages import USAGES, WIDE

__all__ = ["begins_clause", "read_clause"]

_OCCURS = {"DEPENDING", "ASCENDING", "DESCENDING", "INDEXED"}
_FOLLOWED: dict[str, set[str]] = {
    "SIGN": {"IS", "LEADING", "TRAILING"},
    "BLANK": {"WHEN", "ZERO", "ZEROS", "ZEROES"},
    "DATE": {"FORMAT"},
    "IS": {"GLOBAL", "EXTERNAL"},
}
"""Words that are names as well: with these behind them they begin a clause."""


def begins_clause(cursor: Cursor) -> bool:
    """Say whether a clause begins here."""
    word = cursor.key()
    if word in _FOLLOWED:
        return cursor.key(1) in _FOLLOWED[word]
    return word in _CLAUSES or word in USAGES


def read_clause(cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
    """Take one clause. Raises ``CopybookError`` where it is unknown or a second of its kind."""
    token = cursor.peek()
    if token is None or not begins_clause(cursor):
        near = difflib.get_close_matches(cursor.key()[:40], [*_CLAUSES, *USAGES], n=1)
        raise cursor.error(
            f"{cursor.key()[:40]!r} begins no clause",
            expected="a clause, or a period at the end of the entry",
            remedy=f"is {near[0]} meant?" if near else "",
        )
    name, reader = _CLAUSES.get(token.key, ("USAGE", _Clause.usage))
    if name in entry.seen:
        raise token.error(f"{name} stands twice in one entry", expected=f"one {name}")
    entry.seen.add(name)
    reader(_Clause(cursor, entry, dialect))


class _Clause:
    """One clause about to be read into its entry. The word that it begins with is still there."""

    def __init__(self, cursor: Cursor, entry: Entry, dialect: Dialect) -> None:
        self.cursor = cursor
        self.entry = entry
        self.dialect = dialect

    def redefines(self) -> None:
        """REDEFINES name."""
        self.cursor.take()
        self.entry.redefines = self.reference("the name of the item whose bytes are redefined")

    def picture(self) -> None:
        """PICTURE IS symbols."""
        self.cursor.take()
        self.cursor.accept("IS")
        text, token = self.cursor.glued({*_CLAUSES, *USAGES})
        try:
            self.entry.picture = self.dialect.picture(text)
        except ValueError as error:
            raise token.error(
                f"the picture {text[:60]} cannot be taken: {error}",
                expected="a picture such as 9(5)V99, S9(4), X(10) or Z(6)9.99-",
            ) from None
        self.entry.pictured = token

    def usage(self) -> None:
        """USAGE IS word, or the word alone."""
        if self.cursor.accept("USAGE", "GROUP-USAGE"):
            self.cursor.accept("IS")
        token = self.cursor.expect(USAGES, "a usage: " + ", ".join(sorted(set(USAGES.values()))))
        self.entry.usage, self.entry.used = USAGES[token.key], token
        self.entry.bytes = WIDE.get(token.key, 0)

    def sign(self) -> None:
        """SIGN IS LEADING or TRAILING, SEPARATE CHARACTER; some leave SIGN out."""
        if self.cursor.accept("SIGN"):
            self.cursor.accept("IS")
        side = self.cursor.expect({"LEADING", "TRAILING"}, "LEADING or TRAILING")
        separate = self.cursor.accept("SEPARATE") is not None
        self.cursor.accept("CHARACTER")
        self.entry.sign = Sign(side.key == "LEADING", separate)

    def occurs(self) -> None:
        """OCCURS n TO m TIMES DEPENDING ON name, with keys and indexes."""
        token = self.cursor.take()
        least, most, ranged = self.times()
        depending = None
        self.cursor.accept("TIMES")
        while self.cursor.key() in _OCCURS:
            word = self.cursor.take().key
            if word == "DEPENDING":
                self.cursor.accept("ON")
                depending = self.reference("the name of the item that counts")
            else:
                self.keys(word)
        if depending is not None and not ranged:
            least = 0  # IBM says 1; records that count none are common all the same
        elif depending is None:
            least = most
        self.entry.table = Table(least, most, depending, token)

    def times(self) -> tuple[int, int, bool]:
        """Take how often a table occurs, least and most, and whether both are said."""
        cursor = self.cursor
        least, number = (0, cursor.peek()) if self.unbounded() else cursor.integer("a whole number")
        ranged = cursor.accept("TO") is not None
        most = least
        if ranged and not self.unbounded():
            most, number = cursor.integer("a whole number, how often it occurs at most")
        if (most < 1 or least > most) and number is not None:
            raise number.error(
                f"OCCURS {least} TO {most} is no table",
                expected="at least once, the smaller number first",
            )
        return least, most, ranged

    def unbounded(self) -> bool:
        """Refuse a table whose largest size nobody knows; else say that it is none."""
        if self.cursor.key() in {"UNBOUNDED", "DYNAMIC"}:
            raise self.cursor.error(
                f"OCCURS {self.cursor.key()} has no largest size",
                expected="OCCURS n TO m TIMES DEPENDING ON name",
                remedy="say the most that comes",
            )
        return False

    def keys(self, word: str) -> None:
        """Pass over the names behind ASCENDING KEY or INDEXED BY: they hold no bytes."""
        cursor = self.cursor
        for optional in ("KEY", "IS", "ARE", "BY"):
            cursor.accept(optional)
        what = "the name of an index" if word == "INDEXED" else "the name of a key"
        more = True
        while more:
            self.reference(what)
            cursor.accept(",", ";")
            token = cursor.peek()
            more = (
                token is not None
                and token.kind == "word"
                and token.key not in _OCCURS
                and not token.key.isdigit()
                and not begins_clause(cursor)
            )

    def value(self) -> None:
        """VALUE IS literal; at level 88 several, and ranges."""
        self.cursor.take()
        self.cursor.accept("IS", "ARE")
        if self.entry.level == 88:
            self.entry.values = self.values()
        else:
            self.entry.value = self.literal()

    def values(self) -> tuple[Value | tuple[Value, Value], ...]:
        """Take the literals and ranges of a level 88."""
        cursor = self.cursor
        found: list[Value | tuple[Value, Value]] = []
        while not found or cursor.key() not in {".", "", "WHEN", "FALSE"}:
            least = self.literal()
            ranged = cursor.accept("THRU", "THROUGH")
            found.append((least, self.literal()) if ranged else least)
            cursor.accept(",", ";")
        for word in ("WHEN", "SET", "TO"):
            cursor.accept(word)
        if cursor.accept("FALSE"):
            cursor.accept("IS")
            self.literal()
        return tuple(found)

    def literal(self) -> Value:
        """Take one literal."""
        return literal(self.cursor, comma=self.dialect.decimal_comma)

    def justified(self) -> None:
        """JUSTIFIED RIGHT."""
        self.cursor.take()
        self.cursor.accept("RIGHT")
        self.entry.justified = True

    def blank(self) -> None:
        """BLANK WHEN ZERO."""
        self.cursor.take()
        self.cursor.accept("WHEN")
        self.cursor.expect({"ZERO", "ZEROS", "ZEROES"}, "ZERO")
        self.entry.blank_when_zero = True

    def synchronized(self) -> None:
        """Take SYNCHRONIZED LEFT or RIGHT: both begin at the boundary."""
        self.cursor.take()
        self.cursor.accept("LEFT", "RIGHT")
        self.entry.synchronized = True

    def scope(self) -> None:
        """IS GLOBAL, IS EXTERNAL: nothing for the bytes."""
        self.cursor.accept("IS")
        self.cursor.expect({"GLOBAL", "EXTERNAL", "VOLATILE"}, "GLOBAL or EXTERNAL")
        self.cursor.accept("GLOBAL", "EXTERNAL")

    def renames(self) -> None:
        """Take RENAMES first THRU last."""
        self.cursor.take()
        first = self.reference("the name of the first item renamed")
        last = None
        if self.cursor.accept("THRU", "THROUGH"):
            last = self.reference("the name of the last item renamed")
        self.entry.renames = (first, last)

    def date_format(self) -> None:
        """DATE FORMAT IS pattern, of older IBM compilers: nothing for the bytes."""
        self.cursor.take()
        self.cursor.expect({"FORMAT"}, "FORMAT")
        self.cursor.accept("IS")
        self.cursor.word("a pattern such as YYYYXXXX")

    def reference(self, what: str) -> Reference:
        """Take a name with its OF or IN."""
        first = self.cursor.word(what)
        names = [first.text]
        while self.cursor.accept("OF", "IN"):
            names.append(self.cursor.word("the name of a group").text)
        return Reference(tuple(names), first)


_Reader = Callable[[_Clause], None]
_NAMED: dict[tuple[str, ...], _Reader] = {
    ("REDEFINES",): _Clause.redefines,
    ("PICTURE", "PIC"): _Clause.picture,
    ("USAGE", "GROUP-USAGE"): _Clause.usage,
    ("SIGN", "LEADING", "TRAILING"): _Clause.sign,
    ("OCCURS",): _Clause.occurs,
    ("VALUE", "VALUES"): _Clause.value,
    ("JUSTIFIED", "JUST"): _Clause.justified,
    ("BLANK",): _Clause.blank,
    ("SYNCHRONIZED", "SYNC"): _Clause.synchronized,
    ("GLOBAL", "EXTERNAL", "VOLATILE", "IS"): _Clause.scope,
    ("RENAMES",): _Clause.renames,
    ("DATE",): _Clause.date_format,
}
_CLAUSES: dict[str, tuple[str, _Reader]] = {
    spelling: (names[0], reader) for names, reader in _NAMED.items() for spelling in names
}
"""The readers by the word that a clause begins with; with each the clause's one name."""
