"""The shop in every kind of database that can be captured."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.adapters.capture.sqlite.dialect import SqliteCapture
from stranglerfig.tests.adapters.capture.shop import Shop


def sqlite_shop(request, tmp_path):
    return Shop(f"sqlite:///{tmp_path / 'shop.db'}", SqliteCapture(), tmp_path)


def mysql_shop(request, tmp_path):
    return Shop(request.getfixturevalue("mariadb").database(), MySqlCapture(), tmp_path)


def postgresql_shop(request, tmp_path):
    return Shop(request.getfixturevalue("postgresql").database(), PostgreSqlCapture(), tmp_path)


SHOPS = {"sqlite": sqlite_shop, "mysql": mysql_shop, "postgresql": postgresql_shop}


@pytest.fixture(params=list(SHOPS))
def shop(request, tmp_path):
    return SHOPS[request.param](request, tmp_path)


SERVERS = {"mysql": "mariadb", "postgresql": "postgresql"}


@pytest.fixture(params=list(SHOPS))
def url(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'legacy.db'}"
    return request.getfixturevalue(SERVERS[request.param]).database()


@pytest.fixture(params=list(SERVERS))
def server_url(request):
    """An empty database of each kind that has several writers at once."""
    return request.getfixturevalue(SERVERS[request.param]).database()
