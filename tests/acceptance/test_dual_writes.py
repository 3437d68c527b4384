"""Data that moves, on real processes: written on both sides, copied, killed, settled, and back."""

from __future__ import annotations

import sys

import pytest

NAME = "submit-ticket"
OPERATION = """
name = "ticket.submit"
version = 1
effect = "compensable"
[input]
customer = { type = "text", max_length = 64, tag = "none" }
channel = { type = "text", enum = ["phone", "mail", "web", "app"], tag = "none" }
text = { type = "text", max_length = 20000, tag = "none" }
[output]
number = { type = "integer", tag = "none" }
category = { type = "text", max_length = 40, tag = "none" }
priority = { type = "text", max_length = 40, tag = "none" }
"""
MAPPING = """
operation = "ticket.submit@1"
from = { kind = "soap", schema = "legacy/helpdesk.wsdl", element = \
"{urn:example:helpdesk}SubmitTicket", answer = "{urn:example:helpdesk}SubmitTicketResponse" }
fields = [
  { src = "customer", dst = "customer", as = "text" },
  { src = "channel", dst = "channel", as = "code(channel)" },
  { src = "text", dst = "text", as = "text" },
]
reply = [
  { src = "number", dst = "ticketId", as = "integer" },
  { src = "category", dst = "category", as = "code(category)" },
  { src = "priority", dst = "priority", as = "code(priority)" },
]
"""
ENDPOINT = """
[replacement.shelf]
provider = "py:stranglerfig.tests.acceptance.shelf:Shelf"
process = "shared"
deadline = 30

[endpoint.submit-ticket]
operation = "ticket.submit@1"
listen = { facade = "soap", system = "helpdesk", operation = "SubmitTicket" }
mapping = "acl/submit_ticket.toml"
legacy = "helpdesk"
replacement = "shelf"
key = "customer"
compare = ["category"]
guardrail = { stay = false }
data = "moves"
dual = { key = "header.x-idempotency-key", first = 0.1, longest = 0.5, turn = 0.3 }
"""


@pytest.fixture
def moving(desk):
    """The help desk's tickets are opened on both sides, legacy first."""
    (desk.root / "operations" / "ticket.submit@1.toml").write_text(OPERATION, "utf-8")
    codes = (desk.root / "acl" / "triage_ticket.toml").read_text("utf-8")
    codes = codes[codes.index("[codes]") :]
    (desk.root / "acl" / "submit_ticket.toml").write_text(MAPPING + codes, "utf-8")
    file = desk.root / "fig.toml"
    file.write_text(file.read_text("utf-8") + ENDPOINT, "utf-8")
    desk.behave("answer")
    desk.route("data", NAME, "legacy")
    desk.route("data", NAME, "legacy-first")
    desk.at("shadow", NAME)
    return desk


def legacy(desk):
    return [tuple(row) for row in desk.sql("SELECT customer, text FROM tickets ORDER BY id")]


def shelf(desk):
    file = desk.root / "shelf"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [tuple(line.split(" ", 1)) for line in lines]


def lag(desk):
    return desk.reader.dual_work.lag(NAME)


def test_a_ticket_is_opened_on_both_sides_and_what_was_missed_is_copied(moving, wait):
    facade = moving.start("serve").facade
    first = facade.submit("one", "C-1", x_idempotency_key="k1")
    assert (first.status, b"ticketId>1<" in first.body) == (200, True)
    wait(lambda: shelf(moving) == [("C-1", "one")], "the replacement has it")
    again = facade.submit("one", "C-1", x_idempotency_key="k1")
    assert again.body == first.body
    moving.behave("away")
    assert facade.submit("two", "C-1").status == 200
    assert facade.submit("three", "C-1").status == 200
    wait(lambda: lag(moving).to_replacement == 2, "both wait to be copied")
    moving.behave("answer")
    wait(lambda: lag(moving).to_replacement == 0, "both are copied")
    assert legacy(moving) == shelf(moving) == [("C-1", "one"), ("C-1", "two"), ("C-1", "three")]
    assert moving.broken() == []


def test_killed_between_the_two_it_waits_for_a_person_and_nothing_overtakes_it(moving, wait):
    process = moving.start("serve")
    moving.behave("hang")
    assert process.facade.submit("one", "C-1").status == 200
    wait(lambda: shelf(moving), "the second side is being asked")
    process.kill()
    moving.behave("answer")
    # Its lease is of half a minute; here that is over.
    moving.sql("UPDATE dual_writes SET lease_until = 1", db="fig.db")
    process = moving.start("serve")

    wait(lambda: lag(moving).doubts, "it is in doubt")
    held = process.facade.submit("two", "C-1")
    assert (held.status, held.headers.get("retry-after")) == (503, "5")
    assert process.facade.submit("other", "C-2").status == 200
    (doubt,) = moving.fig("route", "doubts", NAME, "--json").lines()
    assert doubt["side"] == "replacement"
    settled = moving.fig(
        "route", "settle", str(doubt["id"]), "--happened", "--why", "it stands on the shelf"
    )
    assert settled.status == 0, settled.err
    assert process.facade.submit("two", "C-1").status == 200
    wait(lambda: len(shelf(moving)) == 3, "all are on both sides")
    assert sorted(legacy(moving)) == sorted(shelf(moving))
    assert len(legacy(moving)) == 3


def test_forward_with_the_replacement_first_and_back_with_nothing_lost(moving, wait):
    process = moving.start("serve")
    assert process.facade.submit("one", "C-1").status == 200
    wait(lambda: shelf(moving), "it is on both sides")
    moving.at("live", NAME)
    found = moving.route("data", NAME, "replacement-first")
    assert found["rollback"]["safe"]
    wait(lambda: "replacement-first" in process.said(), "it is told")
    answer = process.facade.submit("two", "C-1")
    assert b"ticketId>1002<" in answer.body
    wait(lambda: len(legacy(moving)) == 2, "it is copied to legacy")
    moving.legacy_process.kill()
    assert process.facade.submit("three", "C-1").status == 200
    wait(lambda: lag(moving).to_legacy == 1, "it waits to be copied to legacy")
    refused = moving.fig("route", "rollback", NAME)
    assert refused.status == 5
    assert "1 write not yet copied to legacy" in refused.err
    port = str(moving.legacy.url.port)
    command = ("legacy/server.py", "--db", "legacy/helpdesk.db", "--port", port)
    moving.run(sys.executable, *command, log="legacy.log").line(lambda line: "listening" in line)
    wait(lambda: lag(moving).to_legacy == 0, "it is copied")
    back = moving.route("rollback", NAME)
    assert (back["stage"], back["data"]) == ("shadow", "legacy-first")
    assert "safe until legacy is retired" in back["rollback"]["says"]
    wait(lambda: "shadow, data legacy-first" in process.said(), "it is told")
    assert b"ticketId>4<" in process.facade.submit("four", "C-1").body
    wait(lambda: len(shelf(moving)) == 4, "the replacement goes on having all")
    assert legacy(moving) == shelf(moving)
    assert moving.broken() == []
