"""Faults that we answer with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.envelope import read
from stranglerfig.acl.fault import NAMESPACE, for_error, render
from stranglerfig.errors import FigError, LegacyUnavailable, MappingError


@given(st.text(), st.dictionaries(st.sampled_from(["code", "place", "b d", ""]), st.text()))
def test_a_fault_always_goes_out(string: str, detail: dict[str, str]):
    envelope = read(render("Server", string, detail))
    assert envelope.is_fault
    assert envelope.fault_code == "soap:Server"


def test_the_detail_carries_the_parts():
    envelope = read(render("Client", "a < b", {"place": "x & y", "value": ""}))
    assert envelope.fault_string == "a < b"
    assert envelope.body_child is not None
    found = envelope.body_child.find(f"detail/{{{NAMESPACE}}}error")
    assert found is not None
    assert [(part.tag, part.text) for part in found] == [(f"{{{NAMESPACE}}}place", "x & y")]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MappingError("no", place="p"), "soap:Client"),
        (LegacyUnavailable("gone"), "soap:Server"),
        (FigError(""), "soap:Server"),
    ],
)
def test_who_is_to_blame(error: FigError, code: str):
    envelope = read(for_error(error))
    assert envelope.fault_code == code
    assert envelope.fault_string == (error.message or "FigError")
    assert envelope.body_child is not None
    assert envelope.body_child.findtext(f".//{{{NAMESPACE}}}class") == type(error).__name__
