"""How long committers wait."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.errors import StoreUnavailable
from stranglerfig.store import Line, Store, Write
from stranglerfig.store.backlog import Item
from stranglerfig.store.group import Content
from stranglerfig.store.patience import Patience


def waiting(loop):
    return Item((Content(),), loop=loop, future=loop.create_future())


def unexpected(item):
    raise AssertionError("nobody is late")


async def test_what_the_writer_has_in_hand_is_waited_for_longer_and_then_abandoned(monkeypatch):
    monkeypatch.setattr("stranglerfig.store.patience.HELD", 0.05)
    loop = asyncio.get_running_loop()
    seen = []
    patience = Patience(loop, 0.03, lambda _: seen.append("late"), lambda _: seen.append("left"))
    patience.watch(waiting(loop))
    async with asyncio.timeout(60):
        while len(seen) < 2:
            await asyncio.sleep(0.005)
    assert seen == ["late", "left"]


async def test_those_who_are_late_are_given_up_in_order_and_nobody_else():
    loop = asyncio.get_running_loop()
    given_up = []
    begun = loop.time()
    patience = Patience(
        loop, 0.06, lambda item: given_up.append((item, loop.time() - begun)), unexpected
    )
    first, answered, last = (waiting(loop) for _ in range(3))
    for item in (first, answered, last):
        patience.watch(item)
    answered.future.set_result(True)
    async with asyncio.timeout(60):
        while len(given_up) < 2:
            await asyncio.sleep(0.005)
    assert [item for item, _ in given_up] == [first, last]
    assert all(after >= 0.06 for _, after in given_up)


async def test_a_commit_waits_no_longer_than_it_has_patience(store_url):
    store = Store(store_url, patience=0.05)
    store.open()
    with store.database.write(), pytest.raises(StoreUnavailable):
        await store.journal.commit(Write(lines=(Line("note"),)))
    store.close()
    assert list(store.journal.read()) == []


async def test_who_keeps_nobody_waiting_may_have_more_patience(store_url):
    store = Store(store_url, patience=0.05)
    store.open()
    with store.database.write():
        patient = store.journal.submit(Write(lines=(Line("note"),)), patience=30.0)
        with pytest.raises(StoreUnavailable):
            await store.journal.commit(Write(lines=(Line("note"),)))
        assert not patient.done()
    assert await patient
    store.close()
    assert len(list(store.journal.read())) == 1


async def test_the_loop_gives_way_to_the_writer_while_somebody_waits_for_long(monkeypatch):
    # A loop that is never idle starves the writer thread, so it stands still for a moment.
    slept = []
    monkeypatch.setattr("stranglerfig.store.patience.time.sleep", slept.append)
    loop = asyncio.get_running_loop()
    patience = Patience(loop, 10.0, unexpected, unexpected)
    item = waiting(loop)
    patience.watch(item)
    async with asyncio.timeout(60):
        while len(slept) < 3:
            await asyncio.sleep(0.005)
    item.future.set_result(True)
    before = len(slept)
    await asyncio.sleep(0.06)
    assert len(slept) == before
    assert all(0 < seconds <= 0.005 for seconds in slept)
