"""Who is asked beside whoever answers, and instead of it: on real processes and sockets."""

from __future__ import annotations

import pytest

TEXT = "I want my money back, please refund the premium of May"
NAME = "triage-ticket"


@pytest.fixture(scope="module")
def blended(make_desk):
    """An endpoint that is live, where both sides answer."""
    desk = make_desk()
    desk.edit("fig.toml", "{ stay = false }", "{ stay = false, breaker = false }")
    with (desk.root / "fig.toml").open("a") as file:
        file.write(f'\n[endpoint.{NAME}.blend]\nfields = {{ category = "legacy" }}\n')
    desk.at("live")
    desk.facade = desk.start("serve").with_model().facade
    return desk


def test_one_answer_of_both_sides(blended):
    legacy = blended.legacy.triage(TEXT)
    answer = blended.facade.triage(TEXT, "C-both")
    assert answer.status == 200
    assert b"0.99" in answer.body, "the replacement's score"
    assert b"C10" not in answer.body
    category = legacy.body.partition(b"category>")[2][:3]
    assert category in answer.body
    assert category.startswith(b"C")
    (entry,) = blended.lines_of("C-both")
    assert entry.line.data["blend"] == {"answer": "both"}


@pytest.mark.parametrize("behaviour", ["raise", "hang", "missing field", "abstain"])
def test_without_the_replacement_it_is_legacys_byte_for_byte(blended, behaviour):
    right = blended.legacy.triage(TEXT)
    blended.behave(behaviour)
    answer = blended.facade.triage(TEXT, f"C-{behaviour}")
    blended.behave("answer")
    assert (answer.status, answer.body) == (200, right.body)
    (entry,) = blended.lines_of(f"C-{behaviour}")
    assert entry.line.data["served_by"] == "legacy"
    assert entry.line.data["blend"]["answer"] == "legacy"


def test_a_write_is_not_tried_on_legacy_once_it_may_have_happened(desk):
    desk.at("live")  # as an operation that reads: no other would be let so far without its data
    desk.edit("operations/ticket.triage@1.toml", '"read"', '"compensable"')
    facade = desk.start("serve").with_model().facade
    before = desk.sql("SELECT count(*) FROM tickets")
    desk.behave("raise")
    answer = facade.triage(TEXT, "C-lost")
    assert answer.status == 500
    assert b"Fault" in answer.body
    (entry,) = desk.lines_of("C-lost")
    assert "nothing is done twice" in entry.line.data["detail"]
    desk.behave("abstain")
    assert facade.triage(TEXT, "C-unsure").status == 200, "it did nothing: legacy may"
    assert desk.sql("SELECT count(*) FROM tickets") == before
    assert desk.broken() == []


def test_a_budget_of_the_shadow_holds_over_processes_and_is_shown(desk, wait):
    with (desk.root / "fig.toml").open("a") as file:
        file.write(f"\n[endpoint.{NAME}.shadow]\ncalls = 3\n")
    desk.at("shadow")
    facade = desk.start("serve").with_model().facade
    wait(lambda: facade.triage(TEXT, "C-0").status == 200 and desk.journal("comparison"), "one")
    for number in range(10):
        assert facade.triage(f"{TEXT} {number}", f"C-{number}").status == 200

    def shadow():
        return desk.route("show")["shadow"]

    wait(lambda: shadow()["dropped"].get("calls", 0) >= 5, "it is told what was not asked")
    assert shadow()["used"]["calls"] == 3.0
    assert shadow()["most"] == {"calls": 3.0}
    assert len(desk.journal("comparison")) == 3


def test_a_replacement_that_promises_nothing_is_not_asked_to_write_in_shadow(desk, wait):
    desk.edit("operations/ticket.triage@1.toml", '"read"', '"irreversible"')
    desk.at("shadow")
    facade = desk.start("serve").with_model().facade
    assert facade.triage(TEXT).status == 200
    wait(lambda: desk.route("show")["shadow"]["dropped"].get("acts"), "it is told")
    assert not (desk.root / "asked").exists()
