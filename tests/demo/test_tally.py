"""What happened, counted from lines of the journal and from nothing else."""

from __future__ import annotations

import itertools

import pytest

from stranglerfig.demo.tally import Tally
from stranglerfig.store.line import Entry, Line

ids = itertools.count(1)


def entry(kind, request, revision="r1", endpoint="e", **data):
    line = Line(kind, endpoint=endpoint, request_id=request, revision=revision, at=1.0, data=data)
    return Entry(id=next(ids), at=1.0, line=line, hash="")


def asked(request, stage="live", served_by="replacement", status="ok", **data):
    revision = data.pop("revision", "r1")
    return entry(
        "request",
        request,
        revision,
        stage=stage,
        served_by=served_by,
        status=status,
        ms=1.5,
        **{"percent": 0.0, "version": 1, **data},
    )


def seen(request, winner, unit=None, by="golden", revision="r1"):
    return entry("comparison", request, revision, winner=winner, by=by, unit=unit or request)


@pytest.fixture
def tally():
    return Tally("e")


def test_counts_requests_errors_and_fallbacks(tally):
    tally.take(
        [
            asked("1"),
            asked("2", served_by="legacy", fallback="deadline"),
            asked("3", served_by="", status="error"),
            asked("4", served_by="legacy", status="fault"),
            entry("request", "5", endpoint="other"),
        ]
    )
    (stretch,) = tally.stretches
    assert (tally.requests, tally.answered, tally.errors) == (4, 3, 1)
    assert (stretch.by_replacement, stretch.faults) == (1, 1)
    assert stretch.fallbacks == {"deadline": 1}
    assert stretch.milliseconds == [1.5] * 4


def test_a_stretch_is_one_version_of_the_route(tally):
    tally.take(
        [
            asked("1", "shadow", version=1),
            asked("2", "canary", percent=10.0, version=2),
            asked("3", "canary", percent=50.0, version=3),
            asked("4", "live", version=4),
            asked("5", "live", revision="r2", version=5),
        ]
    )
    assert [(one.stage, one.percent, one.revision) for one in tally.stretches] == [
        ("shadow", 0.0, "r1"),
        ("canary", 10.0, "r1"),
        ("canary", 50.0, "r1"),
        ("live", 0.0, "r1"),
        ("live", 0.0, "r2"),
    ]
    assert tally.at("canary", 10.0) == 1
    assert tally.at("live") == 2
    assert tally.at("live", revision="r2") == 1


def test_requests_under_way_at_a_change_are_of_the_stretch_before(tally):
    stages = ("shadow", "live", "shadow", "live")
    tally.take(
        asked(str(number), stage, version=1 + (stage == "live"))
        for number, stage in enumerate(stages)
    )
    assert [one.requests for one in tally.stretches] == [2, 2]
    assert tally.served == [True] * 4


@pytest.mark.parametrize("first", ["request", "comparison"])
def test_a_comparison_counts_whichever_line_is_durable_first(tally, first):
    lines = [asked("1"), seen("1", "replacement")]
    tally.take(lines if first == "request" else lines[::-1])
    (stretch,) = tally.stretches
    assert (stretch.compared, stretch.legacy_right, stretch.replacement_right) == (1, 0, 1)
    (point,) = tally.points
    assert (point.number, point.by_replacement, point.replacement_right) == (1, True, True)


def test_accuracy_is_over_distinct_messages_with_a_label(tally):
    tally.take(asked(str(number)) for number in range(6))
    tally.take(
        [
            seen("0", "both"),
            seen("1", "legacy"),
            seen("2", "replacement"),
            seen("3", "neither"),
            seen("4", "replacement", unit="2"),
            seen("5", "open", by="none"),
        ]
    )
    assert tally.accuracy("legacy", "r1") == (2, 4)
    assert tally.accuracy("replacement", "r1") == (2, 4)
    assert tally.accuracy("legacy", "other") == (0, 0)


def test_abstentions_count_where_they_served_and_in_the_shadow(tally):
    tally.take(
        [
            asked("1", served_by="legacy", fallback="abstained"),
            entry("shadow", "2", side="replacement", reason="abstained"),
            entry("shadow", "3", side="replacement", reason="raised"),
        ]
    )
    assert tally.abstained == {"r1": 2}


def test_taking_on_where_it_stopped(tally):
    lines = [asked("1"), asked("2"), entry("route", "", action="advance")]
    tally.take(lines[:1])
    assert tally.last == lines[0].id
    tally.take(line for line in lines if line.id > tally.last)
    assert tally.requests == 2
    assert [route["action"] for route in tally.routes] == ["advance"]
