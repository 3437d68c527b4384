"""A source has one taker at a time, also while it is drained and another waits for it."""

from __future__ import annotations

import asyncio

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge.limits import Limits
from stranglerfig.model import Delivery, Record, Settlement
from stranglerfig.running.intake import Intake, Way
from stranglerfig.telemetry import Counters


async def test_a_source_is_not_free_before_its_last_delivery_is_finished():
    begun, finish = asyncio.Event(), asyncio.Event()

    async def take(_: Delivery) -> Settlement:
        begun.set()
        await finish.wait()
        return Settlement(outcome="done")

    async def bury(_: Delivery, reason: str, cause: BaseException | None = None) -> None: ...

    record = Record(source="m", position="1", kind="row", body=b"", key="")
    intake = Intake(Counters(), lambda: True)
    way = Way(take=take, bury=bury, limits=Limits(wait=0.01), gates=())
    intake.open("m", MemorySource("m", [record]), way)
    await asyncio.wait_for(begun.wait(), 60)
    assert intake.free(["m", "n"]) == ["n"]
    closing = asyncio.create_task(intake.close("m"))
    await asyncio.sleep(0)
    assert (intake.names(), intake.free(["m", "n"])) == ([], ["n"])
    finish.set()
    await asyncio.wait_for(closing, 60)
    assert intake.free(["m", "n"]) == ["m", "n"]
