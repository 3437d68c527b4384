"""What capture costs a legacy program's writes: inserts with and without our triggers.

Run it alone: ``python benchmarks/trigger_cost.py``. A legacy table of ten columns, with its primary
key and the two further indexes that such a table has, in a database whose commits are durable. For
each kind of database the same three ways of writing are timed:

* ``single``: one row a transaction, from a client;
* ``batch``: 100 rows a transaction, by the driver's ``executemany``;
* ``bulk``: ``INSERT … SELECT`` of 1,000 rows a statement, on the server alone, which is the worst
  case: there is no client whose time could hide the trigger's.

``row`` and ``statement`` are the triggers that ``fig adapter install`` makes (into a capture table
with all of its indexes, errors caught, waking included), ``hand`` is a plain row trigger as one
writes it by hand, into the same table: no error is caught in it, nothing large is looked for and
nobody is woken. Ratios are taken within a repeat, in shuffled order; the figures are medians. After
each run the events are counted. The last line is JSON; the exit status is 1 where a goal was
missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pymysql
from sqlalchemy.engine import make_url

from stranglerfig.adapters.tables import TableSource
from stranglerfig.testing.server import MariaDb, PostgreSql

WAYS = ("single", "batch", "bulk")
GOALS = {
    "postgresql": {"row_single": 1.2, "row_batch": 1.6, "statement_bulk": 2.2}
    | {f"row_per_hand_{way}": 1.0 for way in WAYS},
    "mariadb": {f"row_per_hand_{way}": 1.0 for way in WAYS},
    # Not reached: json_object, as one writes it by hand, rounds reals; ours keeps every digit.
    "sqlite": {f"row_per_hand_{way}": 1.0 for way in WAYS},
}

POSTGRESQL_TABLE = """
CREATE TABLE bookings (id bigint PRIMARY KEY, account text NOT NULL, amount numeric(12, 2) NOT NULL,
  booked date NOT NULL, at timestamptz NOT NULL, note text, status text NOT NULL, clerk integer,
  open boolean NOT NULL, rate double precision);
CREATE INDEX bookings_account ON bookings (account, booked);
CREATE INDEX bookings_status ON bookings (status, at)
"""
POSTGRESQL_INSERT = "INSERT INTO bookings VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
POSTGRESQL_BULK = """
INSERT INTO bookings SELECT n, 'K' || lpad((n * 7919 %% 100000)::text, 8, '0'), n / 100.0,
  date '2024-01-01' + n %% 365, timestamptz '2024-01-01' + n * interval '1 minute',
  'Monthly fee for the account, booked by the night run', 'open', n %% 40, n %% 2 = 0, n / 7.0
FROM generate_series(%s::integer, %s::integer) n
"""
# What one would write for the same event: the row as jsonb, into our table.
POSTGRESQL_HAND = """
CREATE FUNCTION hand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.fig_event (event_id, source, key, op, after, schema_hash, created_at)
  VALUES (gen_random_uuid(), 'bookings', NEW.id::text, 'insert', to_jsonb(NEW)::text, '',
    extract(epoch FROM clock_timestamp()));
  RETURN NULL;
