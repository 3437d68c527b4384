"""Stores as ``fig init`` makes them, quicker: copies of one that was made so in this process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.testing.server import PostgreSql

_LIKE: dict[PostgreSql, str] = {}


@functools.cache
def _bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fig.db"
        upgrade(f"sqlite:///{file}")
        assert [one.name for one in file.parent.iterdir()] == ["fig.db"], "nothing is in its log"
        return file.read_bytes()


def store_file(file: Path) -> str:
    """Make a store of this file and give its URL."""
    file.write_bytes(_bytes())
    return f"sqlite:///{file}"


def store_database(server: PostgreSql) -> str:
    """Make a store on the server, in a database of its own, and give its URL."""
    if server not in _LIKE:
        _LIKE[server] = server.database(lasting=True)
        upgrade(_LIKE[server])
    return server.database(_LIKE[server])


def either_store(request: pytest.FixtureRequest, file: Path) -> str:
    """Make a store of the kind that the fixture's parameter names: "sqlite" or "postgresql"."""
    if request.param == "sqlite":
        return store_file(file)
    return store_database(request.getfixturevalue("postgresql"))
