"""What comes back, and what does not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.masking.ledger import Ledger, scope_key
from stranglerfig.acl.masking.memory import MemoryVault
from stranglerfig.acl.masking.unmask import tokens_in, unmask


def test_tokens_of_this_request_come_back_wherever_they_stand():
    ledger = Ledger()
    name, born = ledger.mint("name", "Anna"), ledger.mint("birth", dt.date(1984, 5, 1))
    amount = ledger.mint("amount", Decimal("12.50"))
    reply = {"whole": born, "in": f"{name}, {born}: {amount} EUR", name: [amount, {"x": name}]}
    assert unmask(reply, ledger) == {
        "whole": dt.date(1984, 5, 1),
        "in": "Anna, 1984-05-01: 12.50 EUR",
        "Anna": [Decimal("12.50"), {"x": "Anna"}],
    }
    assert ledger.strangers == 0


def test_tokens_of_another_request_stay_and_are_counted():
    ledger, other = Ledger(), Ledger()
    foreign = other.mint("name", "Bert")
    mine = ledger.mint("name", "Anna")
    assert unmask([f"{foreign} {mine}", foreign], ledger) == [f"{foreign} Anna", foreign]
    assert ledger.strangers == 2


@pytest.mark.parametrize("change", [str.upper, lambda t: t[1:-1], lambda t: t.replace(":", ": ")])
def test_a_token_that_was_changed_is_none(change):
    ledger = Ledger()
    token = change(ledger.mint("name", "Anna"))
    assert unmask(token, ledger) == token


def test_what_was_put_in_is_not_looked_at_again():
    ledger = Ledger()
    inner = ledger.mint("name", "Anna")
    outer = ledger.mint("text", inner)
    assert unmask(f"say {outer}", ledger) == f"say {inner}"


@given(st.text(alphabet="⟦⟧name:0123456789af~ ", max_size=60))
def test_whatever_comes_back_without_tokens_of_ours_stays_as_it_is(text):
    assert unmask({"a": text}, Ledger()) == {"a": text}


def test_a_reply_that_is_nested_too_deeply_is_refused():
    deep: object = "x"
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(ValueError, match="200 levels"):
        unmask(deep, Ledger())
    with pytest.raises(ValueError, match="200 levels"):
        tokens_in(deep)


def settled(vault, ledger, scope, value):
    ledger.mint_wide(scope, "name", value)
    ledger.settle(vault)
    return ledger.mint_wide(scope, "name", value)


def test_a_conversation_is_remembered_and_no_other_is():
    vault = MemoryVault()
    first = settled(vault, Ledger("t", "c1"), "conversation", "Anna")
    later = Ledger("t", "c1")
    later.recall(vault, {first})
    assert unmask(f"dear {first}", later) == "dear Anna"
    assert settled(vault, Ledger("t", "c1"), "conversation", "Anna") == first
    for tenant, conversation in (("t", "c2"), ("u", "c1"), ("t", "")):
        ledger = Ledger(tenant, conversation)
        ledger.recall(vault, {first})
        assert unmask(first, ledger) == first
        assert ledger.strangers == 1


def test_tokens_of_a_tenant_are_the_same_and_come_back_only_where_they_were_handed_out():
    vault = MemoryVault()
    first = settled(vault, Ledger("t", "c1"), "tenant", "Anna")
    handed = Ledger("t", "c2")
    assert settled(vault, handed, "tenant", "Anna") == first
    assert unmask(first, handed) == "Anna"
    other = Ledger("t", "c2")
    other.recall(vault, {first})
    assert unmask(first, other) == first


def test_without_a_conversation_its_tokens_are_the_requests():
    ledger = Ledger("t")
    token = ledger.mint_wide("conversation", "name", "Anna")
    assert not ledger.wanted
    assert unmask(token, ledger) == "Anna"


def test_scopes_have_names_of_their_own():
    names = {
        scope_key("tenant", "ab", "c"),
        scope_key("conversation", "ab", "c"),
        scope_key("conversation", "a", "bc"),
        scope_key("conversation", "abc", ""),
        scope_key("tenant", "abc"),
    }
    assert len(names) == 5
    assert scope_key("tenant", "t", "c1") == scope_key("tenant", "t", "c2")
