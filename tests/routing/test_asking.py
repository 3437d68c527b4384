"""A replacement that knows a later version than the mapping: inputs go up, replies come down."""

from __future__ import annotations

import dataclasses
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

import stranglerfig
from stranglerfig.acl.versions.versions import load_versions
from stranglerfig.errors import ContractError
from stranglerfig.routing.asking import ask_replacement

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
STEP = """
operation = "ticket.triage"
same = true
fields = [
  { src = "text", dst = "message" },
  { dst = "language", value = "en" },
]
reply = [{ src = "urgency", dst = "priority" }]
"""


@pytest.fixture
def newer(tmp_path, endpoint):
    """The endpoint, its operation with a second version that says some things otherwise."""
    shutil.copytree(EXAMPLE / "operations", tmp_path / "operations")
    first = (EXAMPLE / "operations/ticket.triage@1.toml").read_text("utf-8")
    second = (
        first.replace("version     = 1", "version = 2")
        .replace("[input.text]", "[input.message]")
        .replace("[output.priority]", "[output.urgency]")
    )
    second += '\n[input.language]\ntype = "text"\ntag = "none"\n'
    (tmp_path / "operations/ticket.triage@2.toml").write_text(second)
    (tmp_path / "operations/ticket.triage@1-2.toml").write_text(STEP)
    versions = load_versions(tmp_path, "ticket.triage@1")
    assert versions.latest.id == "ticket.triage@2"
    return dataclasses.replace(endpoint, versions=versions)


async def test_the_replacement_gets_the_latest_and_answers_the_spoken(newer, replacement, call):
    replacement.payload = {"category": "quote", "urgency": "low", "score": Decimal("0.9")}
    request = newer.request(call(text="how much is it"))
    reply = await ask_replacement(newer, request, "r1")
    assert reply.payload == {"category": "quote", "priority": "low", "score": Decimal("0.9")}
    ((asked, _),) = replacement.asked
    assert asked.version == 2
    assert asked.payload["message"] == "how much is it"
    assert asked.payload["language"] == "en"
    assert request.payload["text"] == "how much is it"


async def test_an_answer_that_is_none_of_the_latest_is_refused(newer, replacement, call):
    request = newer.request(call())
    with pytest.raises(ContractError, match="urgency|is missing|contract"):
        await ask_replacement(newer, request, "r1")
