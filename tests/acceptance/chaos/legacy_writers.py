"""Legacy programs that write as they please: long, interleaved, rolled back, in two phases."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

REGIONS = ("north", "sud-ouest", "Øst")
NUMBERS = 12

CLAIM = """
CREATE TABLE claim (
  region VARCHAR(20) NOT NULL, number INTEGER NOT NULL, state VARCHAR(10) NOT NULL,
  amount NUMERIC(12, 2), note VARCHAR(200), change_id VARCHAR(36) NOT NULL,
  PRIMARY KEY (region, number))
"""
# What really happened, written by legacy itself in the same transactions, while it holds the row:
# so its order by n is the order of the commits of each row.
TRUTH_TABLE = """
CREATE TABLE truth (
  n {serial} PRIMARY KEY, region VARCHAR(20) NOT NULL, number INTEGER NOT NULL,
  op VARCHAR(10) NOT NULL, change_id VARCHAR(36) NOT NULL)
"""
SERIAL = {"postgresql": "BIGSERIAL", "mysql": "BIGINT AUTO_INCREMENT"}

INSERT = "INSERT INTO claim VALUES (:region, :number, 'new', :amount, :note, :change)"
UPDATE = (
    "UPDATE claim SET state = :state, amount = :amount, change_id = :change"
    " WHERE region = :region AND number = :number"
)
DELETE = "DELETE FROM claim WHERE region = :region AND number = :number"
LOOK = "SELECT change_id FROM claim WHERE region = :region AND number = :number FOR UPDATE"
TRUTH = "INSERT INTO truth (region, number, op, change_id) VALUES (:region, :number, :op, :change)"


def make_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in (CLAIM, TRUTH_TABLE):
            connection.execute(text(table.format(serial=SERIAL[engine.dialect.name])))
    engine.dispose()


class Writer(threading.Thread):
    """One legacy program on a connection of its own, until it is told to stop."""

    def __init__(self, url: str, seed: int, pace: float) -> None:
        super().__init__(daemon=True)
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._chance = random.Random(seed)
        self._pace = pace
        self._two_phase = _Postgres() if self._engine.dialect.name == "postgresql" else _Maria()

    def run(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(self._two_phase.impatience))
            while not self.stopping.is_set():
                try:
                    self._transact(connection)
                except SQLAlchemyError as error:  # a deadlock, or a row that another one inserted
                    self.counts["failed"] += 1
                    self.counts[f"failed: {type(error.orig).__name__}"] += 1
                    self._two_phase.forget(connection)
                self.stopping.wait(self._chance.expovariate(1 / self._pace))
        self._engine.dispose()

    def _transact(self, connection: Connection) -> None:
        chance, name = self._chance, uuid.uuid4().hex
        kind = chance.choices(["commit", "roll back", "two-phase"], [6, 2, 2])[0]
        two = kind == "two-phase"
        self._two_phase.begin(connection, name, two=two)
        for _ in range(chance.choice([1, 1, 2, 3, 8])):
            self._change(connection)
            # Locks are held meanwhile, and others' transactions begin and end in between.
            time.sleep(chance.choice([0, 0, 0.002, 0.02]))
        if chance.random() < 0.02:
            self.counts["long"] += 1
            self.stopping.wait(chance.uniform(0.5, 2.0))
        outcome = self._two_phase.end(
            connection, name, two=two, keep=kind == "commit" or (two and chance.random() < 0.7)
        )
        self.counts[outcome] += 1

    def _change(self, connection: Connection) -> None:
        chance = self._chance
        row = {"region": chance.choice(REGIONS), "number": chance.randrange(NUMBERS)}
        found = connection.execute(text(LOOK), row).scalar()
        row |= {
            "change": uuid.uuid4().hex,
            "amount": chance.randrange(10**9) / 100,
            "note": chance.choice(['it\'s "quoted" \\', "ключ 鍵 🔑", "", None]),
            "state": chance.choice(["open", "closed"]),
        }
        if found is None:
            op, statement = "insert", INSERT
        elif chance.random() < 0.2:
            op, statement, row["change"] = "delete", DELETE, found
        else:
            op, statement = "update", UPDATE
        wanted = text(statement)
        connection.execute(wanted, {k: row[k] for k in wanted.compile().params})
        given = {"region": row["region"], "number": row["number"]}
        connection.execute(text(TRUTH), {**given, "op": op, "change": row["change"]})


class _Postgres:
    impatience = "SET lock_timeout = '3s'"

    def begin(self, connection: Connection, name: str, *, two: bool) -> None:
        del name, two  # it says only at the end whether it is to be prepared, and under what name
        connection.execute(text("BEGIN"))

    def end(self, connection: Connection, name: str, *, two: bool, keep: bool) -> str:
        if not two:
            connection.execute(text("COMMIT" if keep else "ROLLBACK"))
            return "committed" if keep else "rolled back"
        connection.execute(text(f"PREPARE TRANSACTION '{name}'"))
        time.sleep(0.02)
        connection.execute(text(f"{'COMMIT' if keep else 'ROLLBACK'} PREPARED '{name}'"))
        return "committed in two phases" if keep else "rolled back when prepared"

    def forget(self, connection: Connection) -> None:
        connection.execute(text("ROLLBACK"))


class _Maria:
    impatience = "SET SESSION innodb_lock_wait_timeout = 3"

    def __init__(self) -> None:
        self._name = ""

    def begin(self, connection: Connection, name: str, *, two: bool) -> None:
        self._name = name if two else ""
        connection.execute(text(f"XA START '{name}'" if two else "BEGIN"))

    def end(self, connection: Connection, name: str, *, two: bool, keep: bool) -> str:
        if not two:
            connection.execute(text("COMMIT" if keep else "ROLLBACK"))
            return "committed" if keep else "rolled back"
        connection.execute(text(f"XA END '{name}'"))
        connection.execute(text(f"XA PREPARE '{name}'"))
        time.sleep(0.02)
        connection.execute(text(f"XA {'COMMIT' if keep else 'ROLLBACK'} '{name}'"))
        self._name = ""
        return "committed in two phases" if keep else "rolled back when prepared"

    def forget(self, connection: Connection) -> None:
        name, self._name = self._name, ""
        for statement in (f"XA END '{name}'", f"XA ROLLBACK '{name}'") if name else ("ROLLBACK",):
            try:
                connection.execute(text(statement))
            except SQLAlchemyError:
                continue
