"""A step of a run on a real store."""

from __future__ import annotations

import pytest

from stranglerfig.store import Store
from stranglerfig.tests.migrations.bench import Bench
from stranglerfig.tests.stores import store_file


@pytest.fixture
def bench(tmp_path):
    store = Store(store_file(tmp_path / "fig.db"), patience=5.0)
    store.open()
    yield Bench(tmp_path, store)
    store.close()
