"""Eight processes on one store, some frozen, some with their clock off: one side a key and version."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Route, Side, Stage
from stranglerfig.running.fleet import adoption, wait_for
from stranglerfig.store import Store
from stranglerfig.tests.frozen import freeze, thaw
from stranglerfig.tests.importable import importable

pytestmark = pytest.mark.process

# A file's clock is its machine's; a server has one for all, whatever theirs say.
OFFSETS = (0, 0, 0, 0, 120, -120, 600, -3600)
CHANGES = 11
PATIENCE = 60.0


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fig.db'}"
    else:
        url = request.getfixturevalue("postgresql").database()
    upgrade(url)
    return url


@pytest.fixture
def fleet(url, tmp_path):
    """Start the processes; whatever becomes of the test, none of them is left."""
    server = not url.startswith("sqlite")
    script = Path(__file__).with_name("one_follower.py")
    environment = {**os.environ, "PYTHONPATH": importable()}
    started = [
        subprocess.Popen(
            [sys.executable, str(script), url, f"p{number}", str(tmp_path), str(offset * server)],
            env=environment,
        )
        for number, offset in enumerate(OFFSETS)
    ]
    yield started
    for process in started:
        thaw(process)
        process.kill()
        process.wait()


@pytest.fixture
def wait():
    def until(condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(0.05)

    return until


def members(store, state):
    found = adoption(store.database, "triage", 0).members
    return [one for one in found if one.state == state]


def changed(route, number):
    """Give the next of a row of changes that move keys to and fro."""
    stages = [
        {"stage": Stage.CANARY, "percent": 10.0 * (number % 10)},
        {"stage": Stage.LIVE, "percent": 0.0, "pins": {"k7": Side.LEGACY}},
        {"stage": Stage.SHADOW, "percent": 0.0, "pins": {}},
        {"stage": Stage.CANARY, "percent": 50.0, "pins": {"k8": Side.REPLACEMENT}},
    ]
    values = {
        name: getattr(route, name) for name in ("endpoint", "stage", "percent", "pins", "version")
    }
    killed = number == CHANGES - 1
    return Route(**{**values, **stages[number % len(stages)], "salt": "s", "killed": killed})


def test_no_two_sides_serve_a_key_under_one_version(fleet, url, tmp_path, wait):
    store = Store(url)
    try:
        wait(lambda: len(members(store, "has it")) == len(OFFSETS), "all are there")
        route, chance = Route(endpoint="triage"), random.Random(7)
        for number in range(CHANGES):
            frozen = chance.sample(fleet, 2) if number % 6 == 4 else []
            for process in frozen:
                freeze(process, url)
            route = store.routes.put(
                changed(route, number), action="move", who="ada", why="", evidence={}
            )
            seen = wait_for(store.database, "triage", route.version, PATIENCE)
            assert seen.done, seen
            silent = {one.pid for one in seen.members if one.state == "silent"}
            assert silent <= {process.pid for process in frozen}, "only who is frozen is silent"
            have = {one.pid for one in seen.members if one.state == "has it"}
            assert have >= {process.pid for process in fleet} - {one.pid for one in frozen}
            for process in frozen:
                thaw(process)
        wait(
            lambda: all(
                one.version == route.version and one.state == "has it"
                for one in adoption(store.database, "triage", route.version).members
            ),
            "those that were frozen have followed",
        )
    finally:
        store.close()
    sides = defaultdict(set)
    for number in range(len(OFFSETS)):
        for line in (tmp_path / f"p{number}").read_text("ascii").splitlines():
            version, key, side = line.split()
            sides[version, key].add(side)
    assert not {at: both for at, both in sides.items() if len(both) > 1}
    assert len({version for version, _ in sides}) > CHANGES / 2
    assert route.killed
    assert {side for both in sides.values() for side in both} == {"l", "r"}


KILLS = 12


def test_a_kill_reaches_every_process_within_a_second(fleet, url, tmp_path, wait):
    """In one of a dozen tries at least: this machine may stall, and a look once a second may not.

    So it is by the store; and with the store gone, by the file.
    """
    store = Store(url)
    try:
        wait(lambda: len(members(store, "has it")) == len(OFFSETS), "all are there")
        route = Route(endpoint="triage", stage=Stage.LIVE, salt="s")
        took = []
        while not took or (min(took) > 1.0 and len(took) < KILLS):
            for killed in (False, True):
                values = {"version": route.version, "killed": killed}
                route = msgspec.structs.replace(route, **values)
                began = time.monotonic()
                route = store.routes.put(route, action="t", who="t", why="", evidence={})
                assert wait_for(store.database, "triage", route.version, PATIENCE).done
            took.append(time.monotonic() - began)
        assert min(took) <= 1.0, took
        if not url.startswith("sqlite"):
            return
        alive = msgspec.structs.replace(route, killed=False)
        alive = store.routes.put(alive, action="t", who="t", why="", evidence={})
        version = str(alive.version)
        wait(lambda: _sides(tmp_path, version) == [{"r"}] * len(OFFSETS), "all are alive again")
    finally:
        store.close()
    (tmp_path / "fig.db").rename(tmp_path / "away.db")
    (tmp_path / "fig.kill").write_text("triage\n", "utf-8")
    began = time.monotonic()
    wait(lambda: all("l" in one for one in _sides(tmp_path, version)), "the file kills")
    assert time.monotonic() - began < PATIENCE / 4, "nobody waits for the store"


def _sides(folder, version):
    """Give the sides that each process came to under a version."""
    found = []
    for number in range(len(OFFSETS)):
        lines = (folder / f"p{number}").read_text("ascii").splitlines()
        found.append({line.split()[2] for line in lines if line.split()[0] == version})
    return found
