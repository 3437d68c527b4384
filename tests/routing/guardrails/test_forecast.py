from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.model import Comparison, Verdict
from stranglerfig.route_settings import Guardrail
from stranglerfig.routing.guardrails.course import course_of
from stranglerfig.routing.guardrails.differences import differences
from stranglerfig.routing.guardrails.eprocess import log_e_worse
from stranglerfig.routing.guardrails.forecast import forecast
from stranglerfig.routing.guardrails.paired import judge
from stranglerfig.store.evidence import Counts


def hold(**figures):
    return Verdict(
        outcome="hold",
        guardrail="g",
        reason="r",
        missing="m",
        figures={k: float(v) for k, v in figures.items()},
    )


PASS = Verdict(outcome="pass", guardrail="p", reason="r")


def test_it_takes_as_long_as_the_slowest_of_all_that_is_missing() -> None:
    found = forecast(
        [PASS, hold(more_pairs=10), hold(more_requests=3, more_seconds=7)], pairs=0.5, requests=0.1
    )
    assert [one.seconds for one in found.missing] == [20, 30]
    assert found.seconds == 30


def test_where_nothing_comes_in_nobody_can_say() -> None:
    assert forecast([hold(more_pairs=10)], pairs=0, requests=5).seconds is None
    assert forecast([hold()], pairs=5, requests=5).seconds is None
    failed = Verdict(outcome="fail", guardrail="g", reason="harm")
    found = forecast([failed, hold(more_seconds=5)], pairs=5, requests=5)
    assert (found.seconds, found.missing[0].missing) == (None, "harm")


def test_where_nothing_is_missing_it_is_there_now() -> None:
    assert forecast([PASS], pairs=0, requests=0).seconds == 0


def test_the_paired_guardrail_s_forecast_is_in_pairs() -> None:
    bounds = Guardrail(samples=50)
    verdict = judge(Counts(both=20), bounds)
    assert forecast([verdict], pairs=2, requests=0).seconds == 15


@given(
    st.lists(st.sampled_from(["both", "legacy", "replacement", "neither", "open"]), max_size=300)
)
def test_the_course_ends_where_the_test_stands(winners) -> None:
    points = course_of(winners, Guardrail())
    assert len(points) <= 301
    assert [point.pairs for point in points] == sorted({point.pairs for point in points})
    if winners:
        last = points[-1]
        assert last.pairs == len(winners)
        expected = log_e_worse(winners.count("legacy"), winners.count("replacement"))
        assert abs(last.worse * 2.302585 - expected) < 1e-4 * (1 + abs(expected))
    else:
        assert points == []


def compared(unit, winner="open", fields=("a",), **values):
    return Comparison(
        request_id=unit,
        endpoint="e",
        revision="r",
        unit=unit,
        winner=winner,
        by="none",
        differs=tuple(fields) if winner != "both" else (),
        legacy={"a": values.get("a", 1), "b": {"c": 1}},
        replacement={"a": values.get("to", 2), "b": {"c": 2}},
        golden={"a": 2},
    )


def test_fields_are_tallied_by_distinct_input_with_the_winners_as_they_stand_now() -> None:
    seen = [
        compared("1"),
        compared("1"),
        compared("2", "legacy", ("a", "b.c")),
        compared("3", "both"),
    ]
    first, second = differences(seen, {"1": "replacement"})
    assert (first.field, first.count, first.winners) == ("a", 2, {"legacy": 1, "replacement": 1})
    assert (second.field, second.count) == ("b.c", 1)
    assert (second.examples[0].legacy, second.examples[0].replacement) == (1, 2)
    assert first.examples[0].right == 2


def test_examples_are_the_newest_and_each_another_one() -> None:
    seen = [compared(str(number), a=number % 2, to=number) for number in range(10)]
    (found,) = differences(seen, {})
    assert [one.replacement for one in found.examples] == [9, 8, 7]
    alike = [compared(str(number)) for number in range(10)]
    assert len(differences(alike, {})[0].examples) == 1
