"""A legacy database with one captured table, over whose rows tests walk. It is no test."""

from __future__ import annotations

import itertools
import threading

from sqlalchemy import create_engine, event, make_url, select, text, update
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.capture.backfill import Backfill
from stranglerfig.adapters.capture.chunks import Chunks
from stranglerfig.adapters.capture.dialect import Event
from stranglerfig.adapters.capture.events import EVENTS
from stranglerfig.adapters.capture.ground import Ground
from stranglerfig.adapters.capture.identity import told_apart
from stranglerfig.adapters.capture.installation import Installation
from stranglerfig.adapters.capture.mark import Mark, Unmarked
from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.adapters.capture.reconcile import Reconcile
from stranglerfig.adapters.capture.rows import Rows
from stranglerfig.adapters.capture.sqlite.dialect import SqliteCapture
from stranglerfig.adapters.capture.throttle import Pace
from stranglerfig.adapters.capture.unsettled import HELD
from stranglerfig.adapters.capture.walk import Walk
from stranglerfig.model import Record
from stranglerfig.store.captured import capture_effects
from stranglerfig.store.effects import Effects

DIALECTS = {"sqlite": SqliteCapture, "postgresql": PostgreSqlCapture, "mysql": MySqlCapture}
EVERYTHING = ("insert", "update", "delete")


def _as_it_is(connection, _):
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


class Field:
    """One table in a database of a kind, and legacy's own connection to it."""

    def __init__(self, url, root, ddl, *, table="orders", source="orders", **options):
        self.url, self.root, self.table, self.source = url, root, table, source
        self.backend = url.partition("+")[0].partition(":")[0]
        self.engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        if self.backend == "sqlite":
            # What legacy wrote need not be Unicode.
            event.listen(self.engine, "connect", _as_it_is)
        self.options = {"operations": EVERYTHING, **options}
        self.dialect = DIALECTS[self.backend]()
        if ddl:
            self.run(ddl)

    def run(self, *statements):
        with self.engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def rows(self, query, **values):
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def installation(self, **options):
        self.dialect = DIALECTS[self.backend]()
        engine = self.dialect.engine(make_url(self.url), self.root, place="p", patience=1.0)
        return Installation(
            engine,
            self.dialect,
            source=self.source,
            place=f"{self.backend}: {self.table}",
            table=self.table,
            **{**self.options, **options},
        )

    def install(self):
        self.installation().apply()

    def ground(self, **options) -> Ground:
        return self.installation(**options).ground()

    def events(self, what='id, op, "key"', where="1 = 1"):
        what = what.replace('"', "`") if self.backend == "mysql" else what
        return self.rows(f"SELECT {what} FROM fig_event WHERE {where} ORDER BY id")

    def images(self, where="1 = 1"):
        """Give what each event's row looked like, as a consumer reads it."""
        read = self.dialect.image
        if self.backend == "sqlite":
            self.dialect._encoding = self.dialect._encoding or "UTF-8"
        found = self.events('"after", op', where)
        return [(op, read(after).values if after else None) for after, op in found]

    def backfill(
        self,
        *,
        bounds=(),
        most=1_000,
        hold=5.0,
        stop=None,
        where=None,
        report=None,
        restart=False,
        ground=None,
        locks=True,
    ):
        ground = ground or self.ground()
        walk = Walk(
            ground,
            Mark(ground, "backfill"),
            bounds=list(bounds),
            pace=Pace(most, hold),
            stop=stop or threading.Event(),
            report=report or (lambda _: None),
        )
        return walk.run(Backfill(ground, where, locks=locks).begin, restart=restart)

    def reconcile(
        self, ledger, mode="capture", *, most=1_000, stop=None, stop_after=0, new_columns=False
    ):
        """Walk; ``stop_after`` chunks it is told to stop."""
        ground, stop, chunks = self.ground(), stop or threading.Event(), itertools.count()
        mark = Unmarked("reconcile") if mode == "look" else Mark(ground, "reconcile")
        walk = Walk(
            ground,
            mark,
            bounds=[],
            pace=Pace(most, 5.0),
            stop=stop,
            report=lambda _: stop.set() if stop_after and next(chunks) >= stop_after else None,
        )
        work = Reconcile(ground, ledger, mode, new_columns=new_columns)
        walk.run(work.begin, finish=work.finish)
        return work.tally

    def deliver(self, database, where="done_at IS NULL"):
        """Take and settle what waits, as the bridge does; give its operations."""
        ground = self.ground()
        with ground.connected() as connection:
            columns = Rows(ground, Chunks(ground, connection), connection).columns
            found = (
                connection.execute(select(EVENTS).where(text(where)).order_by(EVENTS.c.id))
                .mappings()
                .all()
            )
            # What a walk still holds back holds its key back too, as claims have it.
            held = {row["key"] for row in found if row["parked"] == HELD}
            events = [
                Event(**{name: row[name] for name in Event.__struct_fields__} | {"lease_token": ""})
                for row in found
                if row["key"] not in held
            ]
            with database.write() as store:
                for event in events:
                    headers = (("op", event.op), *told_apart(event, columns, ground.dialect.image))
                    record = Record(
                        source=self.source,
                        position=event.event_id,
                        kind="row",
                        body=b"",
                        headers=headers,
                    )
                    Effects(database.engine).write(store, capture_effects(record))
            done = update(EVENTS).where(EVENTS.c.id.in_([one.id for one in events]))
        with self.engine.connect() as bridge:  # it waits for locks
            bridge.execute(done.values(done_at=1.0))
        return [one.op for one in events]

    def unseen(self, *statements):
        """Run what no trigger sees."""
        ground = self.ground()
        pieces = [one for one in ground.dialect.pieces(ground.capture) if one.kind == "trigger"]
        self.run(*(one.drop for one in pieces))
        self.run(*statements)
        self.install()

    def history(self, key, value):
        """Give each event's operation, key and value (a number), in the order of their ids."""
        read, found = self.dialect.image, []
        for op, before, after in self.events('op, "before", "after"'):
            values = read(before if op == "delete" else after).values
            found.append((op, values[key], int(values[value])))
        return found

    def last_images(self, key, value):
        """Give each key's value in its last event."""
        return {one: str(v) for _, one, v in self.history(key, value)}
