"""Conditions are read once, refused where they could do harm, and mean the same everywhere."""

from __future__ import annotations

import builtins
import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from stranglerfig.adapters.capture.dialect import Shape
from stranglerfig.adapters.capture.when import ConditionError, condition, translated
from stranglerfig.errors import MissingExtra

NAMES = ("status", "Ключ", "flag", "a", "b", "A b", 'say "x"', "x", "X")
SHAPE = Shape(table="T", columns=(), key=(), all_columns=NAMES)
DIALECTS = ("postgres", "mysql", "sqlite", "tsql", "oracle")


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("postgres", '(NOT ((OLD."status") IS NOT DISTINCT FROM (NEW."status")))'),
        ("mysql", "(NOT ((OLD.`status`) <=> (NEW.`status`)))"),
        ("sqlite", '(NOT ((OLD."status") IS (NEW."status")))'),
        (
            "tsql",
            (
                "(NOT ((([old].[status]) IS NULL AND ([new].[status]) IS NULL) OR (NOT ([old].[status])"
                " IS NULL AND NOT ([new].[status]) IS NULL AND ([old].[status]) = ([new].[status]))))"
            ),
        ),
        (
            "oracle",
            (
                '(NOT (((:OLD."status") IS NULL AND (:NEW."status") IS NULL) OR (NOT (:OLD."status")'
                ' IS NULL AND NOT (:NEW."status") IS NULL AND (:OLD."status") = (:NEW."status"))))'
            ),
        ),
    ],
)
def test_it_is_written_in_the_words_of_each_database(dialect, expected):
    assert translated("old.status is distinct from new.status", SHAPE, dialect=dialect) == expected


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        ("new.a>1 AND NOT old.A = 2", "sqlite", 'NEW."a" > 1 AND NOT OLD."a" = 2'),
        ("old.x = 1", "sqlite", 'OLD."x" = 1'),  # and not X, another column
        ('NEW."A b" = 1', "mysql", "NEW.`A b` = 1"),
        ('new."say ""x""" = 1', "postgres", 'NEW."say ""x""" = 1'),
        ("new.ключ like 'a%'", "oracle", ":NEW.\"Ключ\" LIKE 'a%'"),
        ("new.status = 'é'", "tsql", "[new].[status] = N'é'"),
        ("new.status = N'it''s'", "mysql", "NEW.`status` = 'it''s'"),
        ("new.flag = true", "tsql", "[new].[flag] = 1"),
        ("new.flag = true", "oracle", ':NEW."flag" = 1'),
        ("old.a is not null", "sqlite", 'NOT OLD."a" IS NULL'),
        ("length(new.status) > 3", "mysql", "CHAR_LENGTH(NEW.`status`) > 3"),
        ("new.a in (1, -2) or new.b between 1 and 2 * 3", "sqlite", None),
        ("nullif(trim(new.status), '') is null", "tsql", None),
        ("abs(new.a - old.a) >= 1.5 and coalesce(new.b, 0) <> 0", "oracle", None),
    ],
)
def test_columns_are_quoted_as_the_table_has_them(text, dialect, expected):
    made = translated(text, SHAPE, dialect=dialect)
    assert expected is None or made == expected
    assert isinstance(parse_one(made.replace(":", ""), read=dialect), exp.Condition)


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        ("", "expected one comparison", 0),
        ("old.statsu = 1", "did you mean 'status'?", 1),
        ("old.a = 1 and\n new.statsu = 1", "did you mean 'status'?", 16),
        ('old."status" = new."STATUS"', "expected a column of 'T'", 16),
        ("a = 1", "expected old.a or new.a", 1),
        ("other.a = 1", "expected old.a or new.a", 1),
        ("db.old.a = 1", "expected old.a or new.a", 1),
        ("old.a = 1; drop table t", "a semicolon", 10),
        ("old.a = 1;", "a semicolon", 10),
        ("old.a = 1 -- so", "a comment", 9),
        ("old.a = 1 /* so */", "a comment", 9),
        ("old.a = (select 1)", "expected columns, values", 17),
        ("old.a in (select a from t)", "expected one comparison", None),
        ("exists (select 1)", "expected one comparison", None),
        ("old.a = f(1)", "expected columns, values", 9),
        ("pg_sleep(9) is null", "expected columns, values", 1),
        ("old.a = random()", "expected columns, values", 9),
        ("old.a = now()", "expected columns, values", 9),
        ("count(old.a) = 1", "expected columns, values", 1),
        ("old.a / 0 = 1", "expected columns, values", 1),
        ("old.a % 2 = 1", "expected columns, values", 1),
        ("cast(old.a as int) = 1", "expected columns, values", None),
        ("old.a = :x", "expected columns, values", None),
        ("old.a = ?", "expected columns, values", None),
        ("old.a = @x", "expected columns, values", None),
        ("old.status like new.status", "a pattern in quotes", 17),
        ("old.status like 'a' escape '!'", "expected one comparison", 1),
        ("old.a is true", "'is null'", None),
        ("old.a", "expected one comparison", 1),
        ("old.a = 1 and new.a", "expected one comparison", 15),
        ("old.* = 1", "expected", None),
        ("old.a = 'x", "a quote is not closed", 0),
        ("old.a =", "not understood at '='", 7),
        ("old.a = 1 = 2", "expected columns, values", None),
        ("1 = 1 2 = 2", "not understood at '2'", 7),
        ("old.a = 1 union select 1", "not understood at 'union'", 11),
        ("drop table t", "not understood at 'drop'", 1),
        ("trim(leading 'x' from old.a) = ''", "expected columns, values", None),
        ("case when old.a = 1 then true end", "expected one comparison", None),
        ("(" * 1_900 + "old.a = 1" + ")" * 1_900, "nested too deeply", 0),
        ("old.a = '" + "x" * 5_000 + "'", "of at most 4000 characters", 0),
    ],
)
def test_what_is_no_condition_is_refused_at_its_place(text, says, column):
    for dialect in DIALECTS:
        with pytest.raises(ConditionError, match=r"(?s).") as told:
            translated(text, SHAPE, dialect=dialect)
        assert says in str(told.value)
        if column is not None:
            assert told.value.column == column
            assert (f"at character {column}" in str(told.value)) == bool(column)