END $$;
CREATE TRIGGER hand AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION hand()
"""


class OnPostgreSql:
    """One server; for each run a fresh table in a database that has seen nothing yet."""

    triggers = ("none", "row", "statement", "hand")

    def __init__(self, server: PostgreSql) -> None:
        self.server = server

    @contextlib.contextmanager
    def prepared(self, trigger: str) -> Iterator[Mapping[str, Callable[[int], int]]]:
        """Give the ways of writing; each takes how many rows and gives how many it wrote."""
        url = self.server.database()
        with (
            psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as legacy,
            tempfile.TemporaryDirectory() as folder,
        ):
            for statement in POSTGRESQL_TABLE.split(";"):
                legacy.execute(statement)
            options = {
                "url": url,
                "table": "bookings",
                "level": trigger if trigger == "statement" else "row",
            }
            if trigger != "none":
                source = TableSource(
                    name="bookings", options=options, place="bench", root=Path(folder)
                )
                source.install()
            if trigger == "hand":
                legacy.execute('DROP TRIGGER "00_fig_bookings_insert" ON bookings')
                legacy.execute(POSTGRESQL_HAND)
            self._legacy, self._last = legacy, 0
            self._legacy.execute("CHECKPOINT")
            yield {"single": self._single, "batch": self._batch, "bulk": self._bulk}
            if trigger != "none":
                ((events,),) = legacy.execute("SELECT count(*) FROM fig_event").fetchall()
                assert events == self._last, f"{events} events of {self._last} rows"

    def stop(self) -> None:
        self.server.stop()

    def _single(self, count: int) -> int:
        for row in self._rows(count):
            self._legacy.execute(POSTGRESQL_INSERT, row)
        return count

    def _batch(self, count: int) -> int:
        rows = self._rows(count)
        with self._legacy.cursor() as cursor:
            for at in range(0, count, 100):
                with self._legacy.transaction():
                    cursor.executemany(POSTGRESQL_INSERT, rows[at : at + 100])
        return count

    def _bulk(self, count: int) -> int:
        for at in range(self._last + 1, self._last + count + 1, 1000):
            self._legacy.execute(POSTGRESQL_BULK, (at, at + 999))
        self._last += count
        return count

    def _rows(self, count: int) -> list[tuple[object, ...]]:
        first, self._last = self._last + 1, self._last + count
        return [booking(at) for at in range(first, self._last + 1)]


MARIADB_TABLE = """
CREATE TABLE bookings (id BIGINT PRIMARY KEY, account VARCHAR(20) NOT NULL,
  amount DECIMAL(12, 2) NOT NULL, booked DATE NOT NULL, at DATETIME NOT NULL, note VARCHAR(200),
  status VARCHAR(20) NOT NULL, clerk INT, open BOOLEAN NOT NULL, rate DOUBLE,
  INDEX (account, booked), INDEX (status, at))
"""
MARIADB_BULK = """
INSERT INTO bookings SELECT seq, CONCAT('K', LPAD(seq * 7919 %% 100000, 8, '0')), seq / 100.0,
  DATE('2024-01-01') + INTERVAL seq %% 365 DAY, TIMESTAMP('2024-01-01') + INTERVAL seq MINUTE,
  'Monthly fee for the account, booked by the night run', 'open', seq %% 40, seq %% 2 = 0, seq / 7.0
FROM seq_1_to_100000000 WHERE seq BETWEEN %s AND %s
"""
NAMES = ("id", "account", "amount", "booked", "at", "note", "status", "clerk", "open", "rate")
ROW = ", ".join(f"'{name}', NEW.{name}" for name in NAMES)
MARIADB_HAND = f"""
CREATE TRIGGER hand AFTER INSERT ON bookings FOR EACH ROW
  INSERT INTO fig_event (event_id, source, `key`, op, `after`, schema_hash, created_at)
  VALUES (UUID(), 'bookings', NEW.id, 'insert', JSON_OBJECT({ROW}), '', UNIX_TIMESTAMP(NOW(6)))
"""

SQLITE_TABLE = """
CREATE TABLE bookings (id INTEGER PRIMARY KEY, account TEXT NOT NULL, amount NUMERIC NOT NULL,
  booked TEXT NOT NULL, at TEXT NOT NULL, note TEXT, status TEXT NOT NULL, clerk INTEGER,
  open INTEGER NOT NULL, rate REAL);
CREATE INDEX bookings_account ON bookings (account, booked);
CREATE INDEX bookings_status ON bookings (status, at)
"""
SQLITE_BULK = """
WITH RECURSIVE n (at) AS (SELECT ? UNION ALL SELECT at + 1 FROM n WHERE at < ?)
INSERT INTO bookings SELECT at, printf('K%08d', at * 7919 % 100000), at / 100.0,
  date('2024-01-01', (at % 365) || ' days'), datetime('2024-01-01', at || ' minutes'),
  'Monthly fee for the account, booked by the night run', 'open', at % 40, at % 2, at / 7.0 FROM n
