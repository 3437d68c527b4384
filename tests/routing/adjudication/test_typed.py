"""What the journal gave back has its types again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.routing.adjudication.judge import judging_operation
from stranglerfig.routing.adjudication.typed import typed

OPERATION = parse_operation(
    {
        "name": "claim.price",
        "version": 1,
        "effect": "read",
        "input": {"text": {"type": "text", "tag": "pii.text"}},
        "output": {
            "amount": {"type": "decimal"},
            "due": {"type": "date", "tag": "pii.birth"},
            "at": {"type": "timestamp"},
            "kind": {"type": "text", "enum": ["x"], "tag": "none"},
            "lines[]": {"type": "group", "price": {"type": "decimal"}, "n": {"type": "integer"}},
            "tags[]": {"type": "text", "tag": "none"},
        },
    },
    "claim.price@1.toml",
)


def test_what_was_written_as_json_is_read_as_it_was():
    answer = {
        "amount": Decimal("1.50"),
        "due": dt.date(2026, 1, 2),
        "at": dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC),
        "kind": "x",
        "lines": [{"price": Decimal("0.1"), "n": 7}],
        "tags": ["a", "b"],
    }
    told = {"request": {"text": "hello"}, "a": answer, "b": {**answer, "amount": 2}}
    judged = judging_operation(OPERATION)
    back = msgspec.json.decode(msgspec.json.encode(told))
    assert typed(back, judged.input) == told
    judged.check_input(typed(back, judged.input))


def test_what_a_mask_left_is_absent_or_a_text():
    judged = judging_operation(OPERATION)
    back = {"request": None, "a": {"due": "⟦birth⟧", "kind": "⟦kind⟧", "amount": None}, "b": {}}
    assert typed(back, judged.input) == {"a": {"due": None, "kind": "⟦kind⟧"}, "b": {}}
    judged.check_input(typed(back, judged.input))
