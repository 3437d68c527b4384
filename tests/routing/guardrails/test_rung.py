from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.model import Route, Stage
from stranglerfig.routing.guardrails.rung import Rung


@given(st.sampled_from(Stage), st.floats(0, 100), st.integers(0, 10**6))
def test_what_a_label_says_is_read_again(stage, percent, since) -> None:
    rung = Rung(stage, percent, since)
    assert Rung.read(rung.label) == rung


def test_a_route_that_comes_back_to_a_rung_is_on_another_one() -> None:
    first = Route(endpoint="e", stage=Stage.CANARY, percent=5.0, since=2)
    again = Route(endpoint="e", stage=Stage.CANARY, percent=5.0, since=4)
    assert Rung.of(first).label != Rung.of(again).label


def test_a_percent_counts_in_the_canary_only() -> None:
    assert Rung.of(Route(endpoint="e", stage=Stage.LIVE, percent=5.0)).percent == 0
    shares = [Rung(stage, 5.0, 1).share for stage in Stage]
    assert shares == [0, 0, 0.05, 1, 1]
