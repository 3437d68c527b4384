"""kill -9 at each step's boundary: nothing lost, effects once, order kept (tests 1 and 9).

The leases of the legacy table are of ten minutes: what goes on at once was taken over from a dead
process of this same host.
"""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.process

CLAIMS = "stranglerfig.adapters.capture.claims Claims"
OUTBOX = "stranglerfig.store.outbox Outbox"
STEPS = {
    "claimed, and handed to nobody": f"{CLAIMS} claim after 1",
    "before the replacement is asked": "stranglerfig.routing.events - ask_replacement before 2",
    "answered, and not written": "stranglerfig.routing.ledger Ledger submit before 2",
    "written, and not committed": "stranglerfig.store.writer - write_group after 1",
    "committed, and nobody told": "stranglerfig.store.session Session commit after 1",
    "told, and not marked": f"{CLAIMS} settle before 1",
    "marked": f"{CLAIMS} settle after 1",
    "a message claimed, and not sent": f"{OUTBOX} claim after 1",
    "sent, and not noted": "stranglerfig.adapters.table_sink TableSink _insert after 1",
    "noted": f"{OUTBOX} sent after 1",
}


def test_killed_at_each_step_nothing_is_lost_and_each_effect_is_there_once(make_office, wait):
    office = make_office()
    office.live()
    accounts, number = [], 0
    for at, (step, doom) in enumerate(STEPS.items()):
        tickets = [
            (number + n, account, "plain") for n, account in enumerate(("a", "b", "a", f"c{at}"))
        ]
        office.write(*tickets)
        number += len(tickets)
        accounts += [account for _, account, _ in tickets]
        assert office.start(doom=doom).wait(60) == -signal.SIGKILL, step
    process = office.bridge()
    office.settled()
    wait(lambda: len(office.verdicts()) >= number, "every decision is in legacy's table")
    assert process.stop() == 0
    assert len(office.verdicts()) == len(set(office.verdicts())) == number
    assert office.letters() == []
    office.check(accounts)
