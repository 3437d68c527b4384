"""Sides without names: fair, the same again, and nothing said that tells them apart."""

from __future__ import annotations

import pytest

from stranglerfig.errors import InputError
from stranglerfig.model import Comparison
from stranglerfig.routing.adjudication.blind import item, meant, swapped


def comparison(unit="u", differs=("category", "-lines[sku=1]", "customer.name")):
    return Comparison(
        request_id="r",
        endpoint="e",
        revision="v",
        unit=unit,
        winner="open",
        by="none",
        differs=differs,
        legacy={"category": "old", "lines": [{"sku": "1"}], "customer": {"name": "⟦name⟧"}},
        replacement={"category": "new", "lines": [], "customer": {"name": "⟦name⟧"}},
    )


def test_each_letter_is_each_side_about_half_of_the_time():
    turned = sum(swapped("ann", comparison(str(n))) for n in range(2000))
    assert 880 < turned < 1120
    other = [swapped("bob", comparison(str(n))) for n in range(2000)]
    assert other != [swapped("ann", comparison(str(n))) for n in range(2000)]
    assert swapped("ann", comparison()) == swapped("ann", comparison())


@pytest.mark.parametrize("unit", [str(n) for n in range(8)])
def test_an_answer_means_the_side_that_was_shown_as_it(unit):
    seen, one = item("ann", comparison(unit)), comparison(unit)
    for letter in ("a", "b"):
        side = meant(letter, "ann", one)
        assert getattr(seen, letter) == getattr(one, side)
    assert {meant("a", "ann", one), meant("b", "ann", one)} == {"legacy", "replacement"}
    assert [meant(word, "ann", one) for word in ("both", "neither", "unsure")] == [
        "both",
        "neither",
        "unsure",
    ]


@pytest.mark.parametrize("unit", [str(n) for n in range(8)])
def test_no_path_tells_which_side_it_is(unit):
    seen = item("ann", comparison(unit))
    assert [one.path for one in seen.differs] == ["category", "lines[sku=1]"]
    assert seen.hidden == ("customer.name",), "they differ in what may not be shown"
    rows = {one.path: (one.a, one.b) for one in seen.differs}
    assert sorted(rows["category"]) == ["new", "old"]
    assert {str(one) for one in rows["lines[sku=1]"]} == {"{'sku': '1'}", "None"}


def test_what_is_no_answer_is_refused():
    with pytest.raises(InputError, match="not an answer"):
        meant("legacy", "ann", comparison())
