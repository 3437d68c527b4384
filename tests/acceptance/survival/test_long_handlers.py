"""A handler ten times longer than its lease; one that outlives it asleep (tests 2, 8 and 9)."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.process


def test_a_handler_ten_times_longer_than_its_lease_has_one_delivery(any_office):
    """Another bridge stands by, and would take it; both databases at once, for it takes its time."""
    offices = [any_office(kind, lease=1) for kind in ("postgresql", "mariadb")]
    running = []
    for office in offices:
        office.shadow()
        running += [office.bridge(), office.bridge()]
        office.write((1, "a", "slow"), (2, "a", "behind it"), (3, "b", "plain"))
    for office in offices:
        office.settled()
        assert office.asked("begun").count(1) == office.asked("ended").count(1) == 1
        assert office.asked("begun").index(3) < office.asked("begun").index(2)
        assert office.events("attempts, lost") == [(1, 0)] * 3
        office.check(["a", "a", "b"])
    assert [process.stop() for process in running] == [0] * 4


def test_whose_lease_ran_out_in_the_middle_marks_nothing(make_office, wait):
    """The process is stopped, not ended, so that nothing but the end of its lease frees its work."""
    office = make_office(lease=1)
    office.live()
    first = office.bridge()
    office.write((1, "a", "waits"))
    wait(lambda: office.asked("begun") == [1], "the first has it in hand")
    first.signal(signal.SIGSTOP)
    try:
        second = office.bridge()
        wait(lambda: office.asked("begun") == [1, 1], "the second took it when its lease had ended")
        (office.root / "go").touch()
        office.settled()
    finally:
        first.signal(signal.SIGCONT)
    wait(lambda: first.source()["unsettled"] == 1, "the late end is refused")
    assert "the lease was lost" in first.said()
    assert office.events("attempts, lost") == [(2, 1)]
    wait(lambda: office.verdicts() != [], "it was sent")
    assert first.stop() == second.stop() == 0
    assert len(office.verdicts()) == 1
    office.check(["a"])
