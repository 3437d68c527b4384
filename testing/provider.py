"""The laws of a ``Provider``. Subclass ``ProviderContract``, give one fixture, run it with pytest.

::

    class TestMyModel(ProviderContract):
        @pytest.fixture
        def kit(self, tmp_path: Path) -> Kit:
            return MyKit(tmp_path)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from ..errors import FigError, ReplacementError
from ..model import Payload, Reply, Request
from ..ports import Provider

__all__ = ["Kit", "ProviderContract"]


class Kit(Protocol):
    """Makes providers of one kind, and knows how they answer.

    ``sure`` are payloads that it answers, at least two with different answers; ``unsure`` is one
    that it abstains from; ``unfit`` is one that it cannot read. ``secrets`` are texts of its
    options that must never show.
    """

    sure: Sequence[Payload]
    unsure: Payload
    unfit: Payload
    secrets: Sequence[str]

    def build(self, revision: str = "") -> Provider:
        """Give a new provider, not open yet."""

    def change(self) -> None:
        """Change what decides answers: another model, rule or option."""

    def take_away(self) -> None:
        """Take away what it cannot do without, so that ``open`` must fail."""


class ProviderContract:
    """What every provider promises the router. Each test takes the ``kit`` of its class."""

    async def test_it_answers(self, kit: Kit) -> None:
        """What it is sure of has a payload, a confidence in 0..1 and says who made it."""
        async with opened(kit.build()) as provider:
            replies = [await provider.answer(request(payload)) for payload in kit.sure]
        for reply in replies:
            assert reply.status == "ok", reply
            assert reply.payload
            assert reply.produced_by
            assert reply.confidence is None or 0 <= reply.confidence <= 1
        assert len({str(reply.payload) for reply in replies}) > 1

    async def test_the_same_request_has_the_same_answer(self, kit: Kit) -> None:
        """Asked again, also after a reopen, alone or among others: equal in every part."""
        payloads = [*kit.sure, kit.unsure]
        async with opened(kit.build()) as provider:
            alone = [await provider.answer(request(payload)) for payload in payloads]
            many = await asyncio.gather(
                *(provider.answer(request(payload)) for payload in payloads * 4)
            )
        async with opened(kit.build()) as provider:
            later = [await provider.answer(request(payload)) for payload in payloads]
        assert alone * 4 == many
        assert alone == later

    async def test_it_abstains_where_it_is_not_sure(self, kit: Kit) -> None:
        """It then gives no payload, and says how sure it was, and why it abstained."""
        async with opened(kit.build()) as provider:
            reply = await provider.answer(request(kit.unsure))
        assert reply.status == "abstained"
        assert reply.payload is None
        assert reply.confidence is not None
        assert reply.reason

    async def test_concurrent_answers_keep_their_ids(self, kit: Kit) -> None:
        """Each reply carries the id of its request, and is the one to its payload."""
        async with opened(kit.build()) as provider:
            alone = {
                str(payload): (await provider.answer(request(payload))).payload
                for payload in kit.sure
            }
            asked = [request(kit.sure[at % len(kit.sure)], f"r{at}") for at in range(60)]
            replies: list[Reply] = await asyncio.gather(*map(provider.answer, asked))
        for one, reply in zip(asked, replies, strict=True):
            assert reply.request_id == one.id
            assert reply.payload == alone[str(one.payload)]

    async def test_its_revision_is_stable(self, kit: Kit) -> None:
        """It is the same before and after a reopen, and can be asked for."""
        async with opened(kit.build()) as provider:
            revision = provider.revision
            assert revision
            await provider.answer(request(kit.sure[0]))
            assert provider.revision == revision
        async with opened(kit.build()) as provider:
            assert provider.revision == revision
        async with opened(kit.build(revision)) as provider:
            assert provider.revision == revision

    async def test_a_change_is_another_revision(self, kit: Kit) -> None:
        """Whatever decides answers is part of it, and it never holds a dot, which routes use."""
        async with opened(kit.build()) as provider:
            before = provider.revision
        kit.change()
        async with opened(kit.build()) as provider:
            assert provider.revision != before
            assert "." not in before + provider.revision

    async def test_only_errors_of_ours_escape(self, kit: Kit) -> None:
        """What it cannot read raises ``ReplacementError``, and the next answer is as ever."""
        async with opened(kit.build()) as provider:
            with pytest.raises(ReplacementError) as caught:
                await provider.answer(request(kit.unfit))
            assert_hidden(kit, str(caught.value))
            assert (await provider.answer(request(kit.sure[0]))).status == "ok"

    async def test_what_it_needs_is_missing(self, kit: Kit) -> None:
        """``open`` says so with an error that names a place; ``close`` is fine after it."""
        kit.take_away()
        provider = kit.build()
        with pytest.raises(FigError) as caught:
            await provider.open()
        assert caught.value.place
        await provider.close()

    async def test_close_twice(self, kit: Kit) -> None:
        """A second ``close`` and one before ``open`` do nothing; closed, it answers nothing."""
        never = kit.build()
        await never.close()
        provider = kit.build()
        await provider.open()
        await provider.close()
        await provider.close()
        with pytest.raises(ReplacementError):
            await provider.answer(request(kit.sure[0]))

    async def test_secrets_do_not_show(self, kit: Kit) -> None:
        """Neither open nor closed."""
        provider = kit.build()
        assert_hidden(kit, repr(provider), str(provider))
        async with opened(provider):
            assert_hidden(kit, repr(provider), str(provider))


def request(payload: Mapping[str, object], number: str = "r") -> Request:
    """Give a request to a provider."""
    return Request(id=number, operation="contract", version=1, source="contract", payload=payload)


@asynccontextmanager
async def opened(provider: Provider) -> AsyncIterator[Provider]:
    """Open a provider and close it whatever happens."""
    try:
        await provider.open()
        yield provider
    finally:
        await provider.close()


def assert_hidden(kit: Kit, *texts: str) -> None:
    """Fail where a secret shows."""
    for secret in kit.secrets:
        assert not any(secret in text for text in texts)
