"""Offices: a legacy database on a real server, a store on PostgreSQL, bridges over both."""

from __future__ import annotations

from functools import partial

import pytest

from stranglerfig.tests.acceptance.survival.bridge_process import Nursery
from stranglerfig.tests.acceptance.survival.office import Office
from stranglerfig.tests.stores import store_database


@pytest.fixture(scope="session")
def nursery():
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def any_office(request, tmp_path, nursery, postgresql):
    """Make offices of a kind, with ``fig.toml`` as the options say."""
    made = []

    def make(kind, **options):
        root = tmp_path / f"office{len(made)}"
        root.mkdir()
        legacy = request.getfixturevalue(kind).database()
        if "store" not in options:
            options["store"] = store_database(postgresql)
        made.append(Office(root, nursery, legacy=legacy, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["postgresql", "mariadb"])
def make_office(request, any_office):
    """Make offices whose legacy database is of either kind."""
    return partial(any_office, request.param)
