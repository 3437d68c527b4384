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
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg

from stranglerfig.adapters.tables import TableSource
from stranglerfig.testing.server import PostgreSql

WAYS = ("single", "batch", "bulk")
GOALS = {
    "postgresql": {
        "row_single": 1.2,
        "row_batch": 1.6,
        "statement_bulk": 2.2,
        "row_per_hand_single": 1.1,
        "row_per_hand_batch": 1.1,
        "row_per_hand_bulk": 1.1,
    },
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


CASES = {"postgresql": lambda: OnPostgreSql(PostgreSql(durable=True))}


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
            case.server.stop()
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
