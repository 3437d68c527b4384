"""Which changes are captured on MariaDB, under which key, and which cannot be."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.adapters.capture.dialect import Capture, Shape
from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture
from stranglerfig.adapters.capture.mysql.trigger import trigger_name


def values(image):
    return None if image is None else tuple(image.values.values())


def changes(legacy):
    return [(op, key, values(before), values(after)) for op, key, before, after in legacy.events()]


# Transactions


def test_what_is_rolled_back_is_no_event_and_each_row_of_a_statement_is_one(t):
    t.run("INSERT INTO t (a) VALUES ('x'), ('y'), ('z')")
    t.run("BEGIN")
    t.run("UPDATE t SET b = 1")
    t.run("SAVEPOINT here")
    t.run("DELETE FROM t")
    t.run("ROLLBACK TO here")
    t.run("COMMIT")
    t.run("BEGIN")
    t.run("INSERT INTO t (a) VALUES ('never')")
    t.run("ROLLBACK")
    assert changes(t) == [
        *(
            ("insert", str(at), None, (str(at), a, None))
            for at, a in ((1, "x"), (2, "y"), (3, "z"))
        ),
        *(
            ("update", str(at), (str(at), a, None), (str(at), a, "1"))
            for at, a in ((1, "x"), (2, "y"), (3, "z"))
        ),
    ]


def test_a_statement_that_fails_half_way_leaves_no_event(t):
    t.run("INSERT INTO t VALUES (3, 'x', 1)")
    with pytest.raises(Exception, match="Duplicate"):
        t.run("INSERT INTO t VALUES (1, 'y', 1), (2, 'y', 1), (3, 'y', 1)")
    assert t.order() == [("insert", "3")]


def test_a_prepared_transaction_is_captured_when_it_commits(t):
    for statement in (
        "XA START 'one'",
        "INSERT INTO t (a) VALUES ('two-phase')",
        "XA END 'one'",
        "XA PREPARE 'one'",
    ):
        t.run(statement)
    assert t.order() == []
    t.run("XA COMMIT 'one'")
    assert t.order() == [("insert", "1")]


def test_interleaved_transactions_miss_nothing_and_invert_no_row(legacy):
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY, n INT)")
    legacy.run(f"INSERT INTO t VALUES {', '.join(f'({at}, 0)' for at in range(5))}")
    legacy.capture("t")

    def write(seed: int) -> None:
        session = legacy.connect()
        for round_ in range(12):
            ids = sorted({(seed * 7 + round_ * step) % 5 for step in (1, 2, 3)})
            legacy.run("BEGIN", session=session)
            for one in ids:
                legacy.run("UPDATE t SET n = n + 1 WHERE id = %s", (one,), session=session)
            legacy.run("ROLLBACK" if round_ % 4 == 3 else "COMMIT", session=session)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    seen: dict[str, int] = {}
    for op, key, before, after in legacy.events():
        assert op == "update"
        assert int(before.values["n"]) == seen.get(key, 0)
        seen[key] = int(after.values["n"])
    assert {int(key): n for key, n in seen.items()} == dict(legacy.run("SELECT id, n FROM t"))
    assert sum(seen.values()) > 0
    assert legacy.gaps() == []


def test_a_table_without_transactions_keeps_what_was_rolled_back(legacy):
    # Documented: there the row stays, and the event goes with the transaction.
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY) ENGINE = MyISAM")
    legacy.capture("t")
    legacy.run("INSERT INTO t VALUES (1)")
    legacy.run("BEGIN")
    legacy.run("INSERT INTO t VALUES (2)")
    legacy.run("ROLLBACK")
    assert legacy.run("SELECT id FROM t") == ((1,), (2,))
    assert legacy.order() == [("insert", "1")]


# Ways of writing


def test_every_way_of_writing_rows_fires(t, tmp_path):
    t.run("REPLACE INTO t VALUES (1, 'x', 1)")
    t.run("REPLACE INTO t VALUES (1, 'y', 1)")
    t.run("INSERT INTO t VALUES (1, 'z', 1) ON DUPLICATE KEY UPDATE b = 2")
    t.run("INSERT IGNORE INTO t VALUES (1, 'z', 1)")
    t.run("UPDATE t SET id = 5")
    t.run("INSERT INTO t SELECT 6, a, b FROM t")
    assert changes(t) == [
        ("insert", "1", None, ("1", "x", "1")),
        ("delete", "1", ("1", "x", "1"), None),
        ("insert", "1", None, ("1", "y", "1")),
        ("update", "1", ("1", "y", "1"), ("1", "y", "2")),
        ("update", "5", ("1", "y", "2"), ("5", "y", "2")),
        ("insert", "6", None, ("6", "y", "2")),
    ]


def test_cascades_and_truncate_are_silent(legacy):
    # Documented: a foreign key's own actions fire no triggers here, nor does TRUNCATE.
    legacy.run("CREATE TABLE parent (id INT PRIMARY KEY)")
    legacy.run(
        "CREATE TABLE t (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id)"
        " ON DELETE CASCADE ON UPDATE CASCADE)"
    )
    legacy.run("INSERT INTO parent VALUES (1), (2)")
    legacy.run("INSERT INTO t VALUES (1, 1), (2, 2)")
    legacy.capture("t")
    legacy.run("UPDATE parent SET id = 3 WHERE id = 1")
    legacy.run("DELETE FROM parent WHERE id = 2")
    assert legacy.run("SELECT id, p FROM t") == ((1, 3),)
    legacy.run("TRUNCATE t")
    assert legacy.order() == []
    assert "truncate" not in MySqlCapture.operations


def test_only_the_operations_asked_for_are_captured(legacy):
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY)")
    legacy.capture("t", operations=("delete",))
    legacy.run("INSERT INTO t VALUES (1)")
    legacy.run("DELETE FROM t")
    assert legacy.order() == [("delete", "1")]


@pytest.mark.parametrize("wrong", [{"operations": ("truncate",)}, {"level": "statement"}])
def test_what_mysql_has_not_is_refused(wrong):
    shape = Shape(table="t", columns=(("a", "int"),), key=(), all_columns=("a",))
    options = {"source": "s", "shape": shape, "operations": ("insert",), **wrong}
    with pytest.raises(ValueError, match="MySQL has triggers"):
        MySqlCapture().pieces(Capture(**options))


# Keys and names


def test_keys_tell_rows_apart(legacy):
    legacy.run("CREATE TABLE t (a VARCHAR(500) NOT NULL, b BINARY(2) NOT NULL, PRIMARY KEY (a, b))")
    legacy.capture("t", key=("a", "b"))
    rows = [("1", b"2"), ("1,", b"2"), ("1'", b"2"), ("x" * 500, b"ab"), ("x" * 500, b"ac")]
    for row in rows:
        legacy.run("INSERT INTO t VALUES (%s, %s)", row)
    keys = [key for _, key in legacy.order()]
    assert keys[0] == "'1','3200'"
    assert len(set(keys)) == len(rows)
    assert all(len(key) <= 600 for key in keys)


def test_a_key_may_be_null_or_very_long(legacy):
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)")
    legacy.capture("t", key=("a",))
    legacy.run("INSERT INTO t VALUES (1, NULL), (2, REPEAT('ü', 5000))")
    assert legacy.order() == [("insert", ""), ("insert", "ü" * 600)]
    assert legacy.gaps() == []


def test_without_a_key_a_row_is_told_by_a_digest_of_all_of_it(legacy):
    legacy.run("CREATE TABLE t (a INT, b TEXT)")
    legacy.capture("t", key=())
    legacy.run("INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'x')")
    legacy.run("DELETE FROM t WHERE a = 2")
    keys = [key for _, key in legacy.order()]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    ((image,),) = legacy.ours("SELECT DISTINCT MD5(`before`) FROM fig_event WHERE op = 'delete'")
    assert keys[3] == image


NAMES = ["Заказы", "order", "it's", 'say "x"', "back`tick", "a b", "100%", "%s", "ö" * 64, "x" * 64]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_captured(legacy, name):
    quoted = f"`{name.replace('`', '``')}`".replace("%", "%%")
    legacy.ours(f"CREATE TABLE {quoted} ({quoted} INT PRIMARY KEY, B INT)".replace("%%", "%"))
    shape = legacy.capture(
        name, key=(name,), when=f'new."{name.replace(chr(34), chr(34) * 2)}" > 0'
    )
    assert [one for one, _ in shape.columns] == [name, "B"]
    legacy.ours(f"INSERT INTO {quoted} VALUES (7, 8)".replace("%%", "%"))
    assert changes(legacy) == [("insert", "7", None, ("7", "8"))]
    assert legacy.events()[0][3].values == {name: "7", "B": "8"}
    made = Capture(source="s", shape=shape, operations=("insert",), when="")
    (piece,) = legacy.dialect.pieces(made)
    assert len(piece.name) <= 64
    assert piece.name in legacy.dialect.standing(legacy.connection, made)
    assert piece.name in legacy.dialect.users(legacy.connection)


def test_long_names_stay_apart():
    names = {trigger_name("x" * 60 + end, op) for end in "abc" for op in ("insert", "update")}
    assert len(names) == 6
    assert max(map(len, names)) == 64


def test_what_stands_is_as_it_was_created_until_somebody_changes_it(t):
    made = Capture(source="s", shape=t.shape("t"), operations=("insert", "update", "delete"))
    wanted = {piece.name: piece.create for piece in t.dialect.pieces(made)}
    assert t.dialect.standing(t.connection, made) == wanted
    t.run("CREATE TRIGGER theirs AFTER INSERT ON t FOR EACH ROW SET @x = 1")
    assert t.dialect.standing(t.connection, made) == wanted
    assert t.dialect.users(t.connection) == set(wanted)
    bent = t.connect("SET SESSION sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,STRICT_ALL_TABLES'")
    t.run("DROP TRIGGER fig_t_insert")
    t.run(wanted["fig_t_insert"], session=bent)
    found = t.dialect.standing(t.connection, made)
    assert "PAD_CHAR" in found.pop("fig_t_insert")
    assert found == {name: one for name, one in wanted.items() if name != "fig_t_insert"}


# Conditions


def test_a_condition_compares_nulls_too(legacy):
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY, status VARCHAR(9))")
    legacy.capture("t", when="old.status is distinct from new.status")
    legacy.run("INSERT INTO t VALUES (1, NULL), (2, 'a')")
    legacy.run("UPDATE t SET status = 'b' WHERE id = 1")
    legacy.run("UPDATE t SET status = 'b'")
    legacy.run("UPDATE t SET status = 'b'")
    legacy.run("UPDATE t SET status = NULL WHERE id = 2")
    legacy.run("DELETE FROM t")
    # What is inserted as null is not distinct from the row that was not there.
    assert legacy.order() == [
        ("insert", "2"),
        ("update", "1"),
        ("update", "2"),
        ("update", "2"),
        ("delete", "1"),
    ]


def test_a_condition_that_fails_is_a_gap(legacy):
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY, n BIGINT UNSIGNED)")
    legacy.capture("t", when="new.n - 1 > 0")
    legacy.run("INSERT INTO t VALUES (1, 0), (2, 5)")
    ((_, key, reason),) = legacy.gaps()
    assert (key, reason[:4]) == ("1", "1690")
    assert legacy.order() == [("insert", "2")]


@pytest.fixture(scope="module")
def judge(mariadb):
    from stranglerfig.tests.adapters.capture.mysql.conftest import Legacy

    made = Legacy(mariadb.database())
    made.run("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)")
    yield made
    made.close()


comparison = st.sampled_from(
    [
        "old.a is distinct from new.a",
        "old.a is not distinct from new.b",
        "new.a > old.b",
        "old.b is null",
        "new.a in (1, 2)",
        "coalesce(old.a, 1) = 1",
        "abs(new.a) between 0 and 1",
    ]
)
condition = st.recursive(
    comparison,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({' '.join(p)})"),
    ),
    max_leaves=5,
)
number = st.none() | st.integers(-2, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition, number, number, number, number)
def test_a_condition_holds_for_a_trigger_as_it_reads(judge, when, a, b, a2, b2):
    judge.run("DELETE FROM t")
    judge.run("INSERT INTO t VALUES (1, %s, %s)", (a, b))
    judge.capture("t", when=when)
    judge.run("DELETE FROM fig_event")
    judge.run("UPDATE t SET a = %s, b = %s", (a2, b2))
    fired = [op for op, _ in judge.order()] == ["update"]
    asked = when.replace("is not distinct from", "<=>")
    while "is distinct from" in asked:
        left, _, right = asked.partition(" is distinct from ")
        at = left.rindex("old.a")
        asked = f"{left[:at]}(NOT (old.a <=> new.a)){right.removeprefix('new.a')}"
    (expected,) = judge.ours(
        f"SELECT {asked} FROM (SELECT {lit(a)} AS a, {lit(b)} AS b) AS old,"
        f" (SELECT {lit(a2)} AS a, {lit(b2)} AS b) AS new"
    )
    assert fired == (expected[0] == 1)
    for piece in ("insert", "update", "delete"):
        judge.run(f"DROP TRIGGER fig_t_{piece}")


def lit(value: int | None) -> str:
    return "NULL" if value is None else str(value)
