"""Whatever a payload looks like: what is tagged does not leave, and nothing else breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.keys import Keyring
from stranglerfig.acl.masking.ledger import Ledger
from stranglerfig.acl.masking.policy import parse_policy
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.tests.acl.masking.conftest import VALUES

SECRET = "Zyx-Wvu-98"
"""Nothing else of a test holds it: where it is seen, it has leaked."""

NAMES = ("a", "b", "g.c", "g.d", "l[].e", "l[].f", "s[]", "t[]")
RING = Keyring([bytes(32)])


@st.composite
def contracts(draw):
    """A contract whose fields have tags that hide, and one free text."""
    tags = st.sampled_from(["pii.name", "pii.id", "secret", "unheard.of"])
    types = st.sampled_from(tuple(VALUES))
    fields = [
        Field(name=name, type=draw(types), tag=draw(tags), required=False)
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    ]
    return Contract("x@1 input", (*fields, Field(name="text", type="text", tag="pii.text")))


def anywhere(inner):
    """Values that hold the secret at some place, or are it."""
    return st.one_of(
        inner,
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["a", "c", "e", "x", SECRET]), inner, max_size=2),
    )


LEAF = st.just(SECRET) | st.just(f"say {SECRET}!") | st.none() | st.integers()
VALUE = st.recursive(LEAF, anywhere, max_leaves=6)
ACTIONS = st.sampled_from(["token", "redact", "pseudonym", "generalise"])
PLACES = st.sampled_from(["provider", "fixture", "log", "trace"])


@given(
    contracts(),
    st.dictionaries(st.sampled_from(["a", "b", "g", "l", "s", "t", "new", SECRET]), VALUE),
    ACTIONS,
    PLACES,
)
def test_what_is_tagged_does_not_leave_whatever_the_payload_is(contract, payload, action, place):
    table = {"pii": action, "pii.text": "keep", "secret": "redact"}
    mask = compile_mask(contract, parse_policy({place: table}, "masking"), place, RING)
    assert SECRET not in repr(mask.apply({**payload, "text": "nothing"}, Ledger()))


@given(
    st.sampled_from(["pii.name", "secret", "unheard.of"]),
    ACTIONS,
    PLACES,
    st.sampled_from(["{}", "I am {}.", "({})", "{}, {} and {}", "«{}»", "x {}\n{}", "{0}'s"]),
)
def test_what_a_field_holds_does_not_leave_in_the_text(tag, action, place, text):
    contract = Contract(
        "x@1 input",
        (
            Field(name="a", type="text", tag=tag),
            Field(name="l[].b", type="text", tag=tag, required=False),
            Field(name="text", type="text", tag="pii.text"),
            Field(name="json", type="json", tag="pii.text", required=False),
        ),
    )
    table = {"pii": action, "pii.text": "keep", "secret": "redact"}
    mask = compile_mask(contract, parse_policy({place: table}, "masking"), place, RING)
    said = text.format(SECRET, SECRET, SECRET)
    first = {"a": SECRET, "text": said, "json": {said: [said]}}
    listed = {"a": "else", "l": [{"b": SECRET}], "text": said, "json": said}
    for payload in (first, listed):
        assert SECRET not in repr(mask.apply(payload, Ledger()))
