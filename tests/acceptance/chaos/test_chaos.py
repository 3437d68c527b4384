"""The short form of ``run.py``; the long one is ``make soak``."""

from __future__ import annotations

import pytest

from stranglerfig.tests.acceptance.chaos.run import run

pytestmark = pytest.mark.process


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_killed_bridges_lose_invent_and_reorder_nothing(kind, tmp_path, postgresql, request):
    legacy = request.getfixturevalue(kind)
    counts, wrong = run(
        tmp_path,
        legacy=legacy.database(),
        store=postgresql.database(),
        seconds=10,
        writers=8,
        bridges=3,
        pause=(0.8, 2.0),
    )
    assert not wrong, wrong
    assert counts["bridges killed"] >= 2
    assert counts["committed"] == counts["journalled"] > 50
    assert counts["transactions committed in two phases"]
    assert counts["transactions rolled back when prepared"]
