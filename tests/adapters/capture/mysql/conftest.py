"""A legacy database on a real MariaDB, and legacy sessions with settings of their own."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url

from stranglerfig.adapters.capture.dialect import Capture, Image, Shape
from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture

ALL = ("insert", "update", "delete")


class Legacy:
    """One database. ``run`` is legacy's own session; ``ours`` is an engine as capture has it."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).update_query_dict({"ssl_disabled": "true"})
        self.dialect = MySqlCapture()
        self.engine = self.dialect.engine(self.url, Path(), place="fig.toml: x.url", patience=1.0)
        self._sessions: list[pymysql.Connection] = []
        self.session = self.connect()
        self.connection = self.engine.connect()
        for piece in self.dialect.shared():
            self.ours(piece.create)

    def connect(self, *settings: str, charset: str = "utf8mb4", user: str = "root", **options):
        """Open a session of legacy's and run what it sets first."""
        session = pymysql.connect(
            host=self.url.host,
            port=self.url.port,
            user=user,
            database=self.url.database,
            charset=charset,
            autocommit=True,
            ssl_disabled=True,  # it would read the machine's certificates each time
            **options,
        )
        self._sessions.append(session)
        for statement in settings:
            self.run(statement, session=session)
        return session

    def run(self, statement: str, values=None, *, session: pymysql.Connection | None = None):
        """Run a statement as legacy does; give its rows."""
        with (session or self.session).cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def ours(self, statement: str) -> list:
        """Run a statement as capture does."""
        options = {"no_parameters": True}
        done = self.connection.exec_driver_sql(statement, execution_options=options)
        return [tuple(row) for row in done] if done.returns_rows else []

    def shape(self, table: str, key=("id",), columns=()) -> Shape:
        found = self.dialect.columns(self.connection, table)
        return Shape(
            table=table,
            columns=tuple((name, found[name]) for name in columns or found),
            key=tuple(key),
            all_columns=tuple(found),
        )

    def capture(self, table: str, *, key=("id",), columns=(), when="", **options) -> Shape:
        """Create the triggers on a table as it is now."""
        shape = self.shape(table, key, columns)
        operations = options.pop("operations", ALL)
        if when:
            when = self.dialect.when(when, shape, operations)
        made = Capture(source="s", shape=shape, operations=operations, when=when, **options)
        for piece in self.dialect.pieces(made):
            self.ours(piece.drop)
            self.ours(piece.create)
        return shape

    def events(self) -> list[tuple[str, str, Image | None, Image | None]]:
        """Give op, key, before and after of all events."""
        read = self.dialect.image
        return [
            (op, key, before and read(before), after and read(after))
            for op, key, before, after in self.ours(
                "SELECT op, `key`, `before`, `after` FROM fig_event ORDER BY id"
            )
        ]

    def order(self) -> list[tuple[str, str]]:
        return [(op, key) for op, key, _, _ in self.events()]

    def gaps(self) -> list[tuple[str, str | None, str]]:
        return self.ours("SELECT op, `key`, reason FROM fig_gap ORDER BY id")

    def close(self) -> None:
        for session in self._sessions:
            if session.open:
                session.close()
        self.connection.close()
        self.engine.dispose()


@pytest.fixture
def legacy(mariadb):
    made = Legacy(mariadb.database())
    yield made
    made.close()


@pytest.fixture
def t(legacy):
    """A table of legacy's that is captured: ``id``, ``a`` and ``b``."""
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(200), b INT)")
    legacy.capture("t")
    return legacy
