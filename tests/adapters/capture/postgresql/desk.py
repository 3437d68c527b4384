"""A legacy system on PostgreSQL: its connections, its table, and the sources that capture it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from stranglerfig.adapters.capture.dialect import Image
from stranglerfig.adapters.capture.postgresql.image import read_image
from stranglerfig.adapters.tables import TableSource

TICKETS = "CREATE TABLE tickets (id bigint PRIMARY KEY, account text, text text)"


class Desk:
    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root
        self.connections: list[psycopg.Connection] = []
        self.legacy = self.connect()
        self.legacy.execute(TICKETS)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection:
        url = self.url.replace("+psycopg", "")
        connection = psycopg.connect(url, autocommit=autocommit)
        self.connections.append(connection)
        return connection

    def source(self, *, name: str = "tickets", **options: object) -> TableSource:
        table = {"url": self.url, "table": "tickets", "poll": 0.01, **options}
        return TableSource(
            name=name, options=table, place=f"fig.toml: legacy.{name}", root=self.root
        )

    def installed(self, **options: object) -> TableSource:
        source = self.source(**options)
        source.install()
        return source

    def ask(self, query: str, *values: object) -> list[tuple]:
        return self.legacy.execute(query, values or None).fetchall()

    def events(self, *columns: str, where: str = "true") -> list[tuple]:
        shown = ", ".join(columns or ("op", "key"))
        return self.ask(f"SELECT {shown} FROM fig_event WHERE {where} ORDER BY id")

    def afters(self) -> list[Image]:
        return [read_image(after) for (after,) in self.events('"after"')]

    def gaps(self) -> list[tuple]:
        return self.ask("SELECT op, key, reason FROM fig_gap ORDER BY id")

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
