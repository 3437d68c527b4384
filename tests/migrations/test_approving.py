"""Whoever approves a step hears at once whose approval is still missing."""

from __future__ import annotations

from stranglerfig.migrations.latches import unapproved
from stranglerfig.store.run import Approval, Run

TEXT = """
[runbook]
endpoint = "tickets"
owner = "desk"

[[step]]
name = "live"
do = "live"
needs = [{ gate = "approvals", people = 1, roles = { risk = ["eve"] } }]

[[step]]
name = "retire"
do = "retire"
"""


def _run(*approved: tuple[str, str]) -> Run:
    approvals = tuple(Approval(step=step, who=who, why="", at=1.0) for step, who in approved)
    return Run(
        id=1,
        runbook="move",
        endpoint="tickets",
        digest="",
        text=TEXT,
        state="running",
        version=1,
        who="ada",
        why="",
        at=0.0,
        approvals=approvals,
    )


def test_who_began_the_run_is_told_that_it_does_not_count():
    missing = unapproved(_run(("live", "ada")), "live")
    assert missing == [
        "1 more person",
        "one for risk: eve",
        "ada began the run, and does not count",
    ]


def test_nothing_is_missing_once_all_have():
    assert unapproved(_run(("live", "eve")), "live") == []


def test_an_act_asks_for_people_of_its_own():
    assert unapproved(_run(("live", "eve"), ("retire", "bob")), "retire") == ["1 more person"]
