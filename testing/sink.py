"""The laws of a ``Sink``. Subclass ``SinkContract``, give one fixture, and run it with pytest.

::

    class TestMyQueue(SinkContract):
        @pytest.fixture
        async def drain(self) -> AsyncIterator[Drain]:
            ...
            yield MyDrain(sink=MyQueue(...))
            ...

A sink whose system tells messages that it has had already says ``once = True``: what is in doubt is
sent to it again. To any other one message is sent at a time, and what is in doubt waits for a
person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest

from ..errors import FigError, LegacyUnavailable
from ..model import Outgoing
from ..ports import Sink

__all__ = ["Drain", "SinkContract", "outgoing"]


class Drain(Protocol):
    """A sink that is not open yet, and the system behind it.

    ``secrets`` are texts (passwords of its options) that must never show.
    """

    sink: Sink
    secrets: Sequence[str]

    async def came(self) -> Sequence[tuple[str, bytes]]:
        """Give the ids and bodies that the system holds, in the order in which they came."""

    async def go_down(self) -> None:
        """Make the system unreachable; what it holds stays."""

    async def come_back(self) -> None:
        """Make it reachable again."""

    def refused(self) -> Outgoing | None:
        """Give a message that the system refuses whenever it comes; None where it takes all."""


class SinkContract:
    """What every sink promises the outbox. Each test takes the ``drain`` fixture of its class."""

    async def test_what_is_sent_is_there_when_send_returns(self, drain: Drain) -> None:
        """Durable on return: another connection sees it, in order, byte by byte."""
        await drain.sink.open()
        sent = [outgoing(drain, at, key="ab"[at % 2]) for at in range(7)]
        await drain.sink.send(sent[:1])
        assert await drain.came() == _pairs(sent[:1])
        await drain.sink.send(sent[1:])
        assert await drain.came() == _pairs(sent)
        await drain.sink.close()
        assert await drain.came() == _pairs(sent)

    async def test_bodies_are_unaltered(self, drain: Drain) -> None:
        """Whatever text is in them."""
        await drain.sink.open()
        texts = ["", "ü €𝄞", "'; drop table x; --", "a\nb\tc\\d%s%(x)s:y", '{"a": null}']
        sent = [outgoing(drain, at, text=text) for at, text in enumerate(texts)]
        await drain.sink.send(sent)
        assert await drain.came() == _pairs(sent)
        await drain.sink.close()

    async def test_sending_nothing_is_harmless(self, drain: Drain) -> None:
        """An empty batch does nothing."""
        await drain.sink.open()
        await drain.sink.send([])
        assert list(await drain.came()) == []
        await drain.sink.close()

    async def test_once_by_id_where_it_says_so(self, drain: Drain) -> None:
        """A repeat is no error, and does nothing; also beside new ones and in another body."""
        if not getattr(drain.sink, "once", False):
            pytest.skip("its system cannot tell repeats")
        await drain.sink.open()
        sent = [outgoing(drain, at) for at in range(3)]
        await drain.sink.send(sent[:2])
        await drain.sink.send(sent)
        await drain.sink.send([sent[2], sent[2]])
        await drain.sink.close()
        await drain.sink.open()
        await drain.sink.send(sent)
        assert await drain.came() == _pairs(sent)
        await drain.sink.close()

    async def test_a_refused_message_is_told_and_the_others_can_go(self, drain: Drain) -> None:
        """An error of ours that is neither 'unavailable' nor taken for success."""
        poison = drain.refused()
        if poison is None:
            pytest.skip("its system takes everything")
        await drain.sink.open()
        good = [outgoing(drain, at) for at in range(2)]
        with pytest.raises(FigError) as told:
            await drain.sink.send([good[0], poison, good[1]])
        assert not isinstance(told.value, LegacyUnavailable)
        assert poison.message_id not in [ident for ident, _ in await drain.came()]
        there = [ident for ident, _ in await drain.came()]
        for one in good:
            if one.message_id not in there or getattr(drain.sink, "once", False):
                await drain.sink.send([one])
        assert sorted(await drain.came()) == sorted(_pairs(good))
        await drain.sink.close()

    async def test_a_system_that_is_down_says_so_and_is_reached_again(self, drain: Drain) -> None:
        """``send`` fails in our words; after ``open`` it goes on, and nothing is lost or twice."""
        await drain.sink.open()
        first, second = outgoing(drain, 1), outgoing(drain, 2)
        await drain.sink.send([first])
        await drain.go_down()
        with pytest.raises(FigError):
            await drain.sink.send([second])
        with pytest.raises(LegacyUnavailable):
            await drain.sink.open()
        await drain.come_back()
        await drain.sink.open()
        await drain.sink.send([second])
        assert await drain.came() == _pairs([first, second])
        await drain.sink.close()

    async def test_open_twice_is_a_reopen(self, drain: Drain) -> None:
        """With no ``close`` between."""
        await drain.sink.open()
        await drain.sink.open()
        await drain.sink.send([outgoing(drain, 1)])
        await drain.sink.close()
        await drain.sink.close()
        assert await drain.came() == _pairs([outgoing(drain, 1)])

    async def test_a_sink_that_is_not_open_says_so(self, drain: Drain) -> None:
        """In our own words: nothing was sent."""
        with pytest.raises(LegacyUnavailable):
            await drain.sink.send([outgoing(drain, 1)])
        await drain.sink.open()
        await drain.sink.close()
        with pytest.raises(LegacyUnavailable):
            await drain.sink.send([outgoing(drain, 1)])
        assert list(await drain.came()) == []

    async def test_a_cancelled_send_leaves_the_sink_usable(self, drain: Drain) -> None:
        """What was sent then is in doubt, and no more than in doubt."""
        await drain.sink.open()
        sending = asyncio.create_task(_send(drain.sink, [outgoing(drain, 1)]))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await drain.sink.close()
        await drain.sink.open()
        await drain.sink.send([outgoing(drain, 2)])
        came = [one for one in await drain.came() if one in _pairs([outgoing(drain, 2)])]
        assert came == _pairs([outgoing(drain, 2)])
        await drain.sink.close()

    async def test_repr_hides_secrets(self, drain: Drain) -> None:
        """Neither ``repr`` nor ``str`` shows a password."""
        shown = f"{drain.sink!r} {drain.sink}"
        assert all(secret not in shown for secret in drain.secrets)
        assert drain.sink.name in shown


def outgoing(drain: Drain, at: int, *, key: str = "k", text: str = "") -> Outgoing:
    """Make a message; the same number is the same message."""
    body = text.encode() or b'{"number": %d}' % at
    return Outgoing(destination=drain.sink.name, message_id=f"m{at}", key=key, body=body)


def _pairs(messages: Sequence[Outgoing]) -> list[tuple[str, bytes]]:
    return [(one.message_id, one.body) for one in messages]


async def _send(sink: Sink, messages: Sequence[Outgoing]) -> None:
    await sink.send(messages)
