"""What the doctor finds of what we break, in every kind of database, and that it leaves no trace."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.doctor import examine
from stranglerfig.tests.adapters.capture.shop import TABLES


def examined(shop, table, *, canary=None, **options):
    found = list(examine(shop.installation(table, **options), canary=canary or {}))
    return {one.check: one for one in found}


@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
def test_every_trigger_is_proved_and_nothing_stays(shop, filled):
    for installation in shop.everything():
        installation.apply()
    if filled:
        shop.write()
    before = (shop.events(), [shop.rows(table) for table in TABLES])
    for table in TABLES:
        found = examined(shop, table)
        for one in found.values():
            print(table.name, one.check, one.state, one.says, one.figures)
    assert (shop.events(), [shop.rows(table) for table in TABLES]) == before
    assert 0
