"""What other systems got wrong: each of their pitfalls, and the tests that hold us out of it.

The list is that of the notes on routing. Tests that stand elsewhere are named by file and function;
those that nothing else asks for stand here.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from stranglerfig.errors import LegacyError, RouteError
from stranglerfig.model import Route, Side, Stage
from stranglerfig.routing.bucket import inside
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.guardrails.watch import Watch
from stranglerfig.routing.shadow import Shadow
from stranglerfig.store.measures import Failure, Place, Sum
from stranglerfig.telemetry import Counters

TESTS = Path(__file__).parents[1]

PITFALLS = {
    "the caller waits for the shadow, without a limit of time": [
        ("acceptance/test_routes.py", "test_shadow_never_delays_a_caller"),
        ("routing/test_shadow.py", "test_a_full_queue_drops_and_counts_and_never_waits"),
        ("routing/test_dispatch.py", "test_a_hanging_replacement_costs_its_time_limit_and_no_more"),
        ("routing/test_pitfalls.py", "test_a_wall_clock_that_jumps_is_not_measured_with"),
        (
            "routing/test_pitfalls.py",
            "test_a_shadow_that_hangs_costs_callers_no_thread_and_no_time",
        ),
    ],
    "an unavailable flag is the caller's default: stale reads once past live": [
        ("routing/test_table.py", "test_a_lost_store_leaves_every_route_as_it_was"),
        (
            "routing/test_table.py",
            "test_a_process_that_starts_without_its_store_goes_on_where_the_last_one_stood",
        ),
    ],
    "a rollout that begins again re-assigns everybody": [
        ("routing/test_pitfalls.py", "test_a_canary_that_begins_again_has_the_same_keys"),
        ("routing/test_bucket.py", "test_raising_the_percent_moves_no_key_back"),
    ],
    "a control that raises takes the evidence with it": [
        (
            "routing/test_shadow.py",
            "test_a_legacy_that_raises_does_not_take_the_replacements_answer_with_it",
        ),
        ("routing/test_shadow.py", "test_both_sides_may_fail_and_both_are_told_of"),
        (
            "routing/guardrails/test_observations.py",
            "test_legacy_that_raises_or_faults_leaves_its_evidence",
        ),
        ("routing/test_dispatch.py", "test_legacy_down_is_told_to_the_caller_and_the_journal"),
    ],
    "a write that is not compared is answered with nothing, and reaches nobody": [
        (
            "routing/test_pitfalls.py",
            "test_every_request_is_answered_by_a_side_that_was_asked_once",
        ),
        ("routing/test_operator.py", "test_an_endpoint_that_writes_goes_no_further_than_shadow"),
    ],
    "ended before any measurement is a success": [
        (
            "routing/guardrails/test_combine.py",
            "test_a_run_that_ends_before_any_measurement_is_a_hold_and_never_a_pass",
        ),
        (
            "routing/guardrails/test_errors_guardrail.py",
            "test_a_rung_that_ends_before_any_measurement_holds_and_never_passes",
        ),
    ],
    "failures never decay: a long rollout fails on old noise": [
        (
            "store/test_measures.py",
            "test_failures_are_recent_for_so_many_seconds_on_their_rung_and_side_only",
        ),
        ("routing/test_pitfalls.py", "test_failures_that_are_spread_over_hours_trip_nothing"),
    ],
    "a sample ratio that is askew masks harm": [
        (
            "routing/guardrails/test_combine.py",
            "test_a_sample_ratio_that_is_askew_does_not_hide_harm",
        ),
        ("routing/guardrails/test_watch.py", "test_an_error_never_hides_harm"),
    ],
    "inconclusive at the end ships": [
        ("routing/test_pitfalls.py", "test_what_is_inconclusive_stays_where_it_is_however_long"),
    ],
    "a write runs in the background and in the foreground": [
        (
            "routing/test_pitfalls.py",
            "test_every_request_is_answered_by_a_side_that_was_asked_once",
        ),
        ("acceptance/test_killed.py", "test_up"),
    ],
    "legacy is down, and the new system that could answer is not asked": [
        (
            "routing/test_pitfalls.py",
            "test_legacy_that_is_down_costs_nothing_where_it_is_not_asked",
        ),
    ],
    "the facade is a single point of failure": [
        ("acceptance/test_store_fails.py", "test_not_there_at_the_start"),
        ("acceptance/test_replacement_fails.py", "test_legacy_answers_and_the_journal_says_why"),
        ("routing/test_dispatch.py", "test_a_mapping_that_is_broken_costs_no_answer"),
        ("acceptance/test_routes.py", "test_kill_by_file_works_without_a_store"),
    ],
    "a migration never ends": [
        ("routing/test_expiry.py", "test_what_is_under_way_is_late_from_the_day_after"),
        ("commands/test_expiry.py", "test_it_is_said_by_check_route_and_evidence"),
    ],
    "the shadow doubles legacy's load, costs and copies of what names somebody": [
        (
            "routing/guardrails/test_small_guardrails.py",
            "test_a_budget_fails_above_and_passes_at_its_end",
        ),
        ("routing/test_shadow.py", "test_legacy_is_asked_twice_only_where_it_reads"),
        (
            "routing/test_shadow_bounds.py",
            "test_a_sample_of_the_requests_by_a_salt_of_its_own",
        ),
        ("routing/test_shadow_bounds.py", "test_asking_twice_spends_too"),
        ("routing/test_shadow_bounds.py", "test_legacy_is_never_asked_to_do_it_again"),
        ("acceptance/test_masking.py", ""),
        ("routing/test_pitfalls.py", "test_in_the_shadow_legacy_is_asked_no_more_than_without_it"),
    ],
    "retries of one poisoned request are evidence, each of them": [
        ("routing/test_shadow.py", "test_the_same_input_again_is_one_observation"),
        (
            "routing/guardrails/test_observations.py",
            "test_retries_of_one_poisoned_request_are_one_observation_in_every_process",
        ),
        (
            "store/test_measures.py",
            "test_one_poisoned_request_is_one_failure_however_often_and_wherever_it_is_sent_again",
        ),
    ],
}


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_every_pitfall_has_a_test_that_is_there(pitfall):
    for file, name in PITFALLS[pitfall]:
        tree = ast.parse((TESTS / file).read_text("utf-8"))
        tests = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.name.startswith("test_")
        }
        assert tests if not name else name in tests, f"{file}: {name} is gone"


class Table:
    """The route of the test, as a process knows it."""

    def __init__(self, **fields):
        self.route = Route(endpoint="triage", revision="r1", salt="s", **fields)

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


@pytest.fixture
async def shadow(store):
    """A shadow at work, as a process has it."""
    made = Shadow(store.journal, Counters(), size=16, workers=2)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def serving(endpoint, store, shadow):
    """Serve the endpoint at a stage, its shadow included."""

    def at(stage, **fields):
        table = Table(stage=Stage(stage), **fields)
        return Dispatcher(endpoint, table, store.journal, shadow, Counters())

    return at


def lines(store, kind="request"):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=[kind])]


async def test_a_wall_clock_that_jumps_is_not_measured_with(
    serving, store, shadow, legacy, call, monkeypatch
):
    """An hour back in the middle of a request, as a clock is set: nobody took minus an hour."""
    right, answer = time.time, legacy.__class__.__call__

    async def jump(self, record, deadline):
        monkeypatch.setattr(time, "time", lambda: right() - 3_600.0)
        return await answer(self, record, deadline)

    monkeypatch.setattr(legacy.__class__, "__call__", jump)
    before = time.monotonic()
    await serving("shadow").serve(call())
    monkeypatch.setattr(time, "time", right)
    await shadow.drain()
    took = (time.monotonic() - before) * 1000
    (line,) = lines(store)
    assert 0 <= line.data["ms"] <= took
    assert len(lines(store, "comparison")) == 1


async def test_a_shadow_that_hangs_costs_callers_no_thread_and_no_time(
    serving, legacy, replacement, call
):
    """Dozens of callers, and a replacement that never answers: they wait for legacy alone."""
    replacement.gate = asyncio.Event()
    dispatcher, tasks = serving("shadow"), len(asyncio.all_tasks())
    for number in range(50):
        async with asyncio.timeout(5.0):
            answer = await dispatcher.serve(call(position=str(number), text=f"refund {number}"))
        assert b"C05" in answer.body
    assert len(legacy.asked) == 50
    assert len(asyncio.all_tasks()) == tasks, "nothing is begun for a caller"


def test_a_canary_that_begins_again_has_the_same_keys(operator, observe):
    """Taken back to legacy and begun again, everybody is where they were before."""
    keys = [f"C-{number}" for number in range(2_000)]

    def canary():
        while operator.route().stage is not Stage.CANARY:
            route = operator.advance(force=True)
        return {key for key in keys if inside(route.salt, key, route.percent)}

    first = canary()
    while operator.route().stage is not Stage.LEGACY:
        operator.rollback()
    operator.advance()
    operator.deploy("another.digest")
    assert canary() == first
    assert 100 < len(first) < 300


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("healthy", [True, False])
async def test_every_request_is_answered_by_a_side_that_was_asked_once(
    serving, store, shadow, legacy, replacement, call, stage, healthy
):
    """No empty answer, and no side does a request both in the foreground and in the background."""
    if not healthy:
        replacement.status = "abstained"
    dispatcher = serving(stage, percent=50.0)
    for number in range(8):
        record = call(f"C-{number}", text=f"refund {number}", position=str(number))
        if stage is Stage.RETIRED and not healthy:
            with pytest.raises(Exception, match="not sure"):
                await dispatcher.serve(record)
            continue
        answer = await dispatcher.serve(record)
        assert (b"C05" in answer.body) != (b"C10" in answer.body), "one side's, and whole"
    await shadow.drain()
    asked = {
        Side.LEGACY: [record.position for record in legacy.asked],
        Side.REPLACEMENT: [request.record.position for request, _ in replacement.asked],
    }
    for side, positions in asked.items():
        assert len(set(positions)) == len(positions), f"{side} was asked twice"
    served = {line.request_id: line.data["served_by"] for line in lines(store)}
    assert len(served) == 8
    wanted = {"retired": set(), "legacy": {"legacy"}, "shadow": {"legacy"}}
    if not healthy:
        assert set(filter(None, served.values())) <= wanted.get(stage.value, {"legacy"})


@pytest.mark.parametrize(("apart", "outcome"), [(1.0, "fail"), (3_600.0, "pass")])
def test_failures_that_are_spread_over_hours_trip_nothing(operator, put, store, apart, outcome):
    route = put("live", revision="new.digest")
    place = Place("triage", route.revision, Rung.of(route).label)
    for number in range(12):
        failure = Failure(place, f"u{number}", "replacement", "", "raised")
        store.measures.add(time.time() - number * apart, failures=[failure])
    breaker = operator.evidence().of("breaker")
    assert breaker.outcome == outcome


async def test_what_is_inconclusive_stays_where_it_is_however_long(store, operator, put, observe):
    """A month on the last rung, and too little to say: neither forward nor back by itself."""
    route = put("canary", percent=50.0, revision="new.digest")
    observe("new.digest", both=12, legacy=1)
    place = Place("triage", route.revision, Rung.of(route).label)
    store.measures.add(
        time.time() - 30 * 86_400.0, sums=[Sum(place, "ms", "replacement", 9_000, 9.0, 9.0)]
    )
    assert (await Watch([operator]).look(operator)).outcome == "hold"
    with pytest.raises(RouteError, match="does not pass"):
        operator.advance()
    assert operator.route() == route


async def test_legacy_that_is_down_costs_nothing_where_it_is_not_asked(
    serving, shadow, legacy, call
):
    """Live answers without legacy; only who is still legacy's is told that it is down."""
    legacy.down = True
    live = serving("live")
    for number in range(5):
        answer = await live.serve(call(f"C-{number}", position=str(number)))
        assert b"C10" in answer.body
    canary = serving("canary", percent=50.0)
    told = {True: 0, False: 0}
    for number in range(40):
        key = f"C-{number}"
        ours = inside("s", key, 50.0)
        if ours:
            assert b"C10" in (await canary.serve(call(key, position=f"c{number}"))).body
        else:
            with pytest.raises(LegacyError, match="is down"):
                await canary.serve(call(key, position=f"c{number}"))
        told[ours] += 1
    assert min(told.values()) > 5
    await shadow.drain()


async def test_in_the_shadow_legacy_is_asked_no_more_than_without_it(serving, shadow, legacy, call):
    dispatcher = serving("shadow")
    for number in range(10):
        await dispatcher.serve(call(position=str(number), text=f"refund {number}"))
    await shadow.drain()
    assert len(legacy.asked) == 10
