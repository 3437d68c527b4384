"""Figures by field, from what the journal holds."""

from __future__ import annotations

import pytest

from stranglerfig.model import Comparison
from stranglerfig.route_settings import NoiseRules
from stranglerfig.routing.adjudication.noise import settle_noise
from stranglerfig.routing.comparison.figures import field_figures
from stranglerfig.store import Write
from stranglerfig.store.noise import Doubled, count_doubled, keep_doubled


@pytest.fixture
def see(store):
    def write(unit, *differs, noise=()):
        seen = Comparison(
            request_id=unit,
            endpoint="e",
            revision="r",
            unit=unit,
            winner="open" if differs else "both",
            by="none" if differs else "agreement",
            differs=differs,
            noise=noise,
            legacy={"at": f"old {unit}", "lines": [{"sku": "7", "n": 1}]},
            replacement={"at": f"new {unit}", "lines": [{"sku": "7", "n": 2}]},
        )
        store.journal.append(Write(observations=(seen,)))

    return write


def twice(store, unit, noise, raw, side="legacy"):
    one = Doubled(
        endpoint="e", side=side, revision="r", unit=unit, noise=noise, raw=raw, at=float(len(unit))
    )
    store.journal.append(keep_doubled(one, unit))


def test_counts_by_field_with_examples_and_the_noise_beside(store, see):
    see("1", "at", "lines[sku=7].n")
    see("2", "lines[sku=7].n", noise=("at",))
    see("2", "at")  # again: one input is one observation
    see("3")
    for n in range(60):
        twice(store, f"n{n}", ("at",), ("at",))
    for n in range(12):
        twice(store, f"m{n}", (), ("lines[].n",), side="replacement")
    assert store.journal.flush(10)
    at, n = field_figures(store.database, "e", "r", NoiseRules(), count=2)
    assert (at.field, at.pairs, at.differs, at.taken_out) == ("at", 3, 2, 1)
    assert (at.significant, at.excused) == (False, True)
    assert (n.field, n.differs, n.significant, n.excused) == ("lines[].n", 2, True, False)
    assert [(one.path, one.legacy, one.replacement) for one in n.examples] == [
        ("lines[sku=7].n", 1, 2)
    ] * 2
    assert at.examples[0].legacy == "old 2", "the newest first"


def test_one_input_is_asked_twice_once(store):
    for _ in range(3):
        twice(store, "1", ("at",), None)
    assert store.journal.flush(10)
    assert count_doubled(store.database, "e", "r", "legacy") == 1
    assert len(list(store.journal.read(kinds=["noise"]))) == 3


def test_what_stood_open_and_is_only_noise_is_settled_and_stays_so_when_rebuilt(store, see):
    see("1", "at")
    see("2", "at", "lines[sku=7].n")
    assert store.journal.flush(10)
    assert settle_noise(store, "e", "r", {"at"}) == 1
    for _ in range(2):
        counts = store.evidence.counts("e", "r")
        assert (counts.both, counts.open) == (1, 1)
        store.evidence.rebuild()
    assert settle_noise(store, "e", "r", {"at"}) == 0
