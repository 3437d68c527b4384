"""Whatever was compared, adjudicated and reviewed, in whatever order: made anew it is the same."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Comparison
from stranglerfig.store import Store, Write, tables
from stranglerfig.store.adjudications import Adjudication, adjudicate, adjudicated
from stranglerfig.store.reviews import Review, Reviews

REVISIONS = itertools.count()
units = st.sampled_from("abc")
winners = st.sampled_from(["both", "legacy", "replacement", "neither", "open"])
choices = st.sampled_from(["both", "legacy", "replacement", "neither", "unsure"])
steps = st.one_of(
    st.tuples(st.just("compare"), units, winners),
    st.tuples(st.just("outcome"), units, winners),
    st.tuples(st.just("judge"), units, winners),
    st.tuples(st.just("ann"), units, choices),
    st.tuples(st.just("bob"), units, choices),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('rebuilt') / 'fig.db'}"
    upgrade(url)
    store = Store(url, patience=5.0)
    store.open()
    yield store
    store.close()


def take(store, revision, step):
    what, unit, said = step
    reviews = Reviews(store.database, store.inserts, "e", revision)
    if what == "compare":
        seen = Comparison(
            request_id="q", endpoint="e", revision=revision, unit=unit, winner=said, by="none"
        )
        store.journal.append(Write(observations=(seen,)))
    elif what in ("outcome", "judge"):
        one = Adjudication(endpoint="e", revision=revision, unit=unit, winner=said, by=what)
        if what == "outcome":
            store.journal.append(adjudicated(one))
        else:
            assert store.journal.flush(10)
            adjudicate(store.database, store.inserts, one)
    elif any(one.comparison.unit == unit for one in reviews.queue()):
        reviews.add(
            Review(endpoint="e", revision=revision, unit=unit, reviewer=what, choice=said), 1
        )
    assert store.journal.flush(10)


def rows(store):
    with store.database.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(tables.evidence)))


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, min_size=1, max_size=12))
def test_made_anew_it_is_the_same(store, taken):
    revision = f"r{next(REVISIONS)}"
    for step in taken:
        take(store, revision, step)
    before = rows(store)
    store.evidence.rebuild()
    assert rows(store) == before
