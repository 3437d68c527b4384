from __future__ import annotations

import pytest

from stranglerfig.testing.store import StoreContract
from stranglerfig.tests.stores import store_database


class TestPostgresqlStore(StoreContract):
    @pytest.fixture
    def store_url(self, postgresql):
        return store_database(postgresql)
