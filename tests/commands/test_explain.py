"""``fig route explain``: at one endpoint, and at all of them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.model import Data, Route, Stage
from stranglerfig.store import Store


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = CliRunner().invoke(fig, ["init", str(tmp_path / "desk"), "--example"])
    assert made.exit_code == 0, made.output
    return tmp_path / "desk"


def run(workspace: Path, *arguments: str) -> str:
    result = CliRunner().invoke(fig, ["-w", str(workspace), "route", "explain", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_key_alone_is_explained_at_every_endpoint(workspace: Path) -> None:
    found = [json.loads(line) for line in run(workspace, "C-1", "--json").splitlines()]
    assert [one["endpoint"] for one in found] == ["ticket-opened", "triage-ticket"]
    assert {(one["key"], one["side"]) for one in found} == {("C-1", "legacy")}
    assert run(workspace, "C-1").count("C-1 is answered by legacy") == 2


def test_with_its_endpoint_it_is_explained_there(workspace: Path) -> None:
    found = json.loads(run(workspace, "triage-ticket", "C-1", "--json"))
    assert (found["endpoint"], found["stage"], found["rule"]) == (
        "triage-ticket",
        "legacy",
        "stage",
    )


def stand(workspace: Path, **fields: object) -> None:
    store = Store(f"sqlite:///{workspace / 'fig.db'}")
    store.open()
    given = {"stage": Stage.LIVE, "revision": "r1", "salt": "s", **fields}
    route = Route(endpoint="triage-ticket", **given)
    store.routes.put(route, action="test", who="test", why="", evidence={})
    store.close()


def test_it_says_who_answers_instead(workspace: Path) -> None:
    stand(workspace)
    found = json.loads(run(workspace, "triage-ticket", "C-1", "--json"))
    assert (found["blended"], found["falls_back"]) == (False, True)
    assert "does not answer, legacy does" in run(workspace, "triage-ticket", "C-1")


def test_it_says_why_nobody_answers_instead(workspace: Path) -> None:
    stand(workspace, data=Data.REPLACEMENT_FIRST)
    found = json.loads(run(workspace, "triage-ticket", "C-1", "--json"))
    assert "legacy's store is behind" in found["why_not"]
    with (workspace / "fig.toml").open("a") as file:
        file.write("\n[endpoint.triage-ticket.fallback]\nstale = true\n")
    assert json.loads(run(workspace, "triage-ticket", "C-1", "--json"))["falls_back"]


def test_it_says_that_answers_are_merged(workspace: Path) -> None:
    stand(workspace)
    with (workspace / "fig.toml").open("a") as file:
        file.write('\n[endpoint.triage-ticket.blend]\nprefer = "legacy"\n')
    assert "one merged answer goes back" in run(workspace, "triage-ticket", "C-1")
