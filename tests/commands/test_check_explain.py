"""``fig check --explain``: the whole way of every endpoint, with the figures that are in force."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import stranglerfig
from stranglerfig.bridge.retry import RULES, rule_of
from stranglerfig.cli import fig
from stranglerfig.errors import (
    CircuitOpen,
    ConfigError,
    Conflict,
    DeadlineExceeded,
    LegacyUnavailable,
    MappingError,
    ReplacementError,
    ReplacementUnavailable,
    StoreError,
    StoreUnavailable,
)
from stranglerfig.model import Route, Stage
from stranglerfig.routing.guards.retry import MAY_PASS
from stranglerfig.store import Store
from stranglerfig.tests.stores import store_file

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
GUARDS = """
[replacement.triage.rate]
calls = 20
per = 2.0
[replacement.triage.breaker]
failures = 5
[replacement.triage.retry]
attempts = 3
[bridge.source.tickets]
in_flight = 77
attempts = 9
later = "park"
spent = "block"
[bridge.endpoint.ticket-opened]
at_once = 11
"""


@pytest.fixture
def workspace(tmp_path):
    for name in ("acl", "operations", "legacy"):
        shutil.copytree(EXAMPLE / name, tmp_path / name)
    (tmp_path / "fig.toml").write_text((EXAMPLE / "fig.toml").read_text() + GUARDS)
    return tmp_path


def explained(workspace):
    result = CliRunner().invoke(fig, ["-w", str(workspace), "check", "--explain", "--json"])
    assert result.exit_code == 0, result.output
    return {one["endpoint"]: one for one in map(json.loads, result.stdout.splitlines())}


def stops(one):
    return {stop["name"]: stop for stop in one["stops"]}


def test_an_events_way_has_every_bound_and_guard_in_its_order(workspace):
    one = explained(workspace)["ticket-opened"]
    assert [stop["name"] for stop in one["stops"]] == [
        "source",
        "bridge",
        "inbox",
        "mapping",
        "route",
        "rate",
        "breaker",
        "retry",
        "time limit",
        "replacement",
    ]
    way = stops(one)
    assert way["source"]["figures"] == {"in_flight": 77, "at_once": 256, "share": 1}
    assert way["bridge"]["figures"]["endpoint_at_once"] == 11
    assert way["rate"]["figures"] == {"calls": 20, "per": 2.0}
    assert way["breaker"]["figures"] == {"failures": 5, "open": 30.0}
    assert way["time limit"]["figures"] == {"deadline": 1.5}


def test_what_is_done_about_errors_is_what_the_bridge_does(workspace):
    said = explained(workspace)["ticket-opened"]["errors"]
    assert [one["name"] for one in said] == [
        *(rule.error.__name__ for rule in RULES[:-1]),
        "any other",
    ]
    assert said[-1]["figures"]["attempts"] == 9
    assert "go on without it" in said[-1]["says"]
    assert "stands still until somebody decides" in said[0]["says"]


def test_a_facades_way_says_that_legacy_answers(workspace):
    one = explained(workspace)["triage-ticket"]
    assert one["stops"][0]["name"] == "facade"
    assert "legacy answers" in one["errors"][0]["says"]
    assert "waits included" in stops(one)["time limit"]["says"]


def test_the_route_is_told_where_the_store_is_there(workspace):
    assert "unknown" in stops(explained(workspace)["ticket-opened"])["route"]["says"]
    store_file(workspace / "fig.db")
    assert stops(explained(workspace)["ticket-opened"])["route"]["says"] == "legacy"
    store = Store(f"sqlite:///{workspace / 'fig.db'}")
    route = Route(endpoint="ticket-opened", stage=Stage.CANARY, percent=10.0, paused=True)
    store.routes.put(route, action="set", who="ada", why="", evidence={})
    found = stops(explained(workspace)["ticket-opened"])["route"]
    assert (found["says"], found["figures"]) == ("canary, paused", {"percent": 10.0})
    store.close()


def test_a_retry_that_would_do_harm_is_said_to_be_off(workspace):
    operation = workspace / "operations" / "ticket.triage@1.toml"
    changed = re.sub(r'effect\s*= "read"', 'effect = "irreversible"', operation.read_text())
    operation.write_text(changed)
    assert "off" in stops(explained(workspace)["ticket-opened"])["retry"]["says"]


def test_people_see_the_same_as_a_tree(workspace):
    result = CliRunner().invoke(fig, ["-w", str(workspace), "check", "--explain"])
    assert "calls = 20, per = 2.0" in result.stdout
    assert "on an error" in result.stdout


def test_wrong_bounds_are_named_by_their_key(workspace):
    file = workspace / "fig.toml"
    file.write_text(file.read_text().replace("attempts = 9", "attempts = 2"))
    result = CliRunner().invoke(fig, ["-w", str(workspace), "check", "--explain"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.place == "fig.toml: bridge.source.tickets.attempts"


def test_guards_and_table_agree_on_what_is_tried_at_once():
    assert {rule.error for rule in RULES if rule.now} == set(MAY_PASS)


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (Conflict("x"), "dead"),
        (MappingError("x"), "dead"),
        (StoreUnavailable("x"), "hold"),
        (CircuitOpen("x"), "hold"),
        (ReplacementUnavailable("x"), "doubt"),
        (DeadlineExceeded("x"), "later"),
        (ReplacementError("x"), "later"),
        (LegacyUnavailable("x"), "later"),
        (StoreError("x"), "later"),
        (OSError("x"), "later"),
    ],
)
def test_every_error_has_its_rule(error, then):
    assert rule_of(error).then == then


def test_what_is_asked_beside_and_instead_is_told_where_it_is_not_the_usual(workspace):
    assert not {"blend", "fallback", "shadow"} & stops(explained(workspace)["triage-ticket"]).keys()
    with (workspace / "fig.toml").open("a") as file:
        file.write(BESIDE)
    one = stops(explained(workspace)["triage-ticket"])
    assert one["blend"]["figures"] == {"rules": 1}
    assert one["fallback"]["figures"] == {"reserve": 0.5}
    assert one["shadow"]["figures"] == {"sample": 10.0, "calls": 500.0, "queue": 1000}
    assert "refund.post@1" in one["effect"]["says"]


BESIDE = """
[endpoint.triage-ticket.blend]
fields = { category = "legacy" }
[endpoint.triage-ticket.fallback]
reserve = 0.5
[endpoint.triage-ticket.shadow]
sample = 10.0
calls = 500
[endpoint.triage-ticket.effects.refund]
operation = "refund.post@1"
"""
