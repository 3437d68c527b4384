"""What was masked comes back: ``unmask(mask(x)) == x``."""

from __future__ import annotations

import copy
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.keys import Keyring
from stranglerfig.acl.masking.ledger import Ledger
from stranglerfig.acl.masking.memory import MemoryVault
from stranglerfig.acl.masking.pack import pack, unpack
from stranglerfig.acl.masking.policy import DEFAULT, parse_policy
from stranglerfig.acl.masking.unmask import unmask
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.tests.acl.masking.conftest import VALUES

TAGS = ("none", "pii.name", "pii.id", "pii.text", "pii.iban")
TYPES = tuple(VALUES)


@st.composite
def contracts(draw):
    """A contract of a few fields, at the top, in a group and in lists, and a payload of it."""
    fields, payload = [], {}
    for number in range(draw(st.integers(1, 6))):
        kind, tag = draw(st.sampled_from(TYPES)), draw(st.sampled_from(TAGS))
        value = VALUES[kind]
        where = draw(st.sampled_from(["", "group.", "lines[].", "[]"]))
        name = f"f{number}"
        if where == "[]":
            fields.append(Field(name=f"{name}[]", type=kind, tag=tag, required=False))
            payload[name] = draw(st.none() | st.lists(value, max_size=3))
            continue
        fields.append(Field(name=f"{where}{name}", type=kind, tag=tag, required=False))
        if where == "":
            payload[name] = draw(st.none() | value)
        elif where == "group.":
            payload.setdefault("group", {})[name] = draw(st.none() | value)
        else:
            for entry in payload.setdefault("lines", [{}, {}]):
                entry[name] = draw(st.none() | value)
    return Contract("x@1 input", tuple(fields)), payload


def same(one, other):
    """Say whether two payloads are equal, types and digits included."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Decimal):
        return isinstance(other, Decimal) and str(one) == str(other)
    return type(one) is type(other) and one == other


@given(contracts())
def test_what_leaves_for_a_provider_comes_back(given):
    contract, payload = given
    before = copy.deepcopy(payload)
    ledger = Ledger()
    masked = compile_mask(contract, DEFAULT, "provider").apply(payload, ledger)
    assert same(unmask(masked, ledger), payload)
    assert same(payload, before), "the payload itself is not touched"
    assert ledger.strangers == 0


WIDE = parse_policy(
    {
        "provider": {
            "pii": {"action": "token", "scope": "tenant"},
            "pii.name": {"action": "token", "scope": "conversation"},
            "pii.text": "keep",
        }
    },
    "masking",
)


@given(contracts())
def test_what_a_vault_gave_tokens_for_comes_back(given):
    contract, payload = given
    vault, ring = MemoryVault(), Keyring([bytes(32)])
    mask = compile_mask(contract, WIDE, "provider", ring)
    ledger = Ledger("t", "c")
    masked = mask.apply(payload, ledger)
    if ledger.wanted:
        ledger.settle(vault)
        masked = mask.apply(payload, ledger)
    assert not ledger.wanted
    assert same(unmask(masked, ledger), payload)


@given(contracts())
def test_masking_again_with_the_same_ledger_gives_the_same(given):
    contract, payload = given
    mask, ledger = compile_mask(contract, DEFAULT, "provider"), Ledger()
    assert mask.apply(payload, ledger) == mask.apply(payload, ledger)


@given(st.one_of(*VALUES.values()) | st.floats(allow_nan=False) | st.characters(categories=["Cs"]))
def test_a_packed_value_is_the_value(value):
    packed = pack(value)
    assert same(unpack(packed), value)
    assert packed == pack(unpack(packed))


@given(st.one_of(*VALUES.values()), st.one_of(*VALUES.values()))
def test_different_values_are_packed_differently(one, other):
    if pack(one) == pack(other):
        assert one == other
