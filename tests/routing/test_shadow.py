"""The shadow: never in a caller's way, bounded, and honest about what it could not compare."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import msgspec
import pytest

from stranglerfig.errors import ReplacementUnavailable
from stranglerfig.model import Reply
from stranglerfig.route_settings import Compared
from stranglerfig.routing.adjudication.golden import Golden
from stranglerfig.routing.comparison.noisy import Noisy
from stranglerfig.routing.comparison.twice import again, wanted
from stranglerfig.routing.shadow import Pair, Shadow
from stranglerfig.store.noise import Doubled, doubled, keep_doubled
from stranglerfig.telemetry import Counters

from_legacy = "C05"


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
async def shadow(store, counters):
    """A shadow at work, ended with the test."""
    shadow = Shadow(store.journal, counters, size=4, workers=2)
    task = asyncio.create_task(shadow.run())
    yield shadow
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def pair(endpoint, legacy, call):
    async def make(position="1", **fields):
        record = call(position=position, text=f"refund {position}")
        request = endpoint.request(record)
        answer = await legacy(record, 1e12)
        legacy.asked.clear()
        given = {"legacy": answer, "endpoint": endpoint, **fields}
        return Pair(request=request, revision="r1", **given)

    return make


def comparisons(store):
    assert store.journal.flush(10)
    return [entry.line.data for entry in store.journal.read(kinds=["comparison"])]


def failures(store):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=["shadow"])]


async def test_asks_the_replacement_beside_legacys_answer(shadow, store, pair, legacy):
    shadow.offer(await pair())
    await shadow.drain()
    (seen,) = comparisons(store)
    assert (seen["winner"], seen["by"], seen["differs"]) == ("open", "none", ["category"])
    assert (seen["legacy"], seen["replacement"]) == ({"category": "refund"}, {"category": "quote"})
    assert legacy.asked == [], "legacy has answered already: it is not asked twice"


async def test_asks_legacy_beside_the_replacements_answer(
    shadow, store, pair, legacy, replacement, endpoint
):
    reply = await replacement.answer((await pair()).request, "r1")
    replacement.asked.clear()
    shadow.offer(await pair(legacy=None, replacement=reply))
    await shadow.drain()
    assert len(comparisons(store)) == 1
    assert len(legacy.asked) == 1
    assert replacement.asked == []


async def test_labels_decide(shadow, store, pair, endpoint):
    golden = Golden(("text",), {("refund 1",): {"category": "quote"}})
    shadow.offer(await pair(endpoint=dataclasses.replace(endpoint, golden=golden)))
    await shadow.drain()
    assert [seen["winner"] for seen in comparisons(store)] == ["replacement"]


async def test_the_same_input_again_is_one_observation(shadow, store, pair):
    for _ in range(3):
        shadow.offer(await pair())
    await shadow.drain()
    assert len(comparisons(store)) == 3
    assert store.evidence.counts("triage", "r1").total == 1


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        ({"raises": RuntimeError("boom")}, "raised"),
        ({"raises": ReplacementUnavailable("gone")}, "unavailable"),
        ({"payload": {}}, "contract"),
        ({"status": "abstained"}, "abstained"),
        ({"gate": True}, "deadline"),
    ],
)
async def test_says_what_could_not_be_compared(shadow, store, pair, replacement, breaks, reason):
    for name, value in breaks.items():
        setattr(replacement, name, asyncio.Event() if value is True else value)
    shadow.offer(await pair())
    await shadow.drain()
    assert comparisons(store) == []
    (line,) = failures(store)
    assert (line.data["side"], line.data["reason"]) == ("replacement", reason)
    assert line.data["detail"]
    assert store.evidence.counts("triage", "r1").total == 0


async def test_a_legacy_that_is_down_or_says_a_fault_is_no_evidence(
    shadow, store, pair, legacy, replacement
):
    legacy_answer = (await pair()).legacy
    fault = legacy_answer.__class__(
        source="desk", position="f", kind="soap", body=b"<not/>", headers=((":status", "500"),)
    )
    shadow.offer(await pair("1", legacy=fault))
    reply = Reply(request_id="x", status="ok", produced_by="t", payload=replacement.payload)
    down = await pair("2", legacy=None, replacement=reply)
    legacy.down = True
    shadow.offer(down)
    await shadow.drain()
    assert comparisons(store) == []
    assert {line.data["side"] for line in failures(store)} == {"legacy"}
    assert len(failures(store)) == 2


async def test_a_full_queue_drops_and_counts_and_never_waits(
    shadow, store, pair, replacement, counters
):
    replacement.gate = asyncio.Event()
    pairs = [await pair(str(number)) for number in range(10)]
    for one in pairs:
        shadow.offer(one)
    dropped = counters.snapshot()["shadow_dropped", "triage", "queue"]
    assert dropped == 6, "four wait; nothing has run since, so no worker took one"
    replacement.gate.set()
    await shadow.drain()
    assert len(comparisons(store)) + len(failures(store)) == 4


async def test_a_pair_that_breaks_it_does_not_end_it(shadow, store, pair, logged):
    good = await pair()
    shadow.offer(dataclasses.replace(good, endpoint=dataclasses.replace(good.endpoint, mapping=0)))
    shadow.offer(good)
    await shadow.drain()
    assert len(comparisons(store)) == 1
    assert any("shadow failed" in text for text in logged)


async def test_a_legacy_that_raises_does_not_take_the_replacements_answer_with_it(
    shadow, store, pair, legacy, replacement
):
    # laboratory: a control that raises ends the experiment before anything is published.
    reply = Reply(request_id="x", status="ok", produced_by="t", payload=replacement.payload)
    offered = await pair(legacy=None, replacement=reply)
    legacy.down = True
    shadow.offer(offered)
    await shadow.drain()
    (line,) = failures(store)
    assert (line.data["side"], line.data["reason"]) == ("legacy", "LegacyUnavailable")
    assert line.data["other"] == "ok"


async def test_both_sides_may_fail_and_both_are_told_of(shadow, store, pair, legacy, replacement):
    offered = await pair()
    fault = offered.legacy.__class__(source="desk", position="f", kind="soap", body=b"<not/>")
    replacement.raises = RuntimeError("boom")
    shadow.offer(dataclasses.replace(offered, legacy=fault))
    await shadow.drain()
    (line,) = failures(store)
    assert (line.data["side"], line.data["reason"]) == ("replacement", "raised")
    assert line.data["other"] not in ("", "ok")


def settled(settings, **tables):
    return msgspec.structs.replace(settings, comparison=msgspec.convert(tables, Compared))


@pytest.fixture
def twice(store, counters, endpoint, settings):
    """A shadow that asks sides twice, and the endpoint that says so."""

    async def run(pairs, **noise):
        other = dataclasses.replace(endpoint, config=settled(settings, noise=noise))
        shadow = Shadow(store.journal, counters, noisy=Noisy(store.database))
        task = asyncio.create_task(shadow.run())
        for one in pairs:
            shadow.offer(dataclasses.replace(one, endpoint=other))
        await shadow.drain()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert store.journal.flush(10)
        return doubled(store.database, "triage", "r1")

    return run


async def test_a_share_of_requests_is_asked_twice(twice, pair, replacement, legacy):
    pairs = [await pair(str(number)) for number in range(60)]
    found = await twice(pairs, replacement=30.0)
    assert 5 <= len(found) <= 32
    assert len(replacement.asked) == 60 + len(found)
    assert {(one.side, one.noise, one.raw) for one in found} == {("replacement", (), ("category",))}
    ids = [request.id for request, _ in replacement.asked]
    assert len(set(ids)) == len(ids), "no id is asked twice: an answer might be remembered by it"
    assert legacy.asked == []


async def test_legacy_is_asked_twice_only_where_it_reads(twice, pair, legacy, endpoint):
    found = await twice([await pair(str(number)) for number in range(3)], legacy=100.0)
    assert [(one.side, one.noise) for one in found] == [("legacy", ())] * 3
    assert len(legacy.asked) == 3
    writes = msgspec.structs.replace(endpoint.operation, effect="idempotent")
    assert wanted(dataclasses.replace(endpoint, operation=writes), (await pair()).request) == ()
    with pytest.raises(ValueError, match="only where it reads"):
        await again(
            dataclasses.replace(endpoint, operation=writes),
            (await pair()).request,
            "r1",
            "legacy",
            legacy={},
            replacement={},
        )


async def test_what_is_known_to_be_noise_is_no_difference(store, twice, pair, endpoint):
    for number in range(60):
        one = Doubled(
            endpoint="triage",
            side="legacy",
            revision="r1",
            unit=f"n{number}",
            noise=("category",),
            raw=("category",),
            at=0.0,
        )
        store.journal.append(keep_doubled(one))
    assert store.journal.flush(10)
    await twice([await pair()])
    (seen,) = comparisons(store)
    assert (seen["winner"], seen["by"], seen["differs"], seen["noise"]) == (
        "both",
        "noise",
        [],
        ["category"],
    )


async def test_a_comparison_that_fails_is_counted_and_hurts_nobody(
    shadow, store, pair, endpoint, settings, counters
):
    function = "py:stranglerfig.tests.routing.comparison.comparers:raises"
    config = settled(settings, fields={"category": {"function": function}})
    golden = Golden(("text",), {("refund 1",): {"category": "quote"}})
    shadow.offer(await pair(endpoint=dataclasses.replace(endpoint, config=config, golden=golden)))
    await shadow.drain()
    (seen,) = comparisons(store)
    assert (seen["winner"], seen["by"]) == ("open", "none"), (
        "nobody adjudicates what nobody compared"
    )
    assert "RuntimeError" in seen["why"]
    assert "Anna" not in str(seen)
    assert counters.snapshot()["comparison_errors", "triage"] == 1


async def test_a_function_that_takes_long_keeps_no_caller_waiting(
    shadow, store, pair, endpoint, settings, until
):
    from stranglerfig.tests.routing.comparison.comparers import ENTERED, GATE

    function = "py:stranglerfig.tests.routing.comparison.comparers:waits"
    config = settled(settings, fields={"category": {"function": function}})
    shadow.offer(await pair(endpoint=dataclasses.replace(endpoint, config=config)))
    drained = asyncio.create_task(shadow.drain())
    await until(ENTERED.is_set)
    GATE.set()  # were the loop itself to wait, this would come too late
    await asyncio.wait_for(drained, 10)
    (seen,) = comparisons(store)
    assert (seen["winner"], seen["by"]) == ("both", "agreement")
