"""The laws of a ``Caller``. Subclass ``CallerContract``, give one fixture, and run it with pytest.

::

    class TestMyCaller(CallerContract):
        @pytest.fixture
        async def line(self) -> AsyncIterator[Line]:
            ...
            yield MyLine(caller=MyCaller(...))
            ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import pytest

from ..errors import InDoubt, LegacyUnavailable
from ..model import Record
from ..ports import Caller

__all__ = ["CallerContract", "Line"]

PATIENCE = 10.0
"""Seconds after which something that must come counts as not coming."""


class Line(Protocol):
    """A caller that is not open yet, and the legacy system at the other end.

    ``secrets`` are texts (passwords in options or records) that must never show. Until it is told
    otherwise the system answers each call with that call's own body.
    """

    caller: Caller
    secrets: Sequence[str]

    def record(self, text: str) -> Record:
        """Make a call's record whose body holds that text."""

    def received(self) -> Sequence[bytes]:
        """Give the bodies that came to the system, in order."""

    def fault(self) -> bytes:
        """Make the system answer with a fault from now on; give that answer's exact body."""

    def fall_silent(self) -> None:
        """Make the system take calls from now on, and answer none."""

    async def go_down(self) -> None:
        """Make the system unreachable."""


def _soon(seconds: float = PATIENCE) -> float:
    return time.time() + seconds


class CallerContract:
    """What every caller promises the legacy handler. Each test takes the ``line`` fixture."""

    async def test_bodies_are_unaltered(self, line: Line) -> None:
        """What is sent arrives, and what is answered comes back, byte by byte."""
        await line.caller.open()
        for text in ("plain", "Grüße, 東京 🎫", "  blanks\r\n\tand\x0b\x00 controls  ", ""):
            record = line.record(text)
            answer = await line.caller.call(record, _soon())
            assert line.received()[-1] == record.body
            assert answer.body == record.body
        await line.caller.close()

    async def test_an_answer_belongs_to_its_call(self, line: Line) -> None:
        """Calls at the same time do not get each other's answers, and keep their own names."""
        await line.caller.open()
        records = [line.record(f"call {number}") for number in range(50)]
        answers = await asyncio.gather(*(line.caller.call(r, _soon()) for r in records))
        for record, answer in zip(records, answers, strict=True):
            assert answer.body == record.body
            assert (answer.source, answer.kind) == (record.source, record.kind)
            assert (answer.position, answer.key) == (record.position, record.key)
        assert sorted(line.received()) == sorted(record.body for record in records)
        await line.caller.close()

    async def test_faults_are_answers(self, line: Line) -> None:
        """A fault comes back as a record, untouched, and not as an error."""
        await line.caller.open()
        body = line.fault()
        assert (await line.caller.call(line.record("x"), _soon())).body == body
        await line.caller.close()

    async def test_unreachable_is_unavailable(self, line: Line) -> None:
        """Where nothing can be sent the error says so: trying again is safe."""
        await line.go_down()
        await line.caller.open()
        with pytest.raises(LegacyUnavailable):
            await line.caller.call(line.record("x"), _soon())
        assert not line.received()
        await line.caller.close()

    async def test_a_passed_deadline_sends_nothing(self, line: Line) -> None:
        """A call that comes too late is not made."""
        await line.caller.open()
        with pytest.raises(LegacyUnavailable):
            await line.caller.call(line.record("x"), _soon(-1))
        assert not line.received()
        await line.caller.close()

    async def test_no_answer_is_in_doubt_at_the_deadline(self, line: Line) -> None:
        """What was sent and not answered is in doubt, in time, and was sent once."""
        await line.caller.open()
        line.fall_silent()
        begun = time.monotonic()
        with pytest.raises(InDoubt):
            await line.caller.call(line.record("x"), _soon(0.3))
        assert time.monotonic() - begun < PATIENCE / 2
        assert len(line.received()) == 1
        await line.caller.close()

    async def test_a_cancelled_call_leaves_the_caller_usable(self, line: Line) -> None:
        """Whoever gives up a call takes nothing from the next one."""
        await line.caller.open()
        for number in range(3):
            task = asyncio.create_task(line.caller.call(line.record(f"{number}"), _soon()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        record = line.record("after")
        assert (await line.caller.call(record, _soon())).body == record.body
        await line.caller.close()

    async def test_close_may_be_called_twice(self, line: Line) -> None:
        """Also before ``open``, and after calls."""
        await line.caller.close()

    async def test_secrets_do_not_show(self, line: Line) -> None:
        """Neither in the caller's repr nor in what it raises."""
        await line.caller.open()
        await line.go_down()
        with pytest.raises(LegacyUnavailable) as caught:
            await line.caller.call(line.record("x"), _soon())
        await line.caller.close()
        await line.caller.close()
        shown = f"{line.caller!r} {line.caller} {caught.value} {caught.value.as_dict()}"
        assert line.secrets
        for secret in line.secrets:
            assert secret not in shown
