"""SIGTERM with a hundred in flight, on real servers; a second one ends at once (test 16)."""

from __future__ import annotations

import signal
import time

import pytest

pytestmark = pytest.mark.process
COUNT = 120
DRAIN = 20


def in_hand(office, wait, most):
    process = office.bridge()
    wait(lambda: process.source()["in_flight"] >= most, f"{most} are in hand", 60)
    return process


def test_sigterm_with_a_hundred_in_flight_drains_and_twice_ends_at_once(make_office, wait):
    office = make_office(drain=DRAIN)
    office.shadow()
    office.write(*((at, f"k{at}", "waits") for at in range(COUNT)))
    process = in_hand(office, wait, 100)
    process.signal(signal.SIGTERM)
    wait(lambda: process.probe("/ready")[0] == 503, "it drains")
    process.signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(DRAIN) == 128 + signal.SIGTERM
    assert time.monotonic() - began < DRAIN / 2, "it did not wait for the drain"
    assert office.done() == 0
    assert office.taken() == []

    process = in_hand(office, wait, 100)
    process.signal(signal.SIGTERM)
    wait(lambda: process.probe("/ready")[0] == 503, "it drains")
    (office.root / "go").touch()
    assert process.wait(DRAIN) == 0
    done = office.done()
    assert 100 <= done <= COUNT
    assert len(office.taken()) == done, "settled is what is in the journal, and no more"
    assert office.events("id", "lease_token IS NOT NULL") == []
    if done < COUNT:
        process = office.bridge()
        office.settled()
        process.stop()
    office.check([f"k{at}" for at in range(COUNT)])