def test_names_that_differ_in_case_only_must_be_told_apart():
    shape = Shape(table="T", columns=(), key=(), all_columns=("AA", "Aa"))
    with pytest.raises(ConditionError, match="one of AA, Aa, in double quotes"):
        translated("new.aa = 1", shape, dialect="postgres")
    assert translated('new."Aa" = 1', shape, dialect="postgres") == 'NEW."Aa" = 1'


def test_a_backslash_means_nothing_sure_in_mysql():
    with pytest.raises(ConditionError, match="sql_mode"):
        translated(r"new.status = 'a\b'", SHAPE, dialect="mysql")
    made = translated(r"new.status = 'a\b'", SHAPE, dialect="sqlite")
    assert made == r"""NEW."status" = 'a\b'"""


def test_the_row_that_an_operation_has_not_is_null():
    for dialect, quote in (("mysql", "`"), ("sqlite", '"')):
        made = translated("old.a is distinct from new.a", SHAPE, dialect=dialect)
        same = "<=>" if dialect == "mysql" else "IS"
        new = f"({'new' if dialect == 'x' else 'NEW'}.{quote}a{quote})"
        assert condition(made, "insert", dialect=dialect) == f"(NOT ((NULL) {same} {new}))"
        assert "NEW" not in condition(made, "delete", dialect=dialect)
        assert condition(made, "update", dialect=dialect) == made
    assert condition("", "insert", dialect="mysql") == ""


def test_without_sqlglot_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("sqlglot"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra) as told:
        translated("old.a = 1", SHAPE, dialect="mysql")
    assert told.value.remedy == "pip install 'stranglerfig[tables]'"


# What it means: three values, against SQLite

