"""The table source on real SQLite files: the contract, and what only a table has."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stranglerfig.adapters.tables import TableSource
from stranglerfig.model import Settlement
from stranglerfig.testing.source import SourceContract

DONE = Settlement(outcome="done")
TICKETS = "CREATE TABLE tickets (id INTEGER PRIMARY KEY, account TEXT, text TEXT)"


def make(root: Path, **options: object) -> TableSource:
    table = {"url": "sqlite:///legacy.db", "table": "tickets", "poll": 0.01, **options}
    name = str(table.pop("name", "tickets"))
    return TableSource(name=name, options=table, place=f"fig.toml: legacy.{name}", root=root)


@pytest.fixture
def legacy(tmp_path: Path):
    with contextlib.closing(sqlite3.connect(tmp_path / "legacy.db")) as connection:
        connection.execute(TICKETS)
        connection.commit()
        yield connection


class TableFeed:
    secrets = ("hush",)

    def __init__(self, source: TableSource, legacy: sqlite3.Connection) -> None:
        self.source, self._legacy = source, legacy

    async def put(self, key: str, text: str) -> bytes:
        row = self._legacy.execute(
            "INSERT INTO tickets (account, text) VALUES (?, ?)", (key, text)
        ).lastrowid
        self._legacy.commit()
        image = {"id": str(row), "account": key, "text": text}
        # SQLite leaves DEL and everything above as it is, as JSON allows.
        return json.dumps(image, ensure_ascii=False, separators=(",", ":")).encode()


class TestTableSource(SourceContract):
    @pytest.fixture
    async def feed(self, tmp_path: Path, legacy: sqlite3.Connection) -> AsyncIterator[TableFeed]:
        url = "sqlite://robot:hush@/legacy.db"
        source = make(tmp_path, url=url, key="account")
        source.install()
        yield TableFeed(source, legacy)
        await source.close()


async def drain(source: TableSource, *, timeout: float = 0.2) -> list[dict[str, str | None]]:
    await source.open()
    images = []
    while deliveries := await source.receive(100, timeout):
        for delivery in deliveries:
            images.append(json.loads(delivery.record.body))
            await delivery.settle(DONE)
    await source.close()
    return images
