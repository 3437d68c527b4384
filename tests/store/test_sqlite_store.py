from __future__ import annotations

import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.testing.store import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store_url(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'fig.db'}"
        upgrade(url)
        return url
