from __future__ import annotations

import pytest

from stranglerfig.testing.store import StoreContract
from stranglerfig.tests.stores import store_file


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store_url(self, tmp_path):
        return store_file(tmp_path / "fig.db")
