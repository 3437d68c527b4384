"""``fig evidence``: what it shows, of an endpoint with evidence and of one without."""

from __future__ import annotations

import builtins
import json
import time

import pytest
from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.cli import fig
from stranglerfig.commands.evidence_view import when
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Comparison, Route, Stage
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.store import Write
from stranglerfig.store.measures import Place, Sum

NAME = "triage-ticket"
LONG = "claim_new [bold]and a value that is much too long for its column[/]"


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)
    upgrade(f"sqlite:///{root / 'fig.db'}")
    return root


@pytest.fixture
def climbing(workspace):
    """A canary with 60 compared requests, of which 10 differ."""
    with app.store(load(workspace)) as store:
        given = Route(endpoint=NAME, stage=Stage.CANARY, percent=10.0, revision="r1abc", salt="s")
        route = store.routes.put(given, action="t", who="t", why="", evidence={})
        for number in range(60):
            winner = "both" if number >= 10 else "replacement" if number >= 4 else "open"
            seen = Comparison(
                request_id=f"q{number}",
                endpoint=NAME,
                revision=route.revision,
                unit=f"u{number}",
                winner=winner,
                by="golden",
                differs=("category",) if number < 10 else (),
                legacy={"category": "refund"},
                replacement={"category": LONG},
            )
            store.journal.append(Write(observations=(seen,)))
        assert store.journal.flush(10)
        place = Place(NAME, route.revision, Rung.of(route).label)
        store.measures.add(time.time(), [Sum(place, "ms", "replacement", 6, 9.0, 9.0)])
    return workspace


def run(*arguments, status=0, **env):
    result = CliRunner().invoke(fig, [str(one) for one in arguments], env=env)
    assert result.exit_code == status, result.output
    return result.output


def test_it_shows_what_was_compared_where_they_differ_and_what_is_missing(climbing):
    shown = run("-w", climbing, "evidence", NAME, COLUMNS="80")
    assert "canary 10 %, revision r1abc" in shown
    assert "distinct requests" in shown
    assert "right: replacement 6, open 4" in " ".join(shown.split())
    assert "worse than legacy" in shown
    assert "missing for canary 50 %" in shown
    assert "more requests like these" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b[" not in shown


def test_colours_are_left_out_where_nobody_wants_them(climbing):
    assert "\x1b[" not in run("-w", climbing, "evidence", NAME, NO_COLOR="1", COLUMNS="80")


def test_without_the_plotting_package_it_draws_bars(climbing, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "plotext":
            raise ModuleNotFoundError(name=name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    shown = run("-w", climbing, "evidence", NAME, COLUMNS="80")
    assert "not worse         |" in shown


def test_as_json_it_says_all_of_it(climbing):
    found = json.loads(run("-w", climbing, "evidence", NAME, "--json"))
    assert found["evidence"]["counts"]["both"] == 50
    assert {one["guardrail"] for one in found["evidence"]["verdicts"]} == {
        "breaker",
        "paired",
        "errors",
    }
    assert found["differences"][0]["field"] == "category"
    assert found["differences"][0]["examples"][0]["replacement"] == LONG
    assert found["course"][-1]["pairs"] == 60
    assert found["next"] == {"stage": "canary", "percent": 50.0}
    assert found["forecast"]["missing"]


def test_another_revision_is_found_by_how_it_begins(climbing):
    assert "r1abc" in run("-w", climbing, "evidence", NAME, "--revision", "r1")
    refused = run("-w", climbing, "evidence", NAME, "--revision", "zz", status=1)
    assert refused == ""


def test_an_endpoint_that_was_never_moved_has_nothing_to_show(workspace):
    shown = run("-w", workspace, "evidence", NAME)
    assert "nothing has been compared yet" in shown
    assert "shadow needs no evidence" in shown


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (None, "nobody can say"),
        (0, "now"),
        (0.2, "1 s"),
        (119, "119 s"),
        (120, "2 minutes"),
        (7_200, "2 hours"),
        (200_000, "2 days"),
    ],
)
def test_a_time_is_told_no_more_exactly_than_it_is_known(seconds, says):
    assert when(seconds) == says


def test_what_the_shadow_has_used_today_stands_beside_what_it_may(climbing):
    with (climbing / "fig.toml").open("a") as file:
        file.write(f"\n[endpoint.{NAME}.shadow]\ncalls = 500\nlegacy_calls = 10\n")
    with app.store(load(climbing)) as store:
        place = Place(NAME, "r1abc", "any")
        sums = [
            Sum(place, name, "", count, total, 0.0)
            for name, count, total in (
                ("shadow:calls", 7, 7.0),
                ("shadow:tokens", 7, 123.5),
                ("dropped:sample", 3, 3.0),
            )
        ]
        store.measures.add(time.time(), sums)
    says = "7 of 500 calls, 123.5 tokens, 0 of 10 calls of legacy; not asked: sample 3"
    shown = run("-w", climbing, "evidence", NAME, COLUMNS="200")
    assert f"the shadow today: {says}" in shown
    assert says in run("-w", climbing, "route", "show", NAME, COLUMNS="200")
    found = json.loads(run("-w", climbing, "evidence", NAME, "--json"))
    assert found["shadow"]["dropped"] == {"sample": 3}
