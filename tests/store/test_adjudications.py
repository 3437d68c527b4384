"""What was decided later stands in the evidence, and the evidence is made anew from the journal."""

from __future__ import annotations

import time

import pytest

from stranglerfig.errors import InputError
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Comparison
from stranglerfig.store import Store, Write
from stranglerfig.store.adjudications import Adjudication, adjudicate, adjudicated, decided_later
from stranglerfig.store.noise import Doubled, doubled, keep_doubled
from stranglerfig.store.reviews import Review, Reviews, agreed
from stranglerfig.store.trim import compact


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    server = request.param == "postgresql"
    url = f"sqlite:///{tmp_path / 'fig.db'}"
    if server:
        url = request.getfixturevalue("postgresql").database()
    upgrade(url)
    store = Store(url, patience=5.0)
    store.open()
    yield store
    store.close()


@pytest.fixture
def see(store):
    def write(*units, winner="open", revision="r1"):
        for unit in units:
            seen = Comparison(
                request_id=f"q{unit}",
                endpoint="e",
                revision=revision,
                unit=unit,
                winner=winner,
                by="none" if winner == "open" else "agreement",
                differs=("category",),
                legacy={"category": "a"},
                replacement={"category": "b"},
            )
            store.journal.append(Write(observations=(seen,)))
        assert store.journal.flush(10)

    return write


def counts(store):
    found = store.evidence.counts("e", "r1")
    return {name: n for name in found.__struct_fields__ if (n := getattr(found, name))}


def later(unit, winner, by="judge"):
    return Adjudication(endpoint="e", revision="r1", unit=unit, winner=winner, by=by)


def said(unit, choice, who="ann"):
    return Review(endpoint="e", revision="r1", unit=unit, reviewer=who, choice=choice)


def test_a_later_decision_changes_the_evidence_and_is_told_in_the_journal(store, see):
    see("1", "2")
    store.journal.append(adjudicated(later("1", "replacement", "outcome"), "q1"))
    assert store.journal.flush(10)
    assert counts(store) == {"replacement": 1, "open": 1}
    assert adjudicate(store.database, store.inserts, later("2", "legacy"))
    assert not adjudicate(store.database, store.inserts, later("2", "replacement")), "it is decided"
    assert counts(store) == {"replacement": 1, "legacy": 1}
    lines = [entry.line for entry in store.journal.read(kinds=["adjudication"])]
    assert [(one.request_id, one.data["by"]) for one in lines] == [("q1", "outcome"), ("", "judge")]
    assert decided_later(store.database, "e", "r1")["2"].winner == "legacy"


def test_the_last_adjudication_wins_and_the_first_comparison_stands_when_rebuilt(store, see):
    see("1", "2")
    see("3", winner="both")
    for winner in ("legacy", "both", "replacement"):
        store.journal.append(adjudicated(later("1", winner)))
    see("1", winner="both")  # the same input again: the first comparison stands
    store.journal.append(adjudicated(later("never seen", "legacy")))
    assert store.journal.flush(10)
    before = counts(store)
    assert before == {"replacement": 1, "open": 1, "both": 1}
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE evidence SET winner = 'neither', line = 0")
    assert store.evidence.rebuild().rows == 3
    assert counts(store) == before


def test_what_was_compacted_keeps_its_row_and_takes_later_decisions(store, see):
    see("1", "2")
    for _ in compact(store.database, store.inserts, time.time() + 1):
        pass
    store.journal.append(adjudicated(later("1", "legacy")))
    assert store.journal.flush(10)
    assert store.evidence.rebuild().kept == 2
    assert counts(store) == {"legacy": 1, "open": 1}


@pytest.mark.parametrize(
    ("choices", "agreeing", "wins"),
    [
        (["legacy"], 1, "legacy"),
        (["legacy"], 2, None),
        (["legacy", "legacy"], 2, "legacy"),
        (["legacy", "replacement"], 1, None),
        (["legacy", "replacement", "legacy"], 1, "legacy"),
        (["legacy", "replacement", "legacy"], 2, "legacy"),
        (["unsure", "unsure", "both"], 1, "both"),
        (["unsure"], 1, None),
        ([], 1, None),
    ],
)
def test_how_many_agreeing_people_decide(choices, agreeing, wins):
    assert agreed(choices, agreeing) == wins


def test_people_decide_disagree_and_a_third_settles_it(store, see):
    see("1", "2")
    reviews = Reviews(store.database, store.inserts, "e", "r1")
    assert [one.comparison.unit for one in reviews.queue()] == ["1", "2"]
    assert reviews.add(said("1", "legacy", "ann"), 2) == "open"
    assert reviews.add(said("1", "replacement", "bob"), 2) == "open"
    assert reviews.add(said("1", "legacy", "cid"), 2) == "legacy"
    assert counts(store) == {"legacy": 1, "open": 1}
    assert [one.comparison.unit for one in reviews.queue()] == ["2"]
    assert [one.comparison.unit for one in reviews.queue(decided=True)] == ["1"]
    told = decided_later(store.database, "e", "r1")["1"]
    assert (told.by, told.who, told.why) == ("people", "ann, cid", "2 legacy, 1 replacement")


def test_who_looks_a_second_time_and_disagrees_opens_it_again(store, see):
    see("1")
    reviews = Reviews(store.database, store.inserts, "e", "r1")
    assert reviews.add(said("1", "legacy", "ann"), 1) == "legacy"
    assert reviews.add(said("1", "replacement", "bob"), 1) == "open"
    assert counts(store) == {"open": 1}
    assert reviews.add(said("1", "replacement", "ann"), 1) == "replacement", "ann changed her mind"
    assert len(reviews.all()) == 2
    before = counts(store)
    store.evidence.rebuild()
    assert counts(store) == before == {"replacement": 1}


def test_unsure_decides_nothing_and_takes_nothing_back(store, see):
    see("1")
    adjudicate(store.database, store.inserts, later("1", "legacy"))
    reviews = Reviews(store.database, store.inserts, "e", "r1")
    assert reviews.add(said("1", "unsure"), 1) == "legacy"
    assert reviews.add(said("1", "replacement", "bob"), 1) == "replacement", "people are heard last"


def test_a_review_of_nothing_is_refused(store, see):
    reviews = Reviews(store.database, store.inserts, "e", "r1")
    with pytest.raises(InputError, match="no such difference"):
        reviews.add(said("9", "legacy"), 1)
    assert reviews.all() == []


def test_what_was_asked_twice_is_kept_once_a_unit(store):
    for raw in (("a",), None, ("b",)):
        one = Doubled(
            endpoint="e", side="legacy", revision="r1", unit="u", noise=(), raw=raw, at=1.0
        )
        store.journal.append(keep_doubled(one))
    assert store.journal.flush(10)
    (kept,) = doubled(store.database, "e", "r1")
    assert (kept.noise, kept.raw) == ((), ("a",))