"""
SQLITE_HAND = f"""
CREATE TRIGGER hand AFTER INSERT ON bookings BEGIN
  INSERT INTO fig_event (event_id, source, key, op, after, schema_hash, created_at)
  VALUES (lower(hex(randomblob(16))), 'bookings', NEW.id, 'insert', json_object({ROW}), '',
    (julianday('now') - 2440587.5) * 86400.0);
END
"""


def install(url: str, folder: str) -> None:
    options = {"url": url, "table": "bookings"}
    TableSource(name="bookings", options=options, place="bench", root=Path(folder)).install()


class OnMariaDb:
    """One server; for each run a fresh table in a database that has seen nothing yet."""

    triggers = ("none", "row", "hand")

    def __init__(self, server: MariaDb) -> None:
        self._server = server

    @contextlib.contextmanager
    def prepared(self, trigger: str) -> Iterator[Mapping[str, Callable[[int], int]]]:
        url = make_url(self._server.database())
        self._legacy, self._last = (
            pymysql.connect(
                host=url.host,
                port=url.port,
                user=url.username,
                database=url.database,
                autocommit=True,
            ),
            0,
        )
        self._cursor = self._legacy.cursor()
        self._cursor.execute(MARIADB_TABLE)
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(self._legacy):
            if trigger != "none":
                install(url.render_as_string(), folder)
            if trigger == "hand":
                self._cursor.execute("DROP TRIGGER fig_bookings_insert")
                self._cursor.execute(MARIADB_HAND)
            yield {"single": self._single, "batch": self._batch, "bulk": self._bulk}
            if trigger != "none":
                self._cursor.execute("SELECT COUNT(*) FROM fig_event WHERE `after` IS NOT NULL")
                assert self._cursor.fetchone() == (self._last,)
                self._cursor.execute("SELECT COUNT(*) FROM fig_gap")
                assert self._cursor.fetchone() == (0,)

    def _single(self, count: int) -> int:
        for row in self._rows(count):
            self._cursor.execute(POSTGRESQL_INSERT, row)
        return count

    def _batch(self, count: int) -> int:
        rows = self._rows(count)
        for at in range(0, count, 100):
            self._cursor.executemany(POSTGRESQL_INSERT, rows[at : at + 100])
        return count

    def _bulk(self, count: int) -> int:
        for at in range(self._last + 1, self._last + count + 1, 1000):
            self._cursor.execute(MARIADB_BULK, (at, at + 999))
        self._last += count
        return count

    def _rows(self, count: int) -> list[tuple[object, ...]]:
        first, self._last = self._last + 1, self._last + count
        rows = (booking(at) for at in range(first, self._last + 1))
        return [(*row[:4], str(row[4])[:19], *row[5:]) for row in rows]

    def stop(self) -> None:
        self._server.stop()


class OnSqlite:
    """A file for each run, written as most programs do: WAL, and a sync at each commit."""

    triggers = ("none", "row", "hand")

    @contextlib.contextmanager
    def prepared(self, trigger: str) -> Iterator[Mapping[str, Callable[[int], int]]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "legacy.db"
            legacy = sqlite3.connect(path, isolation_level=None)
            self._legacy, self._last = legacy, 0
            legacy.executescript(f"PRAGMA journal_mode = WAL; {SQLITE_TABLE}")
            if trigger != "none":
                install("sqlite:///legacy.db", folder)
            if trigger == "hand":
                legacy.execute("DROP TRIGGER fig_bookings_insert")
                legacy.execute(SQLITE_HAND)
            yield {"single": self._single, "batch": self._batch, "bulk": self._bulk}
            if trigger != "none":
                ((events,),) = legacy.execute("SELECT count(*) FROM fig_event")
                assert events == self._last, f"{events} events of {self._last} rows"
            legacy.close()

    def _single(self, count: int) -> int:
        for row in self._rows(count):
            self._legacy.execute(SQLITE_INSERT, row)
        return count

    def _batch(self, count: int) -> int:
        rows = self._rows(count)
        for at in range(0, count, 100):
            self._legacy.execute("BEGIN")
            self._legacy.executemany(SQLITE_INSERT, rows[at : at + 100])
            self._legacy.execute("COMMIT")
        return count

    def _bulk(self, count: int) -> int:
        for at in range(self._last + 1, self._last + count + 1, 1000):
            self._legacy.execute(SQLITE_BULK, (at, at + 999))
        self._last += count
        return count

    def _rows(self, count: int) -> list[tuple[object, ...]]:
        first, self._last = self._last + 1, self._last + count
        return [booking(at) for at in range(first, self._last + 1)]

    def stop(self) -> None:
        """Nothing runs."""


SQLITE_INSERT = "INSERT INTO bookings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def booking(at: int) -> tuple[object, ...]:
    return (
        at,
        f"K{at * 7919 % 100_000:08}",
        f"{at / 100:.2f}",
        f"2024-{at % 12 + 1:02}-{at % 28 + 1:02}",
        f"2024-01-01 {at % 24:02}:{at % 60:02}:00+00",
        "Monthly fee for the account, booked by the night run",
        "open",
        at % 40,
        at % 2 == 0,
        at / 7,
    )


CASES = {
    "postgresql": lambda: OnPostgreSql(
        PostgreSql(durable=True, settings={"max_prepared_transactions": "0"})
    ),
    "mariadb": lambda: OnMariaDb(MariaDb(durable=True)),
    "sqlite": OnSqlite,
}


def bench(repeats: int, counts: Mapping[str, int], databases: list[str]) -> bool:
    ratios: dict[str, dict[str, float]] = {}
    for database in databases:
        case = CASES[database]()
        runs: dict[tuple[str, str], list[float]] = {}
        try:
            for repeat in range(repeats + 1):
                for trigger in random.sample(case.triggers, len(case.triggers)):
                    with case.prepared(trigger) as ways:
                        for way in WAYS:
                            began = time.perf_counter()
                            written = ways[way](counts[way])
                            took = (time.perf_counter() - began) / written * 1e6
                            if repeat:  # the first one warms
                                runs.setdefault((trigger, way), []).append(took)
        finally:
            case.stop()
        ratios[database] = report(database, case.triggers, runs)
    met = all(
        ratios[database].get(name, 0.0) <= goal
        for database in databases
        for name, goal in GOALS.get(database, {}).items()
    )
    print(json.dumps({"benchmark": "trigger_cost", "ratios": ratios, "goals": GOALS, "met": met}))
    return met


def report(
    database: str, triggers: tuple[str, ...], runs: Mapping[tuple[str, str], list[float]]
) -> dict[str, float]:
    """Print microseconds a row, and give the ratios to no trigger and to the one by hand."""
    print(f"{database:22}" + "".join(f"{way:>10}   ratio" for way in WAYS))
    ratios = {}
    for trigger in triggers:
        line = f"  {trigger:20}"
        for way in WAYS:
            each = runs[trigger, way]
            found = ratio(each, runs["none", way])
            line += f"{statistics.median(each):10.1f}{found:8.2f}"
            if trigger != "none":
                ratios[f"{trigger}_{way}"] = found
        print(line + "   µs a row")
    for way in WAYS:
        ratios[f"row_per_hand_{way}"] = ratio(runs["row", way], runs["hand", way])
    return ratios


def ratio(above: list[float], below: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 2)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--single", type=int, default=2_000)
    arguments.add_argument("--batch", type=int, default=20_000)
    arguments.add_argument("--bulk", type=int, default=50_000)
    arguments.add_argument("--database", action="append", choices=list(CASES))
    given = arguments.parse_args()
    counts = {way: getattr(given, way) for way in WAYS}
    return 0 if bench(given.repeats, counts, given.database or list(CASES)) else 1


if __name__ == "__main__":
    sys.exit(main())
