"""Time limits of many tasks, kept by one timer."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.routing.time_limits import TimeLimits


@pytest.fixture
def limits():
    return TimeLimits()


async def held(limits, seconds):
    with limits.within(seconds):
        await asyncio.Event().wait()


async def test_each_block_ends_by_its_own_limit_whatever_their_order(limits):
    ended = []

    async def one(seconds):
        with pytest.raises(TimeoutError):
            await held(limits, seconds)
        ended.append(seconds)

    async with asyncio.timeout(60):
        await asyncio.gather(*(one(seconds) for seconds in (0.15, 0.05, 0.1, -1.0)))
    assert ended == [-1.0, 0.05, 0.1, 0.15]


async def test_a_block_that_ends_in_time_is_left_alone(limits):
    limit = limits.within(0.01)
    with limit:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)
    assert not limit.expired
    assert asyncio.current_task().cancelling() == 0


async def test_a_cancellation_from_elsewhere_goes_on(limits):
    task = asyncio.create_task(held(limits, 10))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_beside_an_expiry_goes_on(limits):
    limit = limits.within(10)

    async def block():
        with limit:
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    limit.expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_is_what_leaves_it(limits):
    with pytest.raises(ZeroDivisionError), limits.within(10):
        raise ZeroDivisionError


async def test_a_timeout_of_the_block_is_told_from_ours(limits):
    limit = limits.within(10)
    with pytest.raises(TimeoutError), limit:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    assert not limit.expired
