"""Tables are walked whole by keys of every type, in a few chunks, and each row is found again."""

from __future__ import annotations

import threading

import pytest

from stranglerfig.errors import LegacyError
from stranglerfig.store.captured import Captured
from stranglerfig.store.database import Database
from stranglerfig.tests.adapters.capture.field import Field
from stranglerfig.tests.stores import store_file

TEXTS = ["'Ä'", "'a'", "'B'", "'it''s'", "'ß'", "'z '", "'_'", "'10'", "'9'", "'e%s'", "''"]
NUMBERS = ["-7", "0", "9007199254740993", "12", "100", "9007199254740992", "3"]
DECIMALS = ["0.10", "12345678901234.56", "12345678901234.57", "-3.00", "7.25"]
TIMES = [f"'2024-10-27 0{hour}:59:59.12345{hour}'" for hour in range(7)]
BYTES = ["00", "ff", "0001", "7f80", "c3", "2727", "5c"]
FLOATS = ["0.1", "1e-30", "3.25", "-7.5", "16777217", "0.30000001"]

SQLITE = {
    "INTEGER": NUMBERS,
    "TEXT NOT NULL": TEXTS,
    "TEXT COLLATE NOCASE NOT NULL": TEXTS,
    "BLOB NOT NULL": [f"x'{one}'" for one in BYTES],
    "REAL NOT NULL": FLOATS,
    "NOT NULL": ["1", "'1'", "1.5", "x'31'", "'a'", "cast(x'ff41' as text)"],
}
POSTGRESQL = {
    "bigint": NUMBERS,
    "text": TEXTS,
    'varchar(9) COLLATE "C"': TEXTS,
    "char(5)": TEXTS[:5],
    "numeric": DECIMALS,
    "real": FLOATS,
    "double precision": FLOATS,
    "timestamptz": [f"timestamptz {one}" for one in TIMES],
    "timestamp": TIMES,
    "date": ["'2024-01-01'", "'0001-01-01 BC'", "'infinity'", "'1999-12-31'", "'2024-02-29'"],
    "bytea": [f"'\\x{one}'" for one in BYTES],
    "uuid": [f"'0000000{at}-0000-0000-0000-00000000000{at}'" for at in range(6)],
    "interval": ["'1 day'", "'2 mons 3 days'", "'-04:05:06'", "'1 year'", "'5 s'"],
    "inet": ["'10.0.0.1'", "'::1'", "'192.168.0.0/16'", "'10.0.0.0/8'", "'1.1.1.1'"],
    "boolean": ["true", "false"],
    '"Mood Ö"': ["'sad'", "'ok'", "'it''s'"],
}
MYSQL = {
    "BIGINT": NUMBERS,
    "BIGINT UNSIGNED": ["18446744073709551615", "0", "18446744073709551614", "7", "8"],
    "VARCHAR(20)": ["'Ä'", "'b'", "'it''s'", "'ß2'", "'_'", "'10'", "'9'", "'e%s'", "''"],
    "VARCHAR(20) CHARACTER SET latin1": ["'Ä'", "'b'", "'it''s'", "'x'", "'_'", "'10'"],
    "CHAR(9) COLLATE utf8mb4_bin": TEXTS[:5],
    "DECIMAL(20,2)": DECIMALS,
    "FLOAT": FLOATS,
    "DOUBLE": FLOATS,
    "TIMESTAMP(6)": TIMES,
    "DATETIME(6)": TIMES,
    "DATE": ["'2024-01-01'", "'1000-01-01'", "'9999-12-31'", "'1999-12-31'", "'2024-02-29'"],
    "TIME(3)": ["'-838:59:59'", "'00:00:01.500'", "'23:59:59'", "'100:00:00'", "'00:00:00'"],
    "YEAR": ["1999", "2024", "2000", "1901", "2155"],
    "VARBINARY(9)": [f"x'{one}'" for one in BYTES],
    "BINARY(2)": ["x'0001'", "x'ff00'", "x'4141'", "x'2727'"],
    "ENUM('z','it''s','a','10','9')": ["'z'", "'a'", "'it''s'", "'9'", "'10'"],
    "BIT(5)": ["b'00001'", "b'10000'", "b'11111'", "b'00000'", "b'01010'"],
    "UUID": [f"'0000000{at}-0000-0000-0000-00000000000{at}'" for at in range(6)],
    "INET6": ["'::1'", "'::2'", "'fe80::1'", "'2001:db8::'", "'::ffff:1.2.3.4'"],
}
BY_KIND = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MYSQL}
CASES = [(kind, declared) for kind, types in BY_KIND.items() for declared in types]
SERVERS = {"mysql": "mariadb", "postgresql": "postgresql"}
MOOD = "CREATE TYPE \"Mood Ö\" AS ENUM ('sad', 'ok', 'it''s')"


