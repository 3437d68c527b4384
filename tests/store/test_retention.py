"""What goes by its age, on both databases: the chain holds, and tells of everything that went."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time

import pytest
from sqlalchemy import delete, select, update

from stranglerfig.errors import StoreError
from stranglerfig.model import Comparison, Record, Route
from stranglerfig.settings import Retention
from stranglerfig.store import DeadLetter, InboxMark, Line, Write, head, tables, trim
from stranglerfig.store.chain import Anchor, verify
from stranglerfig.store.effects import Effect
from stranglerfig.store.retention import Report, due, retain

DAY = 86_400.0
NOW = 1_000 * DAY


def keep(**ages):
    return Retention(**{"inbox": 0, "outbox": 0, "outcomes": 0, "measures": 0, **ages})


def fill(store, count=10, first=0, at=None):
    """A line a day: number n is from day n."""
    for number in range(first, first + count):
        data = {"n": number, "secret": "x" * 300}
        when = number * DAY if at is None else at
        line = Line(kind="request", endpoint="e", request_id=f"r{number}", at=when, data=data)
        store.journal.append(Write(lines=(line,)))
    assert store.journal.flush(30)


def requests(store):
    return {e.line.request_id: e for e in store.journal.read(kinds=["request"])}


def told(store):
    return [entry.line.data for entry in store.journal.read(kinds=["cut"])]


def ends(store):
    with store.database.read() as connection:
        return head.read(connection)


def test_compacted_lines_stay_provable_without_their_data(either):
    fill(either)
    kept = Anchor(*ends(either).last)
    retention = keep(compact=994)
    assert due(either, retention, NOW).compacted == 6
    report = retain(either, retention, NOW)
    assert (report.compacted, report.removed, report.stopped) == (6, 0, "")
    lines = requests(either)
    assert [lines[f"r{n}"].compacted for n in range(10)] == [True] * 6 + [False] * 4
    assert lines["r5"].line.data == {}
    assert lines["r6"].line.data["n"] == 6
    assert list(verify(either.database, [kept])) == []
    assert told(either) == [{"what": "data", "from": 1, "up to": 6, "lines": 6}]
    assert retain(either, retention, NOW).compacted == 0
    assert len(told(either)) == 1


def test_every_other_field_of_a_compacted_line_is_still_proved(either):
    fill(either)
    retain(either, keep(compact=990), NOW)
    with either.database.write() as connection:
        where = update(tables.journal).where(tables.journal.c.id == 3)
        connection.execute(where.values(endpoint="other"))
    assert [broken.id for broken in verify(either.database)] == [3]


def test_data_that_went_without_a_word_is_named(either):
    """Whoever empties a line as compaction does, digest and all, must forge a whole chain."""
    fill(either)
    with either.database.write() as connection:
        data = connection.execute(
            select(tables.journal.c.data).where(tables.journal.c.id == 4)
        ).scalar_one()
        where = update(tables.journal).where(tables.journal.c.id == 4)
        connection.execute(where.values(data="{}", digest=trim.digest(data)))
    assert [broken.id for broken in verify(either.database)] == [4]
    with either.database.write() as connection:
        head.compact(connection, 10)
    assert [broken.id for broken in verify(either.database)] == [4]


def test_data_put_into_a_compacted_line_is_named(either):
    fill(either)
    retain(either, keep(compact=990), NOW)
    with either.database.write() as connection:
        where = update(tables.journal).where(tables.journal.c.id == 2)
        connection.execute(where.values(data='{"n":7}'))
    assert [broken.id for broken in verify(either.database)] == [2]


def test_old_lines_go_from_the_front_and_the_rest_holds(either):
    fill(either)
    first, last = Anchor(0, requests(either)["r2"].hash), Anchor(*ends(either).last)
    retention = keep(journal=996)
    assert due(either, retention, NOW).removed == 4
    assert retain(either, retention, NOW).removed == 4
    assert sorted(requests(either)) == [f"r{n}" for n in range(4, 10)]
    assert next(iter(either.journal.read())).id == 5
    assert list(verify(either.database, [last])) == []
    (broken,) = verify(either.database, [first])
    assert "anchor" in broken.reason
    (broken,) = verify(either.database, [Anchor(3, first.link)])
    assert "archive" in broken.reason
    assert told(either)[0]["up to"] == 4
    fill(either, 3, 10)
    retain(either, keep(journal=990), NOW)
    assert list(verify(either.database)) == []
    assert sorted(requests(either)) == ["r10", "r11", "r12"]


def test_a_forged_cut_is_named(either):
    """Lines deleted from the front, and the head made to say that it was meant."""
    fill(either)
    with either.database.write() as connection:
        link = select(tables.journal.c.link).where(tables.journal.c.id == 3)
        upto = head.Tail(3, connection.execute(link).scalar_one())
        connection.execute(delete(tables.journal).where(tables.journal.c.id <= 3))
    (broken,) = verify(either.database)
    assert (broken.id, broken.reason[:7]) == (1, "missing")
    with either.database.write() as connection:
        head.cut(connection, upto)
    (broken,) = verify(either.database)
    assert broken.id == 4
    assert "no line tells" in broken.reason


def test_lines_forged_onto_a_cut_that_was_made_are_named(either):
    fill(either)
    retain(either, keep(journal=996), NOW)
    with either.database.write() as connection:
        link = select(tables.journal.c.link).where(tables.journal.c.id == 7)
        upto = head.Tail(7, connection.execute(link).scalar_one())
        connection.execute(delete(tables.journal).where(tables.journal.c.id <= 7))
        head.cut(connection, upto)
    assert [broken.id for broken in verify(either.database)] == [8]


def test_both_at_once_and_in_many_steps(either, monkeypatch):
    monkeypatch.setattr(trim, "_STEP", 3)
    fill(either, 20)
    either.routes.put(Route(endpoint="e"), action="begin", who="ada", why="because", evidence={})
    report = retain(either, keep(journal=990, compact=985), NOW)
    assert (report.removed, report.compacted) == (10, 5)
    assert list(verify(either.database)) == []
    fill(either, 5, 20)
    assert retain(either, keep(journal=985, compact=980), NOW).compacted == 5
    assert list(verify(either.database)) == []
    (change,) = either.journal.read(kinds=["route"])
    assert change.line.data["why"] == "because"


def test_what_was_changed_is_not_hidden_by_its_age(either):
    fill(either)
    with either.database.write() as connection:
        where = update(tables.journal).where(tables.journal.c.id == 3)
        connection.execute(where.values(data='{"n":7}'))
    for retention in (keep(compact=990), keep(journal=990)):
        with pytest.raises(StoreError, match="does not hold"):
            retain(either, retention, NOW)
    assert [broken.id for broken in verify(either.database)] == [3]
    assert requests(either)["r2"].line.data == {"n": 7}


def test_it_stops_where_it_is_told_to_and_goes_on_later(either, monkeypatch):
    monkeypatch.setattr(trim, "_STEP", 2)
    fill(either)
    asked = iter([False, False, True, True, True, True])
    report = retain(either, keep(compact=990), NOW, stop=lambda: next(asked))
    assert report.compacted == 4
    assert report.stopped
    assert list(verify(either.database)) == []
    assert retain(either, keep(compact=990), NOW).compacted == 6
    assert list(verify(either.database)) == []


def test_writers_go_on_meanwhile(either, monkeypatch):
    monkeypatch.setattr(trim, "_STEP", 20)
    fill(either, 400)
    reports = []
    retention = keep(compact=500, journal=800)
    worker = threading.Thread(target=lambda: reports.append(retain(either, retention, NOW)))

    async def commits():
        worker.start()
        number = 0
        while worker.is_alive() or number < 5:
            line = Line(kind="request", request_id=f"new{number}")
            assert await either.journal.commit(Write(lines=(line,)))
            number += 1
        return number

    count = asyncio.run(commits())
    worker.join()
    assert (reports[0].removed, reports[0].compacted, reports[0].stopped) == (200, 200, "")
    assert len([name for name in requests(either) if name.startswith("new")]) == count
    assert list(verify(either.database)) == []


def test_a_walk_goes_on_behind_what_is_removed_meanwhile(either, monkeypatch):
    monkeypatch.setattr("stranglerfig.store.chain._PAGE", 10)
    fill(either, 30)
    really, pages = trim.page, []

    def page(*arguments):
        pages.append(arguments)
        if len(pages) == 2:
            retain(either, keep(journal=975, compact=972), NOW)
        return really(*arguments)

    monkeypatch.setattr("stranglerfig.store.chain.page", page)
    assert list(verify(either.database)) == []
    assert len(requests(either)) == 5


def seen(unit, winner):
    return Comparison(
        request_id=f"q-{unit}", endpoint="e", revision="v", unit=unit, winner=winner, by="none"
    )


def test_evidence_stays_and_says_what_can_no_longer_be_rebuilt(either):
    for unit, winner in (("u1", "both"), ("u2", "legacy"), ("u3", "replacement")):
        asyncio.run(either.journal.commit(Write(observations=(seen(unit, winner),))))
    either.journal.append(Write(observations=(seen("u1", "legacy"),)))
    assert either.journal.flush(30)
    assert either.evidence.rebuild() == (3, 0)
    assert sum(trim.remove(either.database, either.inserts, 1e12, upto=1)) == 1
    with either.database.write() as connection:
        connection.execute(update(tables.evidence).values(winner="neither"))
    assert either.evidence.rebuild() == (2, 1)
    counts = either.evidence.counts("e", "v")
    assert (counts.neither, counts.legacy, counts.replacement) == (1, 1, 1)
    retain(either, keep(compact=1), NOW * 1_000)
    assert either.evidence.rebuild() == (0, 3)
    assert either.evidence.counts("e", "v") == counts


def letter(number):
    record = Record(source="q", position=str(number), kind="soap", body=b"x", key="k")
    return DeadLetter(
        source="q",
        position=str(number),
        reason="r",
        record=record,
        error={},
        attempts=1,
        at=number * DAY,
    )


def test_rows_that_have_done_their_duty(either, monkeypatch):
    monkeypatch.setattr("stranglerfig.store.spent._STEP", 2)
    day = 980 * DAY
    for number in range(5):
        asyncio.run(either.journal.commit(Write(dead=letter(number))))
    sent = [Effect("send", (day, "d", f"m{n}", "k", "[]", b"b")) for n in range(4)]
    waits = [("waiting", day), ("joined", 100 * DAY), ("missing", NOW)]
    effects = [
        *sent,
        *(Effect("await", ("e", "k", "r", at, at, state, "{}")) for state, at in waits),
        *(Effect("outcome", ("e", "k", f"p{n}", n * 200 * DAY, "early", "{}")) for n in range(6)),
    ]
    marks = [Write(inbox=InboxMark("c", f"m{n}", "h")) for n in range(3)]
    asyncio.run(either.journal.commit(Write(effects=tuple(effects))))
    for write in marks:
        asyncio.run(either.journal.commit(write))
    letters, outbox, inbox = tables.dead_letters, tables.outbox, tables.inbox
    with either.database.write() as connection:
        connection.execute(update(letters).where(letters.c.id.in_((1, 2))).values(state="dropped"))
        connection.execute(update(letters).where(letters.c.id == 3).values(state="replay"))
        connection.execute(update(outbox).where(outbox.c.id <= 2).values(sent_at=day))
        connection.execute(update(outbox).where(outbox.c.id == 3).values(sent_at=NOW))
        connection.execute(update(inbox).values(at=NOW))
        connection.execute(update(inbox).where(inbox.c.message_id != "m0").values(at=day))
    retention = keep(inbox=7, outbox=7, outcomes=90, dead_letters=30)
    expected = Report(inbox=2, outbox=2, dead_letters=2, outcomes=5, awaited=1)
    assert due(either, retention, NOW) == expected
    report = retain(either, retention, NOW)
    report.seconds = report.freed = 0
    assert report == expected
    assert due(either, retention, NOW) == Report()
    assert either.inbox.seen("c", "m0") == "h"
    assert [k.state for k in either.dead_letters.read()] == ["replay", "kept", "kept"]
    assert retain(either, keep(kept_letters=30), NOW).kept_letters == 2
    assert [k.state for k in either.dead_letters.read()] == ["replay"]


def test_nothing_goes_where_no_age_is_set(either):
    fill(either)
    assert due(either, keep(), NOW) == Report()
    report = retain(either, keep(), NOW)
    assert (report.removed, report.compacted) == (0, 0)
    assert told(either) == []


def test_two_that_compact_at_once_do_not_get_in_each_others_way(either):
    fill(either)
    steps = trim.compact(either.database, either.inserts, NOW)
    other = trim.compact(either.database, either.inserts, NOW)
    assert next(steps) == 10
    with pytest.raises(StopIteration):
        next(other)
    assert list(verify(either.database)) == []


def test_a_file_does_not_grow_where_as_much_goes_as_comes(store, tmp_path):
    file = tmp_path / "fig.db"
    sizes = []
    for turn in range(6):
        now = time.time() + turn * 2 * DAY
        fill(store, 1_000, at=now - 3 * DAY)
        retain(store, keep(journal=1), now)
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append(file.stat().st_size)
    assert sizes[-1] <= sizes[1] * 1.2
    assert retain(store, keep(), 0).freed > 0


def test_a_busy_store_ends_it_and_says_so(store, monkeypatch):
    fill(store)
    monkeypatch.setattr(store.database, "write", lambda **_: really(0.01))
    really = type(store.database).write.__get__(store.database)
    with really():
        report = retain(store, keep(compact=990), NOW)
    assert "locked" in report.stopped
    assert report.compacted == 0
