"""Conditions over ``old`` and ``new``, ``old.status is distinct from new.status``, in any SQL.

Called by the dialects: ``translated`` once, where the options are read, and ``condition`` for each
trigger. A condition is part of a trigger, and what fails there may fail the legacy statement, so it
is made of columns, values, comparisons and a few functions that cannot fail, and of nothing else:
no subquery, no cast, no division. Where a column's value is null the usual three values hold, and
a change is captured where the condition is true.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from ...errors import MissingExtra
from .dialect import Operation, Shape

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["ConditionError", "Name", "condition", "translated"]

Name = Literal["postgres", "mysql", "sqlite", "tsql", "oracle"]
"""A kind of database, as sqlglot calls it."""

_MOST: Final = 4_000
_ABSENT: Final[dict[str, str]] = {"insert": "old", "delete": "new"}
_EXPECTED: Final = "one comparison of columns and values, joined by and, or, not"
_FUNCTIONS: Final = "abs, coalesce, length, lower, nullif, trim, upper"


class ConditionError(ValueError):
    """What is wrong with a condition, and at which character (from 1; 0: nobody knows)."""

    def __init__(self, message: str, *, column: int = 0) -> None:
        super().__init__(message if not column else f"{message}, at character {column}")
        self.column = column


def translated(text: str, shape: Shape, *, dialect: Name) -> str:
    """Give a condition in a database's own SQL, its columns quoted.

    The rows are ``OLD`` and ``NEW`` (Oracle: ``:OLD``, ``:NEW``; SQL Server: aliases ``[old]``,
    ``[new]``). Raises ``ConditionError``, a ``ValueError``, for what is no condition, and
    ``MissingExtra`` without sqlglot.
    """
    try:
        tree = _parsed(text)
        _Reader(text, shape).condition(tree)
        return _written(tree, dialect)
    except RecursionError:
        raise ConditionError("nested too deeply: expected a short condition") from None


def condition(when: str, operation: Operation, *, dialect: Name) -> str:
    """Give what ``translated`` gave for one operation: a row that it does not have is all null.

    For databases whose triggers must not name such a row (SQLite, MySQL). Empty stays empty.
    """
    absent = _ABSENT.get(operation)
    if not when or absent is None:
        return when
    from sqlglot import exp, parse_one  # noqa: PLC0415 an extra

    def without(node: exp.Expression) -> exp.Expression:
        missing = isinstance(node, exp.Column) and node.table.lower() == absent
        return exp.null() if missing else node

    return parse_one(when, read=dialect).transform(without).sql(dialect)


def _parsed(text: str) -> exp.Expression:
    try:
        from sqlglot import Dialect, exp  # noqa: PLC0415 an extra
        from sqlglot.errors import ParseError, TokenError  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra(
            "conditions need sqlglot",
            place="when",
            value=str(error),
            remedy="pip install 'stranglerfig[tables]'",
        ) from error
    if not text.strip() or len(text) > _MOST:
        raise ConditionError(f"expected {_EXPECTED}, of at most {_MOST} characters")
    words = Dialect.get_or_raise(None)
    try:
        tokens = words.tokenize(text)
        for token in tokens:
            if token.comments or token.token_type.name == "SEMICOLON":
                message = "a comment or a semicolon: expected one condition and no more"
                raise ConditionError(message, column=token.start + 1)
        (tree,) = words.parser().parse_into(exp.Condition, tokens, text)
    except TokenError:
        raise ConditionError("a quote is not closed") from None
    except ParseError as error:
        at = error.errors[0] if error.errors else {}
        said = at.get("highlight") or "the end"
        column = _position(text, at.get("line"), at.get("col"), at.get("highlight"))
        message = f"not understood at {said!r}: expected {_EXPECTED}"
        raise ConditionError(message, column=column) from None
    if not isinstance(tree, exp.Expression):
        raise ConditionError(f"expected {_EXPECTED}")
    return tree


def _position(text: str, line: int | None, end: int | None, word: str | None) -> int:
    """Turn sqlglot's line and last column into a character's place in the whole text, from 1."""
    if not line or not end:
        return 0
    before = sum(len(one) for one in text.splitlines(keepends=True)[: line - 1])
    return before + max(end - len(word or "") + 1, 1)


class _Reader:
    """Refuses whatever is not on its list; sets the columns' names as the table has them."""

    def __init__(self, text: str, shape: Shape) -> None:
        from sqlglot import exp  # noqa: PLC0415 an extra

        self._exp, self._text, self._shape = exp, text, shape
        self._comparisons: tuple[type[exp.Expression], ...] = (
            *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between),
            *(exp.NullSafeEQ, exp.NullSafeNEQ),
        )
        self._functions: tuple[type[exp.Expression], ...] = (
            *(exp.Abs, exp.Coalesce, exp.Length, exp.Lower, exp.Nullif, exp.Trim, exp.Upper),
        )
        self._sums = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren)

    def condition(self, node: exp.Expression) -> None:
        """Check what must be true or false."""
        exp = self._exp
        if isinstance(node, (exp.And, exp.Or, exp.Not, exp.Paren)):
            self._each(node, self.condition)
        elif isinstance(node, self._comparisons) and not node.args.get("symmetric"):
            self._each(node, self._value)
        elif isinstance(node, exp.Is):
            self._is(node)
        elif isinstance(node, exp.In) and _present(node) == {"this", "expressions"}:
            self._each(node, self._value)
        elif isinstance(node, exp.Like):
            self._like(node)
        else:
            self._refuse(node, f"expected {_EXPECTED}")

    def _is(self, node: exp.Is) -> None:
        self._value(node.this)
        if not isinstance(node.expression, self._exp.Null):
            self._refuse(node.expression, "expected 'is null', 'is not null' or '= true'")

    def _like(self, node: exp.Like) -> None:
        self._value(node.this)
        pattern = node.expression
        # A pattern out of a row may be one that the database refuses, and with it the statement.
        if not (isinstance(pattern, self._exp.Literal) and pattern.is_string):
            self._refuse(pattern, "expected a pattern in quotes")

    def _value(self, node: exp.Expression) -> None:
        exp = self._exp
        if isinstance(node, exp.Column):
            self._column(node)
        elif isinstance(node, (exp.Literal, exp.Null, exp.Boolean)):
            return
        elif isinstance(node, exp.National):
            node.replace(exp.Literal.string(node.this))
        elif isinstance(node, (*self._sums, *self._functions)) and _is_plain(node):
            self._each(node, self._value)
        else:
            expected = f"expected columns, values, + - * and the functions {_FUNCTIONS}"
            self._refuse(node, expected)

    def _column(self, node: exp.Column) -> None:
        row, name = node.args.get("table"), node.this
        if row is None or row.name.lower() not in ("old", "new") or node.args.get("db"):
            wanted = f"old.{name.name} or new.{name.name}"
            self._refuse(node, f"expected {wanted}")
        if not isinstance(name, self._exp.Identifier):
            self._refuse(node, "expected the name of a column")
        known = self._shape.all_columns
        found = [one for one in known if one == name.name]
        if not found and not name.args.get("quoted"):
            found = [one for one in known if one.lower() == name.name.lower()]
        if len(found) != 1:
            self._unknown(node, name.name, found)
        node.set("this", self._exp.to_identifier(found[0], quoted=True))
        node.set("table", self._exp.to_identifier(row.name.lower(), quoted=False))

    def _unknown(self, node: exp.Column, name: str, found: Sequence[str]) -> NoReturn:
        if found:
            self._refuse(node, f"expected one of {', '.join(found)}, in double quotes")
        close = difflib.get_close_matches(name, self._shape.all_columns, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        known = ", ".join(self._shape.all_columns)
        self._refuse(node, f"expected a column of {self._shape.table!r}: {known}{hint}")

    def _each(self, node: exp.Expression, check: Callable[[exp.Expression], None]) -> None:
        for child in list(node.iter_expressions()):
            check(child)

    def _refuse(self, node: exp.Expression, expected: str) -> NoReturn:
        starts = [one.meta["start"] for one in node.walk() if "start" in one.meta]
        column = min(starts) + 1 if starts else 0
        raise ConditionError(f"{node.sql()[:100]}: {expected}", column=column)


def _present(node: exp.Expression) -> set[str]:
    return {name for name, value in node.args.items() if value}


def _is_plain(node: exp.Expression) -> bool:
    return _present(node) <= {"this", "expression", "expressions"}


def _written(tree: exp.Expression, dialect: Name) -> str:
    """Write it so that the oldest supported server of a kind understands it."""
    from sqlglot import exp  # noqa: PLC0415 an extra

    def leaf(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return _of_row(node, dialect)
        if isinstance(node, exp.Literal) and node.is_string:
            return _string(node, dialect)
        if isinstance(node, exp.Boolean) and dialect == "oracle":
            return exp.Literal.number(int(node.this))
        return node

    def comparison(node: exp.Expression) -> exp.Expression:
        if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
            same = _same(node.this, node.expression, dialect)
            return same if isinstance(node, exp.NullSafeEQ) else exp.paren(exp.not_(same))
        return node

    # Comparisons hold none of their own kind, so the second pass misses nothing.
    return tree.transform(leaf).transform(comparison).sql(dialect)


def _same(left: exp.Expression, right: exp.Expression, dialect: Name) -> exp.Expression:
    """Compare so that nulls are equal to each other. Also under ``not`` it is true or false."""
    from sqlglot import exp  # noqa: PLC0415 an extra

    left, right = exp.paren(left), exp.paren(right)
    if dialect == "sqlite":
        return exp.paren(exp.Is(this=left, expression=right))
    if dialect in ("mysql", "postgres"):
        return exp.paren(exp.NullSafeEQ(this=left, expression=right))
    null = exp.null()
    both = exp.and_(exp.Is(this=left, expression=null), exp.Is(this=right, expression=null))
    equal = exp.and_(
        exp.not_(exp.Is(this=left, expression=null)),
        exp.not_(exp.Is(this=right, expression=null)),
        exp.EQ(this=left, expression=right),
    )
    return exp.paren(exp.or_(both, equal))


def _string(node: exp.Literal, dialect: Name) -> exp.Expression:
    from sqlglot import exp  # noqa: PLC0415 an extra

    if dialect == "mysql" and "\\" in node.this:
        raise ConditionError("a backslash: what it means depends on sql_mode; expected none")
    if dialect == "tsql" and not node.this.isascii():
        return exp.National(this=node.this)
    return node


def _of_row(node: exp.Column, dialect: Name) -> exp.Column:
    from sqlglot import exp  # noqa: PLC0415 an extra

    row = node.table.lower()
    if dialect == "tsql":
        table = exp.to_identifier(row, quoted=True)
    elif dialect == "oracle":
        table = exp.Identifier(this=f":{row.upper()}", quoted=False)
    else:
        table = exp.Identifier(this=row.upper(), quoted=False)
    return exp.Column(this=node.this, table=table)
