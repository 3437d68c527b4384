import asyncio

import pytest

from stranglerfig.running.uses import Uses


async def test_it_has_ended_when_the_last_call_has():
    uses, go = Uses(), asyncio.Event()

    async def call(number):
        await go.wait()
        return number * 2

    assert await uses.ended(1)
    calls = [asyncio.create_task(uses.counted(call)(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert not await uses.ended(0.01)
    go.set()
    assert await uses.ended(10)
    assert [await one for one in calls] == [0, 2, 4]


async def test_a_call_that_fails_has_ended_too():
    uses = Uses()

    async def call(number):
        raise ValueError(number)

    with pytest.raises(ValueError, match="7"):
        await uses.counted(call)(7)
    assert await uses.ended(10)
