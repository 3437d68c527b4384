"""A captured column is retyped, renamed and dropped while a bridge runs (test 23)."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.process

CHANGES = {
    "retyped": {
        "postgresql": "ALTER TABLE tickets ALTER note TYPE varchar(99)",
        "mariadb": "ALTER TABLE tickets MODIFY note VARCHAR(99)",
        "says": ("column note was", "(30)", ", is", "(99)"),
    },
    "renamed": {
        "postgresql": "ALTER TABLE tickets RENAME note TO remark",
        "mariadb": "ALTER TABLE tickets RENAME COLUMN note TO remark",
        "says": ("column note was removed",),
    },
    "dropped": {
        "postgresql": "ALTER TABLE tickets DROP remark",
        "mariadb": "ALTER TABLE tickets DROP COLUMN remark",
        "says": ("column remark was removed",),
    },
}


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_changed_column_pauses_the_route_once_and_nothing_is_lost(any_office, wait, kind):
    office = any_office(kind)
    office.run("ALTER TABLE tickets ADD note VARCHAR(30)")
    office.must("adapter", "install", "tickets")
    office.edit("acl/ticket.toml", "from =", 'unmapped = "report"\nfrom =')
    watchful = '"py:stranglerfig.tests.acceptance.survival.watchful:Watchful"'
    office.edit("fig.toml", '"tables"', watchful)
    office.shadow()
    process = office.bridge()
    office.write((0, "a", "plain"))
    office.settled()
    office.must("adapter", "reconcile", "tickets", "--baseline")
    for at, (change, how) in enumerate(CHANGES.items(), 1):
        office.run(how[kind])
        wait(lambda: office.store.routes.get("ticket").paused, f"{change}: its route is paused")
        pauses = [one for one in office.store.routes.history("ticket") if one.action == "pause"]
        assert len(pauses) == at, f"{change}: once"
        said = process.source()["trouble"]
        for words in (*how["says"], "fig adapter install tickets"):
            assert words in pauses[-1].why, (change, pauses)
            assert words in said
        assert process.probe("/ready")[0] == 503
        assert process.source()["state"] == "paused"
        # Legacy writes on, whatever becomes of capture.
        office.write((at, "a", f"while {change}"))

        office.must("adapter", "install", "tickets")
        office.must("route", "resume", "ticket", "--why", "looked at")
        wait(lambda: process.source()["state"] == "flowing", f"{change}: it flows again")
        office.must("adapter", "reconcile", "tickets")
        wait(lambda: at in office.asked("ended"), f"{change}: nothing is lost")  # noqa: B023
        office.settled()
        assert not office.store.routes.get("ticket").paused
    pauses = [one for one in office.store.routes.history("ticket") if one.action == "pause"]
    assert len(pauses) == len(CHANGES)
    assert process.stop() == 0
    assert office.letters() == []
    # Reconcile took rows of another shape for changed: each event is one delivery all the same.
    events = office.events("op")
    assert {op for (op,) in events} <= {"insert", "reconcile"}
    office.check(["a"] * len(events))
