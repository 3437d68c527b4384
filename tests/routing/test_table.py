"""The routes as a process knows them: followed, kept when the store is lost, killed by a file."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stranglerfig.model import Data, Stage
from stranglerfig.routing.kept import KeptRoutes
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
    assert (table.current("triage").stage, table.current("triage").revision) == ("shadow", "r2")
    assert table.versions["triage"] == 2
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


async def test_a_process_that_starts_without_its_store_goes_on_where_the_last_one_stood(
    store, models, kill_file, put, file, tmp_path, logged
):
    """Nothing is taken for a beginning: legacy may no longer know what it would be asked."""
    kept = KeptRoutes(tmp_path / "kept.json")

    def table():
        return RouteTable(store, ["triage", "new"], prepare=models, kill_file=kill_file, kept=kept)

    put("live", data=Data.REPLACEMENT_FIRST)
    before = table()
    await before.poll()
    file.rename(file.with_name("away.db"))
    after = table()
    await after.poll()
    assert after.current("triage") == before.current("triage")
    assert after.current("new").stage is Stage.LEGACY
    assert after.lost
    assert any("routes are those that were last read here: triage" in text for text in logged)
    kill_file.write_text("triage\n", "utf-8")
    await after.poll()
    assert after.current("triage").killed


@pytest.mark.parametrize("content", [None, b"", b"no json", b'{"triage": {"stage": "nowhere"}}'])
async def test_without_what_was_kept_it_starts_at_legacy(
    store, models, kill_file, file, tmp_path, content
):
    kept = tmp_path / "kept.json"
    if content is not None:
        kept.write_bytes(content)
    file.rename(file.with_name("away.db"))
    table = RouteTable(
        store, ["triage"], prepare=models, kill_file=kill_file, kept=KeptRoutes(kept)
    )
    await table.poll()
    assert table.current("triage").stage is Stage.LEGACY


async def test_a_version_is_adopted_whole_or_not_at_all(table, put, models):
    """What a version changes besides the revision waits with it, or two sides serve one key."""
    put("canary", percent=10)
    await table.poll()
    put("canary", percent=50, revision="r2")
    await table.poll()
    now = table.current("triage")
    assert (now.version, now.percent, now.revision) == (1, 10, "r1")
    put("shadow", revision="r2")
    await table.poll()
    assert table.versions["triage"] == 3, "what gives everything to legacy waits for no model"


async def test_adopted_is_told_and_a_nudge_looks_at_once(store, models, kill_file, put, until):
    told = []
    table = RouteTable(
        store,
        ["triage"],
        prepare=models,
        kill_file=kill_file,
        adopted=lambda: told.append(table.versions["triage"]),
    )
    task = asyncio.create_task(table.watch(600.0))
    await until(lambda: not table.lost and table.current("triage") is not None)
    put("live")
    table.nudge()
    await until(lambda: told == [1])
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