def url_of(kind, request, tmp_path):
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'legacy.db'}"
    return request.getfixturevalue(SERVERS[kind]).database()


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize(("kind", "declared"), CASES)
def test_a_key_of_this_type(kind, declared, request, tmp_path):
    field = Field(url_of(kind, request, tmp_path), tmp_path, None)
    if "Mood" in declared:
        field.run(MOOD)
    field.run(f"CREATE TABLE orders (k {declared}, n INTEGER NOT NULL, v TEXT, PRIMARY KEY (k, n))")
    values = BY_KIND[kind][declared]
    field.run(*(f"INSERT INTO orders VALUES ({one}, {n}, 'v')" for one in values for n in (2, 1)))
    field.install()
    field.backfill(most=3)
    taken = field.events('"after"')
    assert len(set(taken)) == len(taken) == 2 * len(values)
    store = Database(f"sqlite:///{tmp_path / 'fig.db'}")
    store_file(tmp_path / "fig.db")
    field.deliver(store)
    looked = field.reconcile(Captured(store), most=3)
    assert (looked.equal, looked.missed, looked.stale) == (len(taken), {}, 0)
    field.unseen("DELETE FROM orders WHERE n = 1", "UPDATE orders SET v = 'w'")
    looked = field.reconcile(Captured(store), most=3)
    assert looked.missed == {"delete": len(values), "update": len(values)}
    known = {(op, key) for op, key in field.events('op, "key"', "op in ('read', 'delete')")}
    assert {key for op, key in known if op == "delete"} <= {
        key for op, key in known if op == "read"
    }


def test_a_table_without_a_key_is_walked_by_where_its_rows_lie(url, tmp_path):
    field = Field(url, tmp_path, "CREATE TABLE orders (v INTEGER)")
    field.run(*(f"INSERT INTO orders VALUES ({at})" for at in range(20)))
    field.install()
    if field.backend == "mysql":
        with pytest.raises(LegacyError, match="nothing by which its rows can be told apart"):
            field.backfill()
        return
    assert field.backfill(most=7).rows == 20
    assert sorted(int(one["v"]) for _, one in field.images()) == list(range(20))


def test_a_unique_index_over_columns_that_are_never_null_is_a_key(url, tmp_path):
    field = Field(url, tmp_path, "CREATE TABLE orders (a INTEGER NOT NULL, b INTEGER)")
    field.run("CREATE UNIQUE INDEX orders_a ON orders (a)")
    field.run(*(f"INSERT INTO orders VALUES ({at}, {at})" for at in (5, 3, 9)))
    field.install()
    field.backfill(most=2)
    assert [one["a"] for _, one in field.images()] == ["3", "5", "9"]


def test_a_walk_by_places_does_not_go_on_where_rows_were_moved(tmp_path):
    field = Field(f"sqlite:///{tmp_path / 'legacy.db'}", tmp_path, "CREATE TABLE orders (v TEXT)")
    field.run(*(f"INSERT INTO orders VALUES ({at})" for at in range(20)))
    field.install()
    stop = threading.Event()
    field.backfill(most=5, stop=stop, report=lambda one: one.rows and stop.set())
    field.run("DELETE FROM orders WHERE rowid < 4", "VACUUM")
    with pytest.raises(LegacyError, match="rows were moved"):
        field.backfill(most=5)
    assert field.backfill(most=5, restart=True).rows == 17


def test_names_that_need_quotes(url, tmp_path):
    quote = "`{}`" if "mysql" in url else '"{}"'
    table, key, other = (quote.format(name) for name in ("Ördér x", "Select", "new"))
    ddl = f"CREATE TABLE {table} ({key} INTEGER PRIMARY KEY, {other} VARCHAR(9))"
    field = Field(url, tmp_path, ddl, table="Ördér x")
    field.run(*(f"INSERT INTO {table} VALUES ({at}, 'x')" for at in range(9)))
    field.install()
    assert field.backfill(most=4).rows == 9
    assert [one["Select"] for _, one in field.images()] == [str(at) for at in range(9)]


def test_several_rows_of_one_key_of_the_source_are_told_apart(url, tmp_path):
    ddl = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer VARCHAR(9), v INTEGER)"
    field = Field(url, tmp_path, ddl, key=("customer",))
    field.install()
    field.run(*(f"INSERT INTO orders VALUES ({at}, 'c{at % 2}', {at})" for at in range(6)))
    store = Database(f"sqlite:///{tmp_path / 'fig.db'}")
    store_file(tmp_path / "fig.db")
    field.deliver(store)
    field.unseen(
        "UPDATE orders SET customer = 'other' WHERE id = 3", "DELETE FROM orders WHERE id = 4"
    )
    looked = field.reconcile(Captured(store))
    assert (looked.missed, looked.stale) == ({"insert": 1, "delete": 1}, 1)
    assert field.events('op, "key"', "done_at IS NULL") == [
        ("reconcile", "other"),
        ("delete", "c0"),
    ]
