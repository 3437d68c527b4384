"""Where people look, they are told of a migration that should have been over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.cli import fig
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.model import Route, Stage
from stranglerfig.tests.stores import store_file

NAME = "triage-ticket"
LEGACY = "[endpoint.triage-ticket]\n"


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)
    store_file(root / "fig.db")
    return root


@pytest.fixture
def ends(workspace):
    """Say when the migration is to be over, in so many days from now, and begin it."""

    def say(days):
        day = (datetime.now(UTC) + timedelta(days=days)).date()
        text = (workspace / "fig.toml").read_text("utf-8")
        assert LEGACY in text
        owned = f'{LEGACY}owner = "the [claims] team"\nexpires = {day}\n'
        (workspace / "fig.toml").write_text(text.replace(LEGACY, owned), "utf-8")
        with app.store(load(workspace)) as store:
            route = Route(endpoint=NAME, stage=Stage.SHADOW, revision="r")
            store.routes.put(route, action="t", who="t", why="", evidence={})
        return day

    return say


def run(workspace, *arguments):
    done = CliRunner().invoke(fig, ["-w", str(workspace), *arguments], env={"COLUMNS": "120"})
    return done.output


def test_it_is_said_by_check_route_and_evidence(workspace, ends):
    day = ends(-3)
    told = f"late: was to be over by {day}, 3 days ago; ask the [claims] team"
    for arguments in (("route", "show", NAME), ("route", "list"), ("evidence", NAME)):
        assert told in " ".join(run(workspace, *arguments).split()), arguments
    parts = [json.loads(line) for line in run(workspace, "check", "--json").splitlines()]
    (one,) = [one for one in parts if one["part"] == f"endpoint.{NAME}.expires"]
    assert (one["ok"], one["says"]) == (True, told)
    assert json.loads(run(workspace, "route", "show", NAME, "--json"))["expiry"] == told
    assert json.loads(run(workspace, "evidence", NAME, "--json"))["expiry"] == told
    assert "late " in run(workspace, "check")


def test_what_is_in_time_is_not_called_late(workspace, ends):
    day = ends(30)
    assert f"is to be over by {day}" in run(workspace, "route", "show", NAME)
    for arguments in (("route", "list"), ("evidence", NAME), ("check",)):
        assert "late:" not in run(workspace, *arguments)


def test_without_a_day_nothing_is_said(workspace):
    assert "over by" not in run(workspace, "route", "show", NAME)
    assert "expires" not in run(workspace, "check", "--json")
