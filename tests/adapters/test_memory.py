"""The source in memory keeps the laws of a real one."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.errors import LegacyUnavailable
from stranglerfig.model import Record, Settlement
from stranglerfig.testing.source import SourceContract


def record(at: int, key: str = "") -> Record:
    return Record(source="m", position=str(at), kind="row", body=b"%d" % at, key=key)


class MemoryFeed:
    secrets = ()

    def __init__(self) -> None:
        self.source = MemorySource("memory")
        self._count = count()

    async def put(self, key: str, text: str) -> bytes:
        at = next(self._count)
        body = text.encode()
        self.source.put(Record(source="memory", position=str(at), kind="row", body=body, key=key))
        return body


class TestMemorySource(SourceContract):
    @pytest.fixture
    def feed(self) -> MemoryFeed:
        return MemoryFeed()


async def test_an_endless_iterable_is_read_as_it_is_asked_for():
    read = []

    def endless():
        for at in count():
            read.append(at)
            yield record(at)

    source = MemorySource("m", endless())
    await source.open()
    got = await source.receive(5, 0.0)
    assert [delivery.record.position for delivery in got] == ["0", "1", "2", "3", "4"]
    assert read == [0, 1, 2, 3, 4]


async def test_records_without_a_key_do_not_wait_for_each_other():
    source = MemorySource("m", [record(at) for at in range(4)])
    await source.open()
    assert len(await source.receive(10, 0.0)) == 4


async def test_reopening_gives_back_in_the_old_order_before_what_is_new():
    source = MemorySource("m", [record(at, f"k{at}") for at in range(6)])
    await source.open()
    held = await source.receive(4, 0.0)
    await held[1].settle(Settlement(outcome="done"))
    await source.open()
    again = await source.receive(10, 0.0)
    assert [delivery.record.position for delivery in again] == ["0", "2", "3", "4", "5"]
    assert [delivery.attempt for delivery in again] == [2, 2, 2, 1, 1]


async def test_counts_and_the_dead_are_kept():
    source = MemorySource("m", [record(0), record(1)])
    await source.open()
    first, second = await source.receive(2, 0.0)
    await asyncio.gather(
        first.settle(Settlement(outcome="done")),
        second.settle(Settlement(outcome="dead", reason="spoilt")),
    )
    assert (source.done, source.dead) == (1, [(second.record, "spoilt")])


async def test_a_closed_source_says_so():
    source = MemorySource("m")
    with pytest.raises(LegacyUnavailable, match="m: the source is not open"):
        await source.receive(1, 0.0)
