"""Requests and replies arrive as what they were."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.ai.wire import (
    Answer,
    Ask,
    Start,
    decode_from_worker,
    decode_to_worker,
    encode,
    error_of,
    fault_of,
)
from stranglerfig.errors import (
    ConfigError,
    DeadlineExceeded,
    ReplacementError,
    ReplacementUnavailable,
)
from stranglerfig.model import Intent, Record, Reply, Request

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.times(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(st.text(), VALUES, max_size=5)


def kinds(value: object) -> object:
    """Spell out a value with its types, as 1 == 1.0 == Decimal(1) == True."""
    if isinstance(value, dict):
        return {key: kinds(one) for key, one in value.items()}
    if isinstance(value, list):
        return [kinds(one) for one in value]
    return type(value), str(value)


@given(PAYLOADS)
def test_a_request_survives(payload):
    record = Record(source="s", position="p", kind="row", body=b"\x00\xff", headers=(("a", "b"),))
    request = Request(
        id="r", operation="o", version=2, source="s", payload=payload, record=record, deadline=1.5
    )
    back = decode_to_worker(encode(Ask(7, request))[4:])
    assert back == Ask(7, request)
    assert kinds(back.request.payload) == kinds(payload)


@given(PAYLOADS)
def test_a_reply_survives(payload):
    reply = Reply(request_id="r", status="ok", produced_by="x@1", payload=payload, confidence=0.25)
    back = decode_from_worker(encode(Answer(1, reply))[4:])
    assert back == Answer(1, reply)
    assert kinds(back.reply.payload) == kinds(payload)


def test_options_survive_and_do_not_show():
    options = {"since": dt.date(2026, 1, 2), "key": "s3cret", "n": [1, 2.5]}
    start = Start(provider="p", name="n", options=options, place="", root=".", revision="")
    assert decode_to_worker(encode(start)[4:]).options == options
    assert "s3cret" not in repr(start)


@pytest.mark.parametrize("value", [{1}, object(), 1j, b"x".__iter__()])
def test_what_cannot_travel_is_refused_by_kind(value):
    request = Request(id="r", operation="o", version=1, source="s", payload={"a": [value]})
    with pytest.raises(ReplacementError, match=type(value).__name__):
        encode(Ask(1, request))


@pytest.mark.parametrize("kind", [ReplacementError, ReplacementUnavailable, DeadlineExceeded])
def test_errors_keep_their_kind_and_parts(kind):
    error = kind("m", place="p", value="v", expected="e", remedy="r")
    back = error_of(fault_of(error))
    assert type(back) is kind
    assert str(back) == str(error)


def test_other_errors_become_plain_ones():
    assert type(error_of(fault_of(ConfigError("m", place="p")))) is ReplacementError
    assert "KeyError: 'x'" in str(error_of(fault_of(KeyError("x"))))


def test_a_shadow_and_its_intents_survive():
    request = Request(id="r", operation="o", version=1, source="s", payload={}, shadow=True)
    assert decode_to_worker(encode(Ask(1, request))[4:]).request.shadow
    told = (Intent(kind="refund", payload={"amount": Decimal("1.50")}),)
    reply = Reply(request_id="r", status="abstained", produced_by="x", intents=told)
    assert decode_from_worker(encode(Answer(1, reply))[4:]).reply.intents == told
