"""What ``fig route`` says of endpoints where legacy decides later."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.cli import fig
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.store import Write
from stranglerfig.store.awaited import Awaiting, keep_request
from stranglerfig.store.outcomes import Decided, keep_outcome
from stranglerfig.tests.stores import store_file

OUTCOME = """
[endpoint.ticket-opened.outcome]
source = "tickets"
when   = { status = "C" }
"""


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)
    with (root / "fig.toml").open("a") as file:
        file.write(OUTCOME)
    store_file(root / "fig.db")
    with app.store(load(root)) as store:
        now = time.time()
        for state in ("waiting", "waiting", "joined", "late"):
            one = Awaiting(
                endpoint="ticket-opened",
                key="7",
                request_id=state,
                at=now,
                until=now,
                pair="{}",
                state=state,
            )
            store.journal.append(Write(effects=(keep_request(one),)))
        early = Decided(
            endpoint="ticket-opened", key="8", position="p", at=now, state="early", answer="{}"
        )
        store.journal.append(Write(effects=(keep_outcome(early),)))
    return root


def run(*arguments):
    result = CliRunner().invoke(fig, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", [("show",), ("explain",)])
def test_outcomes_are_counted_by_what_became_of_them(workspace, command):
    key = ("C-1",) if command == ("explain",) else ()
    said = run("-w", workspace, "route", *command, "ticket-opened", *key)
    text = " ".join(said.split())
    assert "1 joined, 1 late, 0 missing, 0 duplicate, 2 waiting, 1 early" in text
    found = json.loads(run("-w", workspace, "route", *command, "ticket-opened", *key, "--json"))
    assert found["outcomes"]["waiting"] == 2
    assert found["outcomes"]["abstained"] == 0


@pytest.mark.parametrize("command", [("show",), ("explain",)])
def test_where_legacy_does_not_decide_later_nothing_is_said_of_it(workspace, command):
    key = ("C-1",) if command == ("explain",) else ()
    said = run("-w", workspace, "route", *command, "triage-ticket", *key)
    assert "outcomes" not in said
    found = json.loads(run("-w", workspace, "route", *command, "triage-ticket", *key, "--json"))
    assert "outcomes" not in found
