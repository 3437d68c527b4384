"""A write that somebody waits for: in order, once, and known of whatever the sides do."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3

import msgspec
import pytest

from stranglerfig.errors import ConfigError, Conflict, InDoubt, InputError, LegacyUnavailable
from stranglerfig.model import Data, Stage

FIRST = {"legacy": "replacement", "replacement": "legacy"}


@pytest.fixture(params=["legacy", "replacement"])
def first(request, table, sides):
    """Each of the two orders: the side that is first, and the other one."""
    if request.param == "replacement":
        table.reversed()
    return sides[request.param], sides[FIRST[request.param]]


def lines(store, kind="request"):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=[kind])]


async def test_is_on_both_sides_and_the_first_answers(
    dispatcher, first, states, call, until, doubling, store
):
    answer = await dispatcher.serve(call(text="one"))
    await until(lambda: states() == ["done"])
    assert first[0].has == first[1].has == ["one"]
    legacy = first[0].keys == []
    assert (b"C05" if legacy else b"C10") in answer.body
    (line,) = lines(store)
    served = "legacy" if legacy else "replacement"
    assert (line.data["decided"], line.data["served_by"]) == (served, served)
    assert line.data["dual"]["first"] == served


async def test_the_row_is_there_before_the_first_side_is_asked_and_before_the_second(
    dispatcher, first, states, call, until, work
):
    first[0].gate, first[1].gate = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(dispatcher.serve(call(text="one")))
    await until(lambda: first[0].asked)
    assert states() == ["prepared"]
    first[0].gate.set()
    await until(lambda: first[1].asked)
    assert states() == ["first"]
    (write,) = work.open("triage")
    assert b"Envelope" in write.result.body
    first[1].gate.set()
    await serving
    await until(lambda: states() == ["done"])


async def test_both_answers_are_evidence(dispatcher, first, call, until, offers):
    await dispatcher.serve(call(text="one"))
    await until(lambda: offers.pairs)
    (pair,) = offers.pairs
    assert pair.written
    assert b"C05" in pair.legacy.body
    assert pair.replacement.payload["category"] == "quote"


async def test_where_the_first_refuses_the_second_is_not_asked(
    dispatcher, first, states, call, sides
):
    first[0].plan = ["refuse"]
    if first[0] is sides["legacy"]:
        assert b"Fault" in (await dispatcher.serve(call())).body
    else:
        with pytest.raises(LegacyUnavailable, match="replacement refuses it"):
            await dispatcher.serve(call())
    assert states() == ["undone"]
    assert first[1].asked == 0


async def test_where_the_first_is_not_reached_nothing_happened_and_it_can_be_sent_again(
    dispatcher, first, states, call, until
):
    first[0].plan = ["unsent"]
    with pytest.raises(LegacyUnavailable, match="nothing was written"):
        await dispatcher.serve(call())
    assert states() == ["undone"]
    await dispatcher.serve(call())
    await until(lambda: states() == ["done"])


async def test_where_nobody_knows_of_the_first_it_is_in_doubt_and_not_sent_again(
    dispatcher, first, states, call, copied
):
    first[0].plan = ["lost"]
    with pytest.raises(InDoubt, match="nobody knows"):
        await dispatcher.serve(call())
    assert states() == ["doubt"]
    await copied()
    with pytest.raises(InDoubt, match="sent before"):
        await dispatcher.serve(call())
    assert (first[0].asked, first[1].asked) == (1, 0)


@pytest.mark.parametrize("word", ["refuse", "unsent", "doubt", "lost"])
async def test_where_the_second_fails_the_caller_has_the_answer_of_the_first(
    dispatcher, first, states, call, until, word
):
    first[1].plan = [word]
    answer = await dispatcher.serve(call())
    assert answer.header(":status") == "200"
    expected = "doubt" if word in ("doubt", "lost") else "first"
    await until(lambda: states() == [expected])
    assert first[0].asked == 1


async def test_a_second_that_hangs_does_not_keep_the_caller(dispatcher, table, sides, states, call):
    table.go(stage=Stage.LIVE)
    sides["replacement"].gate = asyncio.Event()
    await asyncio.wait_for(dispatcher.serve(call()), 30)
    assert states() == ["first"]
    sides["replacement"].gate.set()


async def test_where_nobody_reads_the_second_nobody_waits_for_it(
    dispatcher, sides, states, call, dual
):
    dual["wait"] = 3600.0
    sides["replacement"].gate = asyncio.Event()
    await asyncio.wait_for(dispatcher.serve(call()), 30)
    assert states() == ["first"]
    sides["replacement"].gate.set()


async def test_who_is_cancelled_between_the_two_takes_nothing_from_anybody(
    dispatcher, first, states, call, until
):
    first[1].gate = asyncio.Event()
    serving = asyncio.create_task(dispatcher.serve(call(text="one")))
    await until(lambda: first[1].asked)
    serving.cancel()
    await asyncio.wait([serving])
    first[1].gate.set()
    await until(lambda: states() == ["done"])
    assert first[0].has == first[1].has == ["one"]
    await dispatcher.serve(call(text="one"))
    assert first[0].asked == 1


async def test_who_is_cancelled_while_the_first_is_asked_has_it_on_both_sides(
    dispatcher, first, states, call, until
):
    first[0].gate = asyncio.Event()
    serving = asyncio.create_task(dispatcher.serve(call(text="one")))
    await until(lambda: first[0].asked)
    serving.cancel()
    await asyncio.wait([serving])
    first[0].gate.set()
    await until(lambda: states() == ["done"])


async def test_who_goes_before_anything_is_asked_has_it_nowhere(
    dispatcher, first, states, call, doubling, store
):
    serving = asyncio.create_task(dispatcher.serve(call()))
    await asyncio.sleep(0)  # its steps are begun, and are at the store
    serving.cancel()
    await asyncio.wait([serving])
    await doubling.drain(10)
    assert states() in ([], ["undone"])
    assert first[0].asked == first[1].asked == 0


async def test_the_same_again_is_answered_from_the_row(dispatcher, first, call, until, states):
    answer = await dispatcher.serve(call())
    await until(lambda: states() == ["done"])
    assert await dispatcher.serve(call()) == answer
    assert (first[0].asked, first[1].asked) == (1, 1)


async def test_the_same_at_once_is_done_once(dispatcher, first, call, until, states):
    first[0].gate = asyncio.Event()
    serving = [asyncio.create_task(dispatcher.serve(call())) for _ in range(5)]
    await until(lambda: first[0].asked)
    first[0].gate.set()
    answers = await asyncio.gather(*serving)
    await until(lambda: states() == ["done"])
    assert len({answer.body for answer in answers}) == 1
    assert (first[0].asked, first[1].asked) == (1, 1)


def keyed(record, key):
    return msgspec.structs.replace(record, headers=(*record.headers, ("x-key", key)))


@pytest.mark.parametrize("dual", [{"key": "header.X-Key", "turn": 0.2}])
async def test_the_callers_own_key_tells_a_retry(dispatcher, sides, call, until, states):
    answer = await dispatcher.serve(keyed(call(position="1"), "ours"))
    await until(lambda: states() == ["done"])
    assert await dispatcher.serve(keyed(call(position="2"), "ours")) == answer
    with pytest.raises(Conflict):
        await dispatcher.serve(keyed(call(position="3", text="other"), "ours"))
    await dispatcher.serve(keyed(call(position="4"), ""))
    await until(lambda: states() == ["done"] * 2)
    assert sides["legacy"].asked == 2
    assert len(set(sides["replacement"].keys)) == 2


@pytest.mark.parametrize("key", ["header.", "payload.nothing", "somewhere"])
def test_a_key_that_cannot_be_read_is_refused(endpoint, key):
    settings = endpoint.config
    dual = msgspec.structs.replace(settings.dual, key=key)
    with pytest.raises(ConfigError, match="no idempotency key"):
        dataclasses.replace(endpoint, config=msgspec.structs.replace(settings, dual=dual))


async def test_of_a_key_nothing_overtakes_a_doubt(dispatcher, first, call, states):
    first[0].plan = ["doubt"]
    with pytest.raises(InDoubt):
        await dispatcher.serve(call(position="1"))
    with pytest.raises(LegacyUnavailable, match="earlier write of the same key") as held:
        await dispatcher.serve(call(position="2"))
    assert "fig route doubts triage" in held.value.remedy
    await dispatcher.serve(call("C-2", position="3"))
    assert first[0].asked == 2


async def test_of_a_key_each_waits_for_the_one_before(dispatcher, first, call, until, states):
    first[0].gate = asyncio.Event()
    one = asyncio.create_task(dispatcher.serve(call(position="1", text="one")))
    await until(lambda: first[0].asked)
    two = asyncio.create_task(dispatcher.serve(call(position="2", text="two")))
    await asyncio.sleep(0.05)
    assert first[0].asked == 1
    first[0].gate.set()
    await asyncio.gather(one, two)
    assert first[0].has == ["one", "two"]


async def test_what_is_behind_one_that_is_not_copied_is_left_to_who_copies(
    dispatcher, first, call, until, states, copied, doubling
):
    first[1].plan = ["unsent"]
    await dispatcher.serve(call(position="1", text="one"))
    await until(lambda: states() == ["first"])
    await dispatcher.serve(call(position="2", text="two"))
    await doubling.drain(10)
    assert first[1].has == []
    await copied()
    assert first[0].has == first[1].has == ["one", "two"]


async def test_a_killed_route_writes_to_legacy_and_is_copied_when_it_is_lifted(
    dispatcher, table, sides, call, states, copied, doubling
):
    table.go(killed=True)
    assert b"C05" in (await dispatcher.serve(call())).body
    await doubling.drain(10)
    await copied()
    assert (states(), sides["replacement"].asked) == (["first"], 0)
    table.go(killed=False)
    await copied()
    assert (states(), sides["replacement"].has) == (["done"], ["refund"])


async def test_killed_with_the_replacement_first_nothing_overtakes_in_legacy(
    dispatcher, table, sides, call, states, copied, until
):
    table.reversed()
    sides["legacy"].plan = ["unsent"]
    await dispatcher.serve(call(position="1", text="one"))
    await until(lambda: states() == ["first"])
    table.go(killed=True)
    with pytest.raises(LegacyUnavailable, match="earlier write"):
        await dispatcher.serve(call(position="2", text="two"))
    await copied()
    await dispatcher.serve(call(position="2", text="two"))
    assert sides["legacy"].has == ["one", "two"]


async def test_retired_is_written_on_the_replacement_alone_and_once(
    dispatcher, table, sides, call, states
):
    table.go(stage=Stage.RETIRED, data=Data.REPLACEMENT)
    answer = await dispatcher.serve(call())
    assert await dispatcher.serve(call()) == answer
    assert (states(), sides["replacement"].asked, sides["legacy"].asked) == (["done"], 1, 0)
    table.go(killed=True)
    with pytest.raises(LegacyUnavailable, match="kept no more"):
        await dispatcher.serve(call(position="2"))
    assert sides["legacy"].asked == 0


async def test_where_legacys_store_is_the_only_one_it_alone_is_written(
    dispatcher, table, sides, call, states
):
    for stage in (Stage.CANARY, Stage.LIVE):
        table.go(stage=stage, data=Data.LEGACY, percent=100.0)
        assert b"C05" in (await dispatcher.serve(call())).body
    assert (states(), sides["legacy"].asked, sides["replacement"].asked) == ([], 2, 0)


async def test_what_is_no_request_goes_to_legacy_where_that_is_first(
    dispatcher, table, sides, call, states, copied, doubling, monkeypatch
):
    async def answers(record, deadline):
        del deadline
        return msgspec.structs.replace(record, headers=((":status", "200"),))

    monkeypatch.setattr(type(sides["legacy"]), "__call__", lambda _, *given: answers(*given))
    await dispatcher.serve(call(channel="no such channel"))
    await doubling.drain(10)
    assert (states(), sides["replacement"].asked) == (["first"], 0)
    table.reversed()
    with pytest.raises(InputError):
        await dispatcher.serve(call(channel="no such channel", position="2"))


@pytest.mark.parametrize("status", ["502", "504", "500"])
async def test_what_a_gateway_says_is_no_refusal(dispatcher, sides, call, states, status):
    async def answers(record, deadline):
        del deadline
        return msgspec.structs.replace(record, body=b"<html/>", headers=((":status", status),))

    sides["legacy"].__class__ = type("Gateway", (), {"__call__": lambda _, *given: answers(*given)})
    assert (await dispatcher.serve(call())).body == b"<html/>"
    assert states() == ["doubt"]


class TestWithoutTheStore:
    """The store goes away; what was written meanwhile is copied when it is back."""

    @pytest.fixture
    def gone(self, file):
        hold = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

        def go():
            hold.execute("BEGIN EXCLUSIVE")
            return hold

        yield go
        hold.close()

    async def test_legacy_alone_has_it_and_it_is_copied_later(
        self, dispatcher, sides, call, gone, states, until, copied, logged
    ):
        hold = gone()
        answer = await dispatcher.serve(call())
        assert b"C05" in answer.body
        hold.execute("COMMIT")
        await until(lambda: states() == ["first"])
        assert any("is in legacy alone" in line for line in logged)
        await copied()
        assert sides["legacy"].has == sides["replacement"].has == ["refund"]
        assert await dispatcher.serve(call()) == answer
        assert sides["legacy"].asked == 1

    async def test_where_the_replacement_counts_nothing_is_written(
        self, dispatcher, table, sides, call, gone
    ):
        table.reversed()
        hold = gone()
        with pytest.raises(LegacyUnavailable, match="could not be copied to legacy"):
            await dispatcher.serve(call())
        hold.execute("COMMIT")
        assert sides["legacy"].asked == sides["replacement"].asked == 0

    async def test_where_it_goes_while_the_first_is_asked_the_caller_has_his_answer(
        self, dispatcher, first, call, gone, states, until
    ):
        first[0].gate = asyncio.Event()
        serving = asyncio.create_task(dispatcher.serve(call(text="one")))
        await until(lambda: first[0].asked)
        hold = gone()
        first[0].gate.set()
        assert (await serving).header(":status") == "200"
        hold.execute("COMMIT")
        await until(lambda: states() == ["done"])
        assert first[0].has == first[1].has == ["one"]
