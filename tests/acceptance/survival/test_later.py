"""A delayed retry of one key: the others are unaffected, and its own goes as it is set (test 15)."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.process
OTHERS = [(at, f"b{at % 5}", "plain") for at in range(10, 30)]


@pytest.mark.parametrize("later", ["block", "park"])
def test_a_delayed_retry_holds_back_no_other_key(make_office, wait, later):
    # What is parked holds its key back in its last second: so it must wait longer than that.
    waits = {"first": 3, "longest": 3} if later == "park" else {}
    office = make_office(later=later, attempts=1000, **waits)
    office.shadow()
    process = office.bridge()
    office.write((1, "a", "fails"), (2, "a", "behind it"), (3, "a", "and it"))
    wait(lambda: office.asked("begun").count(1) >= 2, "it was tried again")
    office.write(*OTHERS)
    wait(lambda: set(office.asked("ended")) >= {at for at, _, _ in OTHERS}, "others flow")
    if later == "park":
        wait(lambda: {2, 3} <= set(office.asked("ended")), "those behind it go on without it")
    seen = office.asked("begun").count(1)
    wait(lambda: office.asked("begun").count(1) > seen, "it is tried on")
    assert {2, 3}.isdisjoint(office.asked("begun")) == (later == "block")
    assert process.source()["dead"] == 0
    (office.root / "mended").touch()
    office.settled()
    mine = [at for at in office.asked("ended") if at <= 3]
    assert mine == ([1, 2, 3] if later == "block" else [2, 3, 1])
    assert process.stop() == 0
    accounts = [account for _, account, _ in OTHERS]
    ordered = set(accounts) | ({"a"} if later == "block" else set())
    office.check(["a", "a", "a", *accounts], ordered=ordered)
    assert office.events("attempts", "id > 1") == [(1,)] * (len(OTHERS) + 2)
