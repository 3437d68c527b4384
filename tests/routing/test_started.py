"""A coroutine that goes on after its first step, as if it had been awaited from the beginning."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.routing.started import Started


def begun(coroutine):
    return Started(coroutine, coroutine.send(None))


async def test_gives_what_the_coroutine_gives():
    async def work():
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return await asyncio.get_running_loop().run_in_executor(None, lambda: 7)

    assert await begun(work()) == 7


async def test_what_it_waits_for_may_fail_and_it_may_go_on():
    future = asyncio.get_running_loop().create_future()

    async def work():
        try:
            await future
        except ZeroDivisionError:
            await asyncio.sleep(0)
            return "went on"

    started = begun(work())
    future.set_exception(ZeroDivisionError())
    assert await started == "went on"


async def test_raises_what_the_coroutine_raises():
    async def work():
        await asyncio.sleep(0)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await begun(work())


async def test_a_cancellation_reaches_it_and_its_own_time_limits_hold():
    ended = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def outer():
        await begun(work())

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]

    async def limited():
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await begun(limited())


async def test_one_that_is_let_go_of_is_closed():
    ended = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    waiting = begun(work()).__await__()
    waiting.send(None)
    waiting.close()
    assert ended == [True]
