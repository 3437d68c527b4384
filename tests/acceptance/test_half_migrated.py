"""The core of the acceptance suite on each half-migrated store: either code on either schema."""

from __future__ import annotations

import pytest

from stranglerfig.migrations.schema.upgrade import standing, upgrade
from stranglerfig.store.tables import HEAD, OLDEST
from stranglerfig.store.version import Version
from stranglerfig.tests.acceptance.conftest import Desk
from stranglerfig.tests.acceptance.test_killed import (
    canary,
    test_facade_and_bridge_in_two_processes_on_one_store,
)
from stranglerfig.tests.acceptance.test_routes import (
    served,
    test_a_canary_is_sticky_and_explained,
    test_a_revision_that_is_worse_is_taken_back_by_the_running_process,
    test_kill_reaches_a_running_process_and_resume_too,
    test_shadow_never_delays_a_caller,
    test_the_whole_way_up_and_back,
)
from stranglerfig.tests.importable import importable
from stranglerfig.tests.older import make_older, older_code

# Collected here too, with the desk of this file.
CORE = (
    canary,
    served,
    test_a_canary_is_sticky_and_explained,
    test_a_revision_that_is_worse_is_taken_back_by_the_running_process,
    test_facade_and_bridge_in_two_processes_on_one_store,
    test_kill_reaches_a_running_process_and_resume_too,
    test_shadow_never_delays_a_caller,
    test_the_whole_way_up_and_back,
)
HALVES = {
    "this code on the schema before": (Version(OLDEST, OLDEST), lambda _: importable()),
    "the code before on this schema": (Version(HEAD, OLDEST), older_code),
}


def make_half(root, wanted, path, *, server=None):
    """Make a workspace on a store that stands half-way, and run the code there that ``path`` is."""
    if path is None:
        pytest.skip("the code of the version before is not at hand: no history here")
    url = server.database() if server is not None else f"sqlite:///{root / 'fig.db'}"
    made = Desk(root, store=url if server is not None else "")
    made.store_file.unlink(missing_ok=True)
    make_older(url)
    if wanted.tables != OLDEST:
        upgrade(url)
    assert standing(url) == wanted
    if path != importable():
        # While both run, fig.toml says only what both know.
        text = (root / "fig.toml").read_text("utf-8")
        kept = [line for line in text.splitlines(keepends=True) if "guardrail" not in line]
        (root / "fig.toml").write_text("".join(kept), "utf-8")
    made.env["PYTHONPATH"] = path
    return made


@pytest.fixture(params=list(HALVES))
def desk(request, tmp_path, tmp_path_factory):
    wanted, code = HALVES[request.param]
    made = make_half(tmp_path / "desk", wanted, code(tmp_path_factory))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request, tmp_path, tmp_path_factory):
    """A store in the middle of an upgrade, for processes of both."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made = make_half(
        tmp_path / "desk", Version(HEAD, OLDEST), older_code(tmp_path_factory), server=server
    )
    yield made
    made.close()


def test_both_serve_side_by_side(shared, wait):
    """One customer is on one side at both, a change reaches both, and one chain holds it all."""
    before = shared.start("serve", log="before.log")
    shared.env["PYTHONPATH"] = importable()
    now = shared.start("serve", log="now.log")
    shared.route("advance", "triage-ticket", "--to", "canary", "--percent", "50", "--force")
    for process in (before, now):
        wait(lambda one=process: "canary 50 %" in one.said(), "both have the route")
        process.with_model()
    sides = {}
    for number in range(24):
        customer = f"C-{number}"
        answers = [p.facade.triage("refund me", customer).body for p in (before, now)]
        assert answers[0] == answers[1]
        sides[customer] = b"C10" in answers[0]
    done = shared.fig("check", "--migrate", "--contract")
    assert done.status != 0
    assert str(before.pid) in done.err
    assert str(now.pid) not in done.err
    assert shared.fig("route", "pin", "triage-ticket", "C-1").status != 0
    shared.route("kill")
    for process in (before, now):
        wait(lambda one=process: "killed" in one.said(), "both were told")
        assert b"C10" not in process.facade.triage("hello", "C-1").body or not sides["C-1"]
    wait(lambda: len(shared.journal()) == 2 * 24 + 2, "all of it is journalled")
    assert before.stop() == 0
    assert shared.fig("check", "--migrate", "--contract").status == 0
    shared.route("resume")
    assert shared.fig("route", "pin", "triage-ticket", "C-1").status == 0
    assert now.facade.triage("refund me", "C-2").status == 200
    wait(lambda: len(shared.journal()) == 2 * 24 + 3, "and it goes on")
    assert shared.broken() == []