cell = st.none() | st.integers(-2, 2)
rows = st.fixed_dictionaries({f"{row}.{name}": cell for row in ("old", "new") for name in "ab"})
operand = st.sampled_from(["old.a", "old.b", "new.a", "new.b", "0", "1", "null"])
signs = st.sampled_from(["=", "<>", "<", ">=", "is distinct from", "is not distinct from"])
simple = st.tuples(operand, signs, operand)
tree = st.recursive(
    simple,
    lambda inner: (
        st.tuples(st.just("not"), inner) | st.tuples(inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=6,
)


def written(node) -> str:
    if node[0] == "not":
        return f"not ({written(node[1])})"
    if node[1] in ("and", "or"):
        return f"({written(node[0])}) {node[1]} ({written(node[2])})"
    return " ".join(node)


def holds(node, row) -> bool | None:
    if node[0] == "not":
        inner = holds(node[1], row)
        return None if inner is None else not inner
    if node[1] in ("and", "or"):
        sides = [holds(node[0], row), holds(node[2], row)]
        decides = node[1] == "or"
        if decides in sides:
            return decides
        return None if None in sides else not decides
    left, right = (
        row[one] if "." in one else None if one == "null" else int(one) for one in node[::2]
    )
    if "distinct" in node[1]:
        return (left == right) is ("not" in node[1])
    if left is None or right is None:
        return None
    return {"=": left == right, "<>": left != right, "<": left < right, ">=": left >= right}[
        node[1]
    ]


database = sqlite3.connect(":memory:", isolation_level=None)
NO_OLD = {"old.a": None, "old.b": None}


@given(tree, rows)
@example(("not", ("old.a", "is distinct from", "new.a")), {**NO_OLD, "new.a": None, "new.b": None})
def test_it_holds_exactly_where_it_should(node, row):
    shape = Shape(table="t", columns=(), key=(), all_columns=("a", "b"))
    values = [row[one] for one in ("old.a", "old.b", "new.a", "new.b")]
    tables = 'FROM (SELECT ? AS a, ? AS b) AS "{0}", (SELECT ? AS a, ? AS b) AS "{1}"'
    for dialect in ("sqlite", "oracle", "tsql"):
        made = translated(written(node), shape, dialect=dialect)
        # What other databases understand, SQLite does here too but for how they name rows.
        made = made.replace(":OLD", "OLD").replace(":NEW", "NEW")
        statement = f"SELECT {made} {tables.format('old', 'new')}"
        (found,) = database.execute(statement, values).fetchone()
        assert found == holds(node, row)
    made = condition(translated(written(node), shape, dialect="sqlite"), "insert", dialect="sqlite")
    statement = f'SELECT {made} FROM (SELECT ? AS a, ? AS b) AS "new"'
    (found,) = database.execute(statement, values[2:]).fetchone()
    assert found == holds(node, {**row, **NO_OLD})


@given(
    st.lists(
        st.sampled_from(
            [
                "old.a",
                "new.b",
                "=",
                "(",
                ")",
                ",",
                "and",
                "or",
                "not",
                "is",
                "null",
                "distinct",
                "from",
                "in",
                "like",
                "'x'",
                "1",
                ";",
                "--",
                "/*",
                "*/",
                "select",
                "f(",
                "*",
                "/",
                "%",
                "||",
                ".",
                "old",
                "[",
                "]",
                "{",
                "}",
                "@",
                ":",
                "?",
                "$$",
                "cast",
                "as",
                "int",
                "x'00'",
                "union",
                "\\",
                "`",
                '"',
                "between",
                "case",
                "when",
                "end",
                "interval",
                "array",
                "values",
                "with",
                "over",
                "filter",
                "collate",
                "at",
                "time",
                "zone",
            ]
        ),
        max_size=14,
    ).map(" ".join)
)
def test_whatever_comes_is_a_condition_or_refused(text):
    for dialect in DIALECTS:
        try:
            made = translated(text, SHAPE, dialect=dialect)
        except ValueError:
            continue
        found = parse_one(made.replace(":", ""), read=dialect)
        assert not list(found.find_all(exp.Query, exp.Anonymous, exp.Command, exp.Placeholder))
        assert all(column.table.lower() in ("old", "new") for column in found.find_all(exp.Column))
        assert ";" not in made
        assert "--" not in made.replace("- -", "")
