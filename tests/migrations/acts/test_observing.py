"""Steps that wait for time and traffic: observing a rung, and recording what legacy is asked."""

from __future__ import annotations

import pytest

from stranglerfig.errors import ConfigError
from stranglerfig.migrations.acts.record import RecordTraffic
from stranglerfig.migrations.ports import Done, Waiting
from stranglerfig.store.measures import Place, Sum


def answered(bench, count):
    """Have the replacement answer so many requests on the rung where the route stands."""
    place = Place("triage", "new.digest", bench.rung())
    bench.store.measures.add(bench.time, sums=[Sum(place, "ms", "replacement", count, 1.0, 1.0)])


def test_time_and_samples_both_and_the_guardrail(bench):
    bench.put("shadow")
    act = bench.act("observe", time="1h", requests=5, pairs=20)
    waiting = act.do(bench.ctx())
    assert isinstance(waiting, Waiting)
    parts = waiting.missing.split(" and ")
    assert parts[0].endswith("more on this rung")
    assert parts[1:] == ["5 more requests on this rung", "20 more inputs compared"]
    act = bench.act("observe", requests=5, pairs=20)
    answered(bench, 5)
    bench.observe(both=20)
    waiting = act.do(bench.ctx())
    assert waiting.reason.startswith("the guardrail says hold")
    assert waiting.missing
    done = bench.act("observe", requests=5, pairs=20, verdict=False).do(bench.ctx())
    assert done.result["seen"]["answered"] == 5
    bench.observe(both=50, replacement=40)
    assert act.do(bench.ctx()).result["evidence"]["verdict"]["outcome"] == "pass"


def test_at_legacy_there_is_nothing_to_observe(bench):
    waiting = bench.act("observe", pairs=1).do(bench.ctx())
    assert "stands at legacy" in waiting.reason


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("observe", {"verdict": False}, "nothing is observed"),
        ("observe", {"time": "1 fortnight"}, "time is no length of time"),
        ("observe", {"pairs": -1}, ">= 0"),
        ("record", {"time": "soon"}, "time is no length of time"),
    ],
)
def test_options_that_mean_nothing_are_refused_with_their_place(bench, name, options, says):
    with pytest.raises(ConfigError, match=says) as refused:
        bench.act(name, **options)
    assert refused.value.place.startswith("night.toml: step it.with")


def test_requests_since_the_step_began_are_recorded(bench):
    bench.requests(7)
    act = bench.act("record", requests=3, time="10s")
    waiting = act.do(bench.ctx())
    assert waiting.missing == "3 more requests and 10 s"
    assert waiting.command == "fig journal show --endpoint triage"
    bench.requests(2)
    bench.requests(5, endpoint="opened")
    bench.time += 10
    assert act.do(bench.ctx()).missing == "1 more requests"
    bench.requests(1)
    assert act.do(bench.ctx()).result["requests"] == 3


def test_a_long_journal_is_counted_on_from_where_it_was_counted_to(bench, monkeypatch):
    monkeypatch.setattr("stranglerfig.migrations.acts.record._SPAN", 4)
    monkeypatch.setattr("stranglerfig.migrations.acts.record._MANY", 10)
    act = RecordTraffic(requests=100)
    act.do(bench.ctx())
    began = bench.result()
    bench.requests(30)
    assert act.do(bench.ctx()).missing == "70 more requests"
    kept = bench.result()
    assert kept["requests"] == 30
    assert kept["line"] > began["line"]
    assert kept["since"] == began["since"]
    bench.requests(70)
    assert isinstance(act.do(bench.ctx()), Done)


def test_done_again_it_counts_anew(bench):
    act = bench.act("record", requests=2)
    bench.begin(1.0)
    act.do(bench.ctx())
    bench.requests(2)
    bench._keep(act.do(bench.ctx()).result)
    bench.begin(2.0)
    assert act.do(bench.ctx()).missing == "2 more requests"
