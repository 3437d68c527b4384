"""The door to an outside provider."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from decimal import Decimal

import pytest

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.keys import Keyring
from stranglerfig.acl.masking.memory import MemoryVault
from stranglerfig.acl.masking.policy import DEFAULT, parse_policy
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.errors import ReplacementError, ReplacementUnavailable, StoreUnavailable
from stranglerfig.model import Intent, Record, Reply, Request
from stranglerfig.routing.masked import masked

CONTRACT = Contract(
    "claim@1 input",
    (
        Field(name="name", type="text", tag="pii.name"),
        Field(name="born", type="date", tag="pii.birth", required=False),
        Field(name="sum", type="decimal", tag="pii.sum", required=False),
        Field(name="text", type="text", tag="pii.text", required=False),
        Field(name="note", type="text", tag="none", required=False),
    ),
)
MASK = compile_mask(CONTRACT, DEFAULT, "provider")
TABLE = {"pii": {"action": "token", "scope": "conversation"}, "pii.text": "keep"}
TALKING = compile_mask(
    CONTRACT, parse_policy({"provider": TABLE}, "masking"), "provider", Keyring([bytes(32)])
)
PAYLOAD = {
    "name": "Anna Meyer",
    "born": dt.date(1984, 5, 1),
    "sum": Decimal("12.50"),
    "text": "I am Anna Meyer, DE89370400440532013000",
    "note": "n",
}


def request(payload=PAYLOAD, **changed):
    return Request(
        id="r1", operation="claim", version=1, source="s", payload=payload, key="4711", **changed
    )


class Outside:
    """A provider that is outside: keeps what it was sent, answers what it is told."""

    def __init__(self, answer=lambda payload: payload):
        self.seen = []
        self._answer = answer

    async def __call__(self, request):
        self.seen.append(request)
        payload = self._answer(request.payload)
        return Reply(request_id=request.id, status="ok", produced_by="x", payload=payload)


async def test_nothing_that_names_somebody_leaves_and_all_of_it_comes_back():
    outside = Outside()
    reply = await masked(outside, MASK)(request())
    assert reply.payload == PAYLOAD
    assert reply.usage == {}
    sent = repr(outside.seen[0])
    assert all(one not in sent for one in ("Anna", "Meyer", "1984", "12.50", "DE89", "4711"))


async def test_only_what_a_provider_needs_of_a_request_leaves():
    given = request(
        context={"locale": "de", "actor": "bert", "conversation": "c9", "legacy_txn": "T1"},
        record=Record(source="s", position="p", kind="k", body=b"<Anna/>", key="4711"),
        provenance={"name": "CUST-NAME"},
        tags={"name": "pii.name"},
        idempotency_key="CLAIM-77",
        tenant="acme",
        deadline=5.0,
        trace="00-1",
    )
    outside = Outside()
    await masked(outside, MASK)(given)
    (sent,) = outside.seen
    assert sent.context == {"locale": "de"}
    assert (sent.record, sent.provenance, sent.tags) == (None, {}, {})
    assert (sent.key, sent.idempotency_key) == ("", "")
    assert (sent.id, sent.tenant, sent.deadline, sent.trace) == ("r1", "acme", 5.0, "00-1")


async def test_what_it_says_of_a_token_is_unmasked_and_what_it_makes_up_is_counted(caplog):
    def answer(payload):
        return {
            "a": f"Dear {payload['name']}",
            "b": "⟦name:ffffffff00⟧ ⟦id:0000⟧",
            "c": payload["sum"],
        }

    reply = await masked(Outside(answer), MASK)(request())
    assert reply.payload == {
        "a": "Dear Anna Meyer",
        "b": "⟦name:ffffffff00⟧ ⟦id:0000⟧",
        "c": Decimal("12.50"),
    }
    assert reply.usage == {"unknown_tokens": 2.0}


async def test_a_token_of_another_request_is_not_unmasked():
    """Neither by an answer that remembers it, nor by a text that quotes it."""
    door_to = Outside()
    door = masked(door_to, MASK)
    await door(request())
    stolen = door_to.seen[0].payload["name"]
    remembering = masked(Outside(lambda _: {"a": stolen}), MASK)
    assert (await remembering(request({"name": "Bert"}))).payload == {"a": stolen}
    quoting = request({"name": "Bert", "note": stolen, "text": f"say {stolen}"})
    reply = await door(quoting)
    assert reply.payload == {"name": "Bert", "note": stolen, "text": f"say {stolen}"}
    assert stolen not in repr(door_to.seen[-1].payload), "it is told apart from one of ours"


async def test_a_conversation_goes_on_with_its_tokens_and_no_other_one_reads_them():
    vault, outside = MemoryVault(), Outside()
    door = masked(outside, TALKING, vault)
    await door(request(context={"conversation": "c1"}))
    token = outside.seen[0].payload["name"]
    recalling = masked(Outside(lambda _: {"a": token}), TALKING, vault)
    same = request({"name": "Bert"}, context={"conversation": "c1"})
    assert (await recalling(same)).payload == {"a": "Anna Meyer"}
    for context in ({"conversation": "c2"}, {}):
        reply = await recalling(request({"name": "Bert"}, context=context))
        assert reply.payload == {"a": token}
        assert reply.usage == {"unknown_tokens": 1.0}
    await door(request(context={"conversation": "c1"}))
    assert outside.seen[1].payload == outside.seen[0].payload


async def test_a_vault_that_fails_lets_nothing_leave():
    class Gone:
        def tokens(self, *_):
            raise StoreUnavailable("the disk is full", place="sqlite:///x")

        values = tokens

    outside = Outside()
    with pytest.raises(ReplacementUnavailable, match="the disk is full"):
        await masked(outside, TALKING, Gone())(request(context={"conversation": "c"}))
    assert outside.seen == []


async def test_what_cannot_be_masked_does_not_leave_and_is_not_shown():
    class Odd:
        def __repr__(self):
            return "Anna"

    outside = Outside()
    with pytest.raises(ReplacementError, match="cannot be masked") as caught:
        await masked(outside, MASK)(request({"name": Odd()}))
    assert outside.seen == []
    assert "Anna" not in str(caught.value)


async def test_an_answer_that_is_nested_too_deeply_is_an_error():
    deep = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ReplacementError, match="cannot be unmasked"):
        await masked(Outside(lambda _: {"a": deep}), MASK)(request())


async def test_answers_without_a_payload_pass():
    async def abstains(request):
        return Reply(request_id=request.id, status="abstained", produced_by="x", reason="unsure")

    async def nonsense(request):
        return "no reply"

    assert (await masked(abstains, MASK)(request())).reason == "unsure"
    assert await masked(nonsense, MASK)(request()) == "no reply"
    strange = Outside(lambda _: "no payload")
    assert (await masked(strange, MASK)(request())).payload == "no payload"


def test_wide_tokens_without_a_vault_are_a_mistake_of_whoever_wires_it():
    with pytest.raises(ValueError, match="needs a vault"):
        masked(Outside(), TALKING)


async def test_a_slow_vault_does_not_hold_up_the_loop():
    asked, go_on = threading.Event(), threading.Event()

    class Slow(MemoryVault):
        def tokens(self, scope, entries):
            asked.set()
            assert go_on.wait(20), "the loop stood still"
            return super().tokens(scope, entries)

    async def meanwhile():
        while not asked.is_set():
            await asyncio.sleep(0.001)
        go_on.set()

    given = request(context={"conversation": "c"})
    reply, _ = await asyncio.gather(masked(Outside(), TALKING, Slow())(given), meanwhile())
    assert reply.payload == PAYLOAD


async def test_in_shadow_it_is_told_so_and_its_intents_are_unmasked():
    seen = []

    async def outside(request):
        seen.append(request)
        told = (Intent(kind="mail", payload={"to": request.payload["name"]}),)
        return Reply(
            request_id=request.id,
            status="ok",
            produced_by="x",
            payload=request.payload,
            intents=told,
        )

    reply = await masked(outside, MASK)(request(shadow=True))
    assert seen[0].shadow, "else it would do it"
    assert "Anna" not in repr(seen[0])
    assert reply.intents == (Intent(kind="mail", payload={"to": "Anna Meyer"}),)
