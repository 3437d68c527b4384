"""``fig route explain``: at one endpoint, and at all of them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig


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
