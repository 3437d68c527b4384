"""The evidence in the order in which it came, on both databases."""

from __future__ import annotations

from sqlalchemy import update

from stranglerfig.model import Comparison
from stranglerfig.store import Write, courses, tables
from stranglerfig.store.courses import Pace, course, pace, revisions


def fill(store, count, revision="r1", first=0):
    for number in range(first, first + count):
        seen = Comparison(
            request_id=f"{number}",
            endpoint="e",
            revision=revision,
            unit=f"{-number}",
            winner="both" if number % 3 else "legacy",
            by="golden",
        )
        store.journal.append(Write(observations=(seen, seen)))
    assert store.journal.flush(30)


def test_each_input_comes_once_in_the_order_of_its_line_over_all_pages(either, monkeypatch):
    monkeypatch.setattr(courses, "_PAGE", 7)
    fill(either, 30)
    fill(either, 3, "r2")
    found = list(course(either.database, "e", "r1"))
    assert [one.unit for one in found] == [f"{-number}" for number in range(30)]
    assert [one.winner for one in found] == ["both" if n % 3 else "legacy" for n in range(30)]


def test_rows_whose_line_nobody_knows_come_first_and_none_is_lost(either, monkeypatch):
    monkeypatch.setattr(courses, "_PAGE", 2)
    fill(either, 6)
    with either.database.write() as connection:
        connection.execute(
            update(tables.evidence).where(tables.evidence.c.unit > "-4").values(line=0)
        )
    found = list(course(either.database, "e", "r1"))
    assert len({one.unit for one in found}) == len(found) == 6
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_the_pace_is_that_of_the_newest(either):
    fill(either, 10)
    with either.database.write() as connection:
        at = tables.journal.c.id * 2.0
        connection.execute(update(tables.journal).values(at=at))
    found = pace(either.database, "e", "r1")
    # Two lines an input, of which the first one counts.
    assert (found.inputs, found.seconds, found.last) == (10, 36.0, 38.0)
    assert pace(either.database, "e", "none") == Pace()


def test_revisions_come_newest_first(either):
    for number, revision in enumerate(("b", "a", "c")):
        fill(either, 2, revision, first=number * 2)
    assert revisions(either.database, "e") == ["c", "a", "b"]
    assert revisions(either.database, "other") == []
