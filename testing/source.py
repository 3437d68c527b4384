"""The laws of a ``Source``. Subclass ``SourceContract``, give one fixture, and run it with pytest.

::

    class TestMyQueue(SourceContract):
        @pytest.fixture
        async def feed(self) -> AsyncIterator[Feed]:
            ...
            yield MyFeed(source=MyQueue(...))
            ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import pytest

from ..errors import FigError
from ..model import Delivery, Settlement
from ..ports import Settling, Source

__all__ = ["Feed", "SourceContract"]

DONE = Settlement(outcome="done")
PATIENCE = 10.0
"""Seconds after which something that must come counts as not coming."""


class Feed(Protocol):
    """A source that is not open yet, and the legacy system behind it.

    ``secrets`` are texts (passwords of its options) that must never show.
    """

    source: Source
    secrets: Sequence[str]

    async def put(self, key: str, text: str) -> bytes:
        """Make legacy send one record of that key which holds that text; give its exact body."""


class SourceContract:
    """What every source promises the bridge. Each test takes the ``feed`` fixture of its class."""

    async def test_an_empty_source_gives_nothing_in_time(self, feed: Feed) -> None:
        """``receive`` waits its time and no longer."""
        await feed.source.open()
        begun = time.monotonic()
        assert list(await feed.source.receive(10, 0.2)) == []
        assert time.monotonic() - begun < PATIENCE / 2
        await feed.source.close()

    async def test_bodies_are_unaltered(self, feed: Feed) -> None:
        """What legacy sent arrives byte by byte, with key, position and source."""
        await feed.source.open()
        texts = [
            "plain",
            'it\'s "quoted" \\ \r\n\t',
            "ключ 鍵 🔑",
            "",
            "\x00 and \x7f",
            "x" * 70_000,
        ]
        sent = [await feed.put(f"k{at}", text) for at, text in enumerate(texts)]
        got = [await one(feed.source) for _ in texts]
        assert [delivery.record.body for delivery in got] == sent
        assert [delivery.record.key for delivery in got] == [f"k{at}" for at in range(len(texts))]
        assert len({delivery.record.position for delivery in got}) == len(texts)
        assert {delivery.record.source for delivery in got} == {feed.source.name}
        assert all(delivery.attempt == 1 for delivery in got)
        await settle(got)
        await feed.source.close()

    async def test_a_delivery_is_settled_once(self, feed: Feed) -> None:
        """A second settlement raises, and the first one stays."""
        await feed.source.open()
        await feed.put("k", "once")
        delivery = await one(feed.source)
        await delivery.settle(DONE)
        for outcome in (DONE, Settlement(outcome="retry")):
            with pytest.raises(FigError):
                await delivery.settle(outcome)
        await nothing(feed.source)
        await feed.source.close()

    async def test_many_are_settled_at_once_and_each_once(self, feed: Feed) -> None:
        """Where a source takes many settlements at once, each of them is what it is alone."""
        source = feed.source
        if not isinstance(source, Settling):
            pytest.skip("it takes one settlement at a time")
        await source.open()
        for key in "abc":
            await feed.put(key, "x")
        first, second, third = [await one(source) for _ in range(3)]
        await third.settle(DONE)
        again = Settlement(outcome="retry", reason="later")
        found = await source.settle_all([(first, DONE), (second, again), (third, DONE)])
        assert [failure is None for failure in found] == [True, True, False]
        assert isinstance(found[2], FigError)
        (once_more,) = await source.settle_all([(first, DONE)])
        assert isinstance(once_more, FigError)
        assert same(await one(source), second)
        await source.close()

    async def test_retry_brings_it_again_after_its_delay(self, feed: Feed) -> None:
        """The same position and body, the next attempt, and not before its time."""
        await feed.source.open()
        await feed.put("k", "again")
        first = await one(feed.source)
        begun = time.time()
        await first.settle(Settlement(outcome="retry", delay=0.5))
        second = await one(feed.source)
        assert time.time() - begun >= 0.49
        assert same(first, second)
        assert second.attempt == 2
        await settle([second])
        await feed.source.close()

    async def test_dead_does_not_come_again(self, feed: Feed) -> None:
        """A dead delivery is over, and the next of its key follows."""
        await feed.source.open()
        await feed.put("k", "bad")
        second = await feed.put("k", "good")
        await (await one(feed.source)).settle(Settlement(outcome="dead", reason="cannot be read"))
        delivery = await one(feed.source)
        assert delivery.record.body == second
        await settle([delivery])
        await nothing(feed.source)
        await feed.source.close()

    async def test_unsettled_comes_again_after_reopen(self, feed: Feed) -> None:
        """What was in hand at ``close`` comes again at the same position; the old hand is empty."""
        await feed.source.open()
        await feed.put("k", "held")
        held = await one(feed.source)
        await feed.source.close()
        await feed.source.close()
        await feed.source.open()
        again = await one(feed.source)
        assert same(held, again)
        with pytest.raises(FigError):
            await held.settle(DONE)
        await settle([again])
        await feed.source.close()

    async def test_settled_does_not_come_again_after_reopen(self, feed: Feed) -> None:
        """Done is done."""
        await feed.source.open()
        await feed.put("k", "done")
        await settle([await one(feed.source)])
        await feed.source.close()
        await feed.source.open()
        await nothing(feed.source)
        await feed.source.close()

    async def test_open_twice_loses_nothing(self, feed: Feed) -> None:
        """``open`` after a failure, with no ``close`` between, is a reopen."""
        await feed.source.open()
        await feed.put("k", "held")
        held = await one(feed.source)
        await feed.source.open()
        again = await one(feed.source)
        assert same(held, again)
        await settle([again])
        await feed.source.close()

    async def test_order_holds_per_key(self, feed: Feed) -> None:
        """In the order sent, retries and all, while other keys go their own way."""
        await feed.source.open()
        sent: dict[str, list[bytes]] = {"a": [], "b": [], "c": []}
        for at in range(15):
            key = "abc"[at % 3]
            sent[key].append(await feed.put(key, f"{key}{at}"))
        got: dict[str, list[bytes]] = {"a": [], "b": [], "c": []}
        retried: set[str] = set()
        until = time.monotonic() + PATIENCE
        while sum(map(len, got.values())) < 15 and time.monotonic() < until:
            deliveries = await feed.source.receive(4, 0.2)
            keys = [delivery.record.key for delivery in deliveries]
            assert len(set(keys)) == len(keys), "two of one key in hand: a retry would overtake"
            for delivery in deliveries:
                key, position = delivery.record.key, delivery.record.position
                if key == "b" and position not in retried:
                    retried.add(position)
                    await delivery.settle(Settlement(outcome="retry", delay=0.01))
                else:
                    got[key].append(delivery.record.body)
                    await delivery.settle(DONE)
        assert got == sent
        await feed.source.close()

    async def test_no_more_than_the_limit(self, feed: Feed) -> None:
        """``receive`` never gives more than it was asked for, and all of it in the end."""
        await feed.source.open()
        for at in range(7):
            await feed.put(f"k{at}", "one of many")
        got: list[Delivery] = []
        until = time.monotonic() + PATIENCE
        while len(got) < 7 and time.monotonic() < until:
            batch = await feed.source.receive(3, 0.2)
            assert len(batch) <= 3
            got += batch
        assert len({delivery.record.position for delivery in got}) == 7
        await settle(got)
        await feed.source.close()

    async def test_what_comes_while_receive_waits_is_given(self, feed: Feed) -> None:
        """A waiting ``receive`` wakes up."""
        await feed.source.open()
        waiting = asyncio.create_task(_receive(feed.source, PATIENCE))
        await asyncio.sleep(0)
        body = await feed.put("k", "late")
        begun = time.monotonic()
        (delivery,) = await waiting
        assert time.monotonic() - begun < PATIENCE / 2
        assert delivery.record.body == body
        await settle([delivery])
        await feed.source.close()

    async def test_a_cancelled_receive_loses_nothing(self, feed: Feed) -> None:
        """What it had taken in hand is there for the next one, at once."""
        await feed.source.open()
        waiting = asyncio.create_task(_receive(feed.source, PATIENCE))
        await asyncio.sleep(0)
        waiting.cancel()
        body = await feed.put("k", "kept")
        await asyncio.gather(waiting, return_exceptions=True)
        got = [] if waiting.cancelled() else list(waiting.result())
        delivery = got[0] if got else await one(feed.source)
        assert delivery.record.body == body
        await settle([delivery])
        await feed.source.close()

    async def test_only_our_errors_escape(self, feed: Feed) -> None:
        """A source that is not open says so in our own words."""
        with pytest.raises(FigError):
            await feed.source.receive(1, 0.0)
        await feed.source.close()
        with pytest.raises(FigError):
            await feed.source.receive(1, 0.0)

    async def test_repr_hides_secrets(self, feed: Feed) -> None:
        """Neither ``repr`` nor ``str`` shows a password."""
        await feed.source.open()
        shown = f"{feed.source!r} {feed.source}"
        await feed.source.close()
        assert all(secret not in shown for secret in feed.secrets)
        assert feed.source.name in shown


async def one(source: Source) -> Delivery:
    """Receive one delivery, or fail."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        deliveries = await source.receive(1, 0.5)
        if deliveries:
            return deliveries[0]
    raise AssertionError("nothing came")


async def nothing(source: Source) -> None:
    """See that nothing comes."""
    assert list(await source.receive(10, 0.3)) == []


async def settle(deliveries: Sequence[Delivery]) -> None:
    """Settle all as done, at once."""
    await asyncio.gather(*(delivery.settle(DONE) for delivery in deliveries))


def same(first: Delivery, second: Delivery) -> bool:
    """Say whether two deliveries are of one record."""
    return first.record == second.record


async def _receive(source: Source, timeout: float) -> Sequence[Delivery]:
    return await source.receive(1, timeout)
