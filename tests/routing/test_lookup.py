"""Look-ups of many tasks are made together, and never answered from before they were asked."""

from __future__ import annotations

import asyncio
import threading

import pytest

from stranglerfig.errors import StoreUnavailable
from stranglerfig.routing.lookup import Lookup


async def test_what_is_asked_together_is_read_together():
    reads = []

    def read(keys):
        reads.append(list(keys))
        return {key: key * 2 for key in keys if key != 3}

    lookup = Lookup(read)
    found = await asyncio.gather(*(lookup.get(key) for key in (1, 2, 3, 2)))
    assert found == [2, 4, None, 4]
    assert reads == [[1, 2, 3]]


async def test_what_is_asked_while_a_look_is_under_way_goes_into_the_next():
    gate, begun, reads = threading.Event(), asyncio.Event(), []
    loop = asyncio.get_running_loop()
    stands = {"key": "before"}

    def read(keys):
        seen = dict(stands)
        reads.append(list(keys))
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)
        return seen

    lookup = Lookup(read)
    first = asyncio.create_task(lookup.get("key"))
    await begun.wait()
    stands["key"] = "after"
    second = asyncio.create_task(lookup.get("key"))
    gate.set()
    assert (await first, await second) == ("before", "after")
    assert reads == [["key"], ["key"]]


async def test_no_more_than_a_bounded_number_at_once():
    sizes = []
    lookup = Lookup(lambda keys: sizes.append(len(keys)) or {})
    await asyncio.gather(*(lookup.get(key) for key in range(1200)))
    assert sizes == [500, 500, 200]


async def test_a_failure_reaches_all_who_asked_and_the_next_look_is_fresh():
    fail = True

    def read(keys):
        if fail:
            raise StoreUnavailable("is gone", place="store")
        return dict.fromkeys(keys, "here")

    lookup = Lookup(read)
    found = await asyncio.gather(lookup.get(1), lookup.get(2), return_exceptions=True)
    assert [type(one) for one in found] == [StoreUnavailable] * 2
    fail = False
    assert await lookup.get(1) == "here"


async def test_one_who_is_cancelled_takes_the_answer_from_nobody():
    gate = threading.Event()

    def read(keys):
        gate.wait(10)
        return dict.fromkeys(keys, "here")

    lookup = Lookup(read)
    left, stays = (asyncio.create_task(lookup.get("key")) for _ in range(2))
    await asyncio.sleep(0)
    left.cancel()
    gate.set()
    assert await stays == "here"
    with pytest.raises(asyncio.CancelledError):
        await left
