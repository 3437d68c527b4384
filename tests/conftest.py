"""Real database servers, one of a kind for each worker, started when a test first asks."""

from __future__ import annotations

import os
import signal

import pytest

from stranglerfig.testing.server import MariaDb, NoServer, PostgreSql

# Where the tests are started in the background, Ctrl-C is ignored by all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# What hundreds of processes of ours import is compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
SERVING = []


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server; ``.database()`` gives the URL of a fresh database."""
    yield from _serving(PostgreSql)


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server; ``.database()`` gives the URL of a fresh database."""
    yield from _serving(MariaDb)


@pytest.fixture(scope="module", autouse=True)
def databases_go():
    """Drop the databases that a file's tests made: they may lie in memory."""
    yield
    for server in SERVING:
        if isinstance(server, PostgreSql):
            server.drop()


def _serving(kind):
    try:
        server = kind()
    except NoServer as missing:
        pytest.fail(f"not installed: {missing}; run 'make services'")
    SERVING.append(server)
    yield server
    SERVING.remove(server)
    server.stop()
