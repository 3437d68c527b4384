"""Real database servers, one of a kind for each worker, started when a test first asks."""

from __future__ import annotations

import pytest

from stranglerfig.testing.server import MariaDb, NoServer, PostgreSql


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server; ``.database()`` gives the URL of a fresh database."""
    yield from _serving(PostgreSql)


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server; ``.database()`` gives the URL of a fresh database."""
    yield from _serving(MariaDb)


def _serving(kind):
    try:
        server = kind()
    except NoServer as missing:
        pytest.fail(f"not installed: {missing}; run 'make services'")
    yield server
    server.stop()
