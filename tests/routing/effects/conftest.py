"""An effect of the example's endpoint: a refund that legacy is seen to post in a table."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.policy import load_policy
from stranglerfig.answer_settings import EffectRules
from stranglerfig.model import Delivery, Intent, Record, Reply, Request
from stranglerfig.routing.effects.kind import load_kinds

OPERATION = """
name = "refund.post"
version = 1
effect = "irreversible"
[input]
customer = { type = "text" }
amount = { type = "decimal", required = true }
note = { type = "text", tag = "pii.name", required = false }
"""
MAPPING = """
operation = "refund.post@1"
from = { kind = "row", columns = ["id", "who", "amount", "note", "state"] }
fields = [
  { src = "who", dst = "customer", as = "text" },
  { src = "amount", dst = "amount", as = "decimal(2)" },
  { src = "note", dst = "note", as = "text", null = [""] },
]
ignore = { id = "legacy's own number", state = "booked or not" }
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("operations", "acl"):
        (tmp_path / name).mkdir()
    (tmp_path / "operations" / "refund.post@1.toml").write_text(OPERATION)
    (tmp_path / "acl" / "refund_row.toml").write_text(MAPPING)
    return tmp_path


@pytest.fixture
def rules():
    return EffectRules(
        operation="refund.post@1",
        source="refunds",
        mapping="acl/refund_row.toml",
        key="customer",
        match="customer",
        when={"state": ("B",)},
        within=60.0,
    )


@pytest.fixture
def load(folder, endpoint):
    """Load the endpoint with kinds of effects."""

    def make(config=endpoint.config, **kinds):
        settings = msgspec.structs.replace(config, effects=kinds)
        policy = load_policy(folder)
        found = load_kinds(
            settings,
            endpoint.operation,
            folder,
            lambda one: compile_mask(one.input, policy, "log", None),
        )
        return dataclasses.replace(endpoint, config=settings, kinds=found)

    return make


@pytest.fixture
def ready(load, rules):
    return load(refund=rules)


@pytest.fixture
def kind(ready):
    return ready.kinds["refund"]


@pytest.fixture
def refund():
    """Make an intent of the kind."""

    def make(amount, customer="C-1", **fields):
        from decimal import Decimal

        payload = {"customer": customer, "amount": Decimal(amount), "note": None, **fields}
        return Intent(kind="refund", payload=payload)

    return make


@pytest.fixture
def asked(call):
    """Make a request to the endpoint, recorded at a time."""

    def make(endpoint, position="1", at=100.0, customer="C-1") -> Request:
        record = msgspec.structs.replace(
            call(customer=customer, position=position, text=f"text {position}"), captured_at=at
        )
        return endpoint.request(record)

    return make


@pytest.fixture
def replied(replacement):
    def make(request, *intents, status="ok"):
        return Reply(
            request_id=request.id,
            status=status,
            produced_by="test",
            payload=replacement.payload if status == "ok" else None,
            intents=tuple(intents),
        )

    return make


async def settle(settlement):
    raise AssertionError("the bridge settles, nobody else")


@pytest.fixture
def booked():
    """Make the delivery of a row in which legacy has posted a refund."""

    def make(amount, position="b1", at=101.0, who="C-1", state="B", op="insert", attempt=1):
        row = {"id": position, "who": who, "amount": amount, "note": "", "state": state}
        record = Record(
            source="refunds",
            position=position,
            kind="row",
            body=json.dumps(row).encode(),
            key=position,
            headers=(("op", op),),
            captured_at=at,
        )
        return Delivery(record=record, settle=settle, attempt=attempt)

    return make
