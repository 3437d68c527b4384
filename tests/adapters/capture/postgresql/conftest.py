"""A fresh database of a legacy system with a table of tickets, and sources over it."""

from __future__ import annotations

import pytest

from stranglerfig.tests.adapters.capture.postgresql.desk import Desk


@pytest.fixture
def desk(postgresql, tmp_path):
    desk = Desk(postgresql.database(), tmp_path)
    yield desk
    desk.close()
