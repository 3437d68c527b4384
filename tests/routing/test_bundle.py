"""Writes that go to the journal together: each is told its own outcome."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.errors import Conflict, StoreUnavailable
from stranglerfig.routing.bundle import Bundler
from stranglerfig.routing.ledger import Ledger
from stranglerfig.store import InboxMark, Line, Write


def write(name, payload="h"):
    line = Line(kind="request", endpoint="e", request_id=name)
    return Write(lines=(line,), inbox=InboxMark("bridge", name, payload))


async def test_what_comes_in_one_go_is_handed_over_as_one(store):
    ledger = Ledger(store)
    shares = [ledger.submit(write(str(at))) for at in range(3)]
    assert {share.bundle for share in shares} == {shares[0].bundle}
    assert await asyncio.gather(*shares) == [True] * 3
    later = ledger.submit(write("later"))
    assert later.bundle is not shares[0].bundle
    assert await later


async def test_a_bundle_is_bounded(store):
    shares = [Ledger(store).submit(write("other"))]
    ledger = Ledger(store)
    shares += [ledger.submit(write(str(at))) for at in range(600)]
    assert max(share.at for share in shares) < 256
    assert all(await asyncio.gather(*shares))
    assert len(list(store.journal.read(kinds=["request"]))) == 601


async def test_each_is_told_what_became_of_it_and_known_ones_are_counted(store):
    ledger = Ledger(store)
    assert await ledger.submit(write("a"))
    shares = [
        ledger.submit(write("a")),
        ledger.submit(write("a", "other")),
        ledger.submit(write("b")),
    ]
    known, changed, new = await asyncio.gather(*shares, return_exceptions=True)
    assert (known, new) == (False, True)
    assert isinstance(changed, Conflict)
    assert ledger.counters.snapshot() == {("duplicates", "bridge"): 1}


async def test_who_is_cancelled_takes_the_outcome_from_nobody_else(store):
    ledger = Ledger(store)
    first, second = ledger.submit(write("a")), ledger.submit(write("b"))

    async def wait(share):
        return await share

    waiting = asyncio.create_task(wait(first))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await second
    assert await first


async def test_all_hear_of_a_journal_that_takes_nothing(store):
    bundler = Bundler(store.journal, 1.0)
    shares = [bundler.add(store.journal.prepare(write(name))) for name in "ab"]
    store.close()
    for found in await asyncio.gather(*shares, return_exceptions=True):
        assert isinstance(found, StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        Ledger(store).submit(write("c"))
