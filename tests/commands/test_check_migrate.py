"""``fig check --migrate``: what it says of a store that stands between two versions."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.demo.workspace import copy_example
from stranglerfig.errors import StoreError
from stranglerfig.store import Store
from stranglerfig.store.processes import Processes
from stranglerfig.store.tables import HEAD, OLDEST
from stranglerfig.tests.older import make_older


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)
    make_older(f"sqlite:///{root / 'fig.db'}")
    return root


@pytest.fixture
def check(workspace):
    """Run it, and give what it says of the store, or the whole result where it fails."""

    def run(*options):
        done = CliRunner().invoke(fig, ["-w", str(workspace), "check", "--json", *options])
        found = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
        return next((one for one in found if one["part"] == "store"), done)

    return run


def test_a_store_of_the_version_before_is_fit_and_says_what_is_left_out(check):
    said = check()
    assert said["ok"] is True
    assert OLDEST in said["says"]
    assert "fig check --migrate" in said["says"]


def test_migrated_it_stays_open_until_it_is_told_to_contract(check):
    assert f"open to {OLDEST}" in check("--migrate")["says"]
    assert f"open to {OLDEST}" in check()["says"]
    assert check("--migrate", "--contract")["says"] == f"version {HEAD}"
    assert check()["says"] == f"version {HEAD}"


def test_it_does_not_contract_under_a_process_that_lives(check, workspace):
    check("--migrate")
    store = Store(f"sqlite:///{workspace / 'fig.db'}")
    processes = Processes(store.database)
    processes.beat("old", kind="serve", host="h", pid=4711, status={"lease": 60.0})
    refused = check("--migrate", "--contract")
    assert isinstance(refused.exception, StoreError)
    assert refused.exception.value == "serve 4711 on h"
    assert f"open to {OLDEST}" in check()["says"]
    processes.beat("old", kind="serve", host="h", pid=4711, status={"lease": 60.0, "schema": HEAD})
    assert check("--migrate", "--contract")["says"] == f"version {HEAD}"


def test_contracting_alone_is_no_way_to_say_it(check):
    done = check("--contract")
    assert done.exit_code == 2
    assert "--contract goes with --migrate" in done.output
