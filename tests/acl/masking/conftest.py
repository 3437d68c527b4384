"""Contracts and values for masking."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import strategies as st

from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field


def contract(*fields: tuple[str, str, str], required: bool = True) -> Contract:
    """Make a contract of (name, type, tag)."""
    made = (Field(name=n, type=t, tag=tag, required=required) for n, t, tag in fields)
    return Contract("claim.triage@1 input", tuple(made))


@pytest.fixture
def make():
    return contract


_TEXT = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [
            "⟦name:7f3a09c4⟧",
            "⟦iban:00000000ff⟧",
            "⟦name⟧",
            "⟦",
            "⟧",
            "DE89 3704 0044 0532 0130 00",
            "4111 1111 1111 1111",
            "anna@example.com",
            "+49 711 123456",
            "Anna Meyer",
            " ",
            "\x00i5",
            "078-05-1120",
            "12345678Z",
        ]
    ),
    max_size=6,
).map("".join)

VALUES = {
    "text": _TEXT,
    "integer": st.integers(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(timezones=st.just(dt.UTC) | st.none()),
    "duration": st.timedeltas(),
    "bytes": st.binary(max_size=20),
    "json": st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(Decimal("1.10")) | _TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=8,
    ),
}
"""Strategies for the values of each type of a field."""
