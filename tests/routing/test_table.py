"""The routes as a process knows them: followed, kept when the store is lost, killed by a file."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stranglerfig.model import Stage
from stranglerfig.routing.table import RouteTable


class Models:
    """Which revisions are ready."""

    def __init__(self):
        self.ready = {"r1"}
        self.asked = []

    async def __call__(self, route):
        self.asked.append(route.revision)
        return route.revision in self.ready


@pytest.fixture
def models():
    return Models()


@pytest.fixture
def kill_file(tmp_path):
    return tmp_path / "fig.kill"


@pytest.fixture
def table(store, models, kill_file):
    names = ["triage", "other"]
    return RouteTable(store, names, prepare=models, kill_file=kill_file, patience=30.0)


async def test_an_endpoint_without_a_route_stands_at_legacy(table):
    await table.poll()
    assert table.current("triage").stage is Stage.LEGACY


async def test_follows_every_change(table, put):
    for stage in ("shadow", "live", "shadow", "legacy"):
        stored = put(stage)
        await table.poll()
        assert table.current("triage") == table.wanted("triage") == stored


async def test_follows_by_itself(table, put, until):
    task = asyncio.create_task(table.watch(0.01))
    put("live")
    await until(lambda: table.current("triage").stage is Stage.LIVE)
    put("live", killed=True)
    await until(lambda: table.current("triage").killed)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_new_revision_waits_for_its_model_and_the_old_one_serves_on(table, put, models):
    put("live")
    await table.poll()
    put("live", revision="r2")
    await table.poll()
    assert table.current("triage").revision == "r1"
    assert table.wanted("triage").revision == "r2"
    models.ready.add("r2")
    await table.poll()
    assert table.current("triage").revision == "r2"


async def test_a_stage_and_a_latch_do_not_wait_for_a_model(table, put, models):
    put("live")
    await table.poll()
    put("shadow", revision="r2")
    await table.poll()
    assert (table.current("triage").stage, table.current("triage").revision) == ("shadow", "r1")
    put("shadow", revision="r2", killed=True)
    await table.poll()
    assert table.current("triage").killed


async def test_patience_has_an_end(store, models, kill_file, put, logged):
    table = RouteTable(store, ["triage"], prepare=models, kill_file=kill_file, patience=0.0)
    put("live")
    await table.poll()
    put("live", revision="r2")
    await table.poll()
    assert table.current("triage").revision == "r2", "legacy answers meanwhile"
    assert any("is not ready; adopted all the same" in text for text in logged)


@pytest.mark.parametrize("loss", ["gone", "damaged", "empty"])
async def test_a_lost_store_leaves_every_route_as_it_was(table, put, file, logged, loss):
    put("canary", percent=25)
    await table.poll()
    before = table.current("triage")
    away = file.with_name("away.db")
    file.rename(away)
    if loss == "damaged":
        file.write_bytes(b"no database" * 1000)
    if loss == "empty":
        file.touch()
    for _ in range(3):
        await table.poll()
        assert table.current("triage") == before
    assert len([text for text in logged if "store lost, routes stay" in text]) == 1
    away.replace(file)
    await table.poll()
    assert any("store is back" in text for text in logged)
    put("live")
    await table.poll()
    assert table.current("triage").stage is Stage.LIVE


async def test_the_kill_file_names_endpoints(table, put, kill_file):
    put("live")
    kill_file.write_text("# tonight\n\n triage  # it talks nonsense\n", "utf-8")
    await table.poll()
    assert table.current("triage").killed
    assert table.current("triage").stage is Stage.LIVE
    assert not table.current("other").killed
    assert not table.wanted("triage").killed, "the store knows nothing of it"


async def test_a_star_kills_all(table, kill_file):
    kill_file.write_text("*\n", "utf-8")
    await table.poll()
    assert table.current("triage").killed
    assert table.current("other").killed


@pytest.mark.parametrize("lift", ["remove", "empty", "comment"])
async def test_taking_the_line_out_or_the_file_away_lifts_it(table, put, kill_file, lift):
    put("live")
    kill_file.write_text("triage\n", "utf-8")
    await table.poll()
    assert table.current("triage").killed
    if lift == "remove":
        kill_file.unlink()
    else:
        kill_file.write_text("" if lift == "empty" else "# triage\n", "utf-8")
    await table.poll()
    assert not table.current("triage").killed


async def test_the_kill_file_works_without_a_store(table, put, kill_file, file):
    put("live")
    await table.poll()
    file.rename(file.with_name("away.db"))
    kill_file.write_text("triage\n", "utf-8")
    await table.poll()
    assert table.current("triage").killed
    kill_file.unlink()
    await table.poll()
    assert not table.current("triage").killed
    assert table.current("triage").stage is Stage.LIVE


async def test_a_kill_file_that_cannot_be_read_lifts_nothing(table, put, kill_file):
    put("live")
    kill_file.write_text("triage\n", "utf-8")
    await table.poll()
    kill_file.write_bytes(b"\xff\xfe\x00")
    await table.poll()
    assert table.current("triage").killed


async def test_killed_in_the_store_stays_killed_without_the_file(table, put, kill_file):
    put("live", killed=True)
    kill_file.write_text("triage\n", "utf-8")
    await table.poll()
    kill_file.unlink()
    await table.poll()
    assert table.current("triage").killed
