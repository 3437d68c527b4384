"""What is said from a start on, with a process that is ready when the test says so."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from stranglerfig.bridge.status import SourceStatus
from stranglerfig.running import readiness as room
from stranglerfig.running.status import ProcessStatus, SourceView


class Process:
    """As much of a running process as is looked at."""

    def __init__(self) -> None:
        self.state = "starting"
        self.missing: tuple[str, ...] = ("starting",)
        self.sources: dict[str, str] = {"tickets": "starting"}
        self.opened: dict[str, object] = {"tickets": object()}
        self.events: list[dict[str, object]] = []
        self.systemd: list[str] = []
        self.announce = self.events.append
        self.notify = SimpleNamespace(ready=self.systemd.append)
        self.plan = SimpleNamespace(endpoints={"b": 1, "a": 1})
        self.intake = SimpleNamespace(source=self.opened.get)

    def status(self) -> ProcessStatus:
        views = {
            name: SourceView(status=SourceStatus(state=state))
            for name, state in self.sources.items()
        }
        return ProcessStatus(ready=not self.missing, missing=self.missing, sources=views)

    def heard(self, kind: str) -> list[dict[str, object]]:
        return [one for one in self.events if one["event"] == kind]


@pytest.fixture
async def process(monkeypatch):
    monkeypatch.setattr(room, "_LATER", 0.001)
    one = Process()
    task = asyncio.create_task(room.readiness(one))
    yield one
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def test_ready_is_said_once_and_not_before_work_can_flow(process, monkeypatch):
    monkeypatch.setattr(room, "_SOON", 0.0)
    process.state, process.missing = "running", ("source tickets: broken: no file",)
    await until(lambda: process.events)
    assert process.events == [{"event": "waiting", "missing": ["source tickets: broken: no file"]}]
    assert process.systemd == []
    process.sources["tickets"] = "flowing"
    await until(lambda: process.heard("flows"))
    assert process.heard("ready") == []
    process.missing = ()
    await until(lambda: process.systemd)
    assert process.events[-1] == {"event": "ready", "endpoints": ["a", "b"]}
    assert process.systemd == ["ready: 2 endpoints"]
    process.missing = ("source tickets: broken",)
    process.opened["tickets"] = object()
    await until(lambda: len(process.heard("flows")) == 2)
    assert len(process.events) == 4


async def test_systemd_hears_after_a_while_that_it_waits_and_is_not_told_again(
    process, monkeypatch
):
    monkeypatch.setattr(room, "_SYSTEMD", 0.0)
    await asyncio.sleep(0.05)
    assert process.systemd == [], "its parts are not started yet"
    process.state, process.missing = "running", ("source a: broken", "source b: starting")
    await until(lambda: process.systemd)
    assert process.systemd == ["source a: broken; source b: starting"]
    assert process.heard("ready") == []
    process.missing = ()
    await until(lambda: process.heard("ready"))
    assert len(process.systemd) == 1
