from __future__ import annotations

import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.testing.store import StoreContract


class TestPostgresqlStore(StoreContract):
    @pytest.fixture
    def store_url(self, postgresql):
        url = postgresql.database()
        upgrade(url)
        return url
