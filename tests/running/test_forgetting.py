"""Decided letters and the events behind them go together: neither is left without the other."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from stranglerfig.errors import LegacyUnavailable, StoreUnavailable
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Record
from stranglerfig.running.alone import _retain
from stranglerfig.running.forgetting import forget
from stranglerfig.settings import Retention
from stranglerfig.store import DeadLetter, Store, Write
from stranglerfig.store.replaying import Ending, Replaying

DAY = 86_400.0


class Legacy:
    """A source that keeps three dead events."""

    def __init__(self) -> None:
        self.dead = ["kept", "dropped", "young"]
        self.error: Exception | None = None

    async def forget(self, decided):
        if self.error is not None:
            raise self.error
        gone = decided(list(self.dead))
        self.dead = [one for one in self.dead if one not in gone]
        return len(gone)


@pytest.fixture
async def process(tmp_path):
    url = f"sqlite:///{tmp_path / 'fig.db'}"
    upgrade(url)
    store = Store(url)
    store.open()
    for position, age in (("kept", 9), ("dropped", 9), ("young", 1)):
        record = Record(source="tickets", position=position, kind="row", body=b"", key="")
        letter = DeadLetter("tickets", position, "no", record, {}, 1, time.time() - age * DAY)
        await store.journal.commit(Write(dead=letter))
    store.dead_letters.decide([2, 3], "drop", who="ada", why="a test")
    replaying = Replaying(store.database, 60.0)
    found = replaying.claim(9, time.time())
    assert replaying.end([Ending(one.kept.id, one.token, "dropped") for one in found])
    legacy = Legacy()
    sources = {"tickets": legacy, "elsewhere": object()}
    workspace = SimpleNamespace(retention=Retention())
    yield SimpleNamespace(
        store=store,
        legacy=legacy,
        plan=SimpleNamespace(workspace=workspace),
        intake=SimpleNamespace(names=lambda: [*sources], source=sources.get),
    )
    store.close()


async def test_what_was_decided_goes_where_letters_stay_for_ever(process):
    assert await forget(process, time.time())
    assert process.legacy.dead == ["kept"]
    assert process.store.dead_letters.count() == 3


async def test_an_event_stays_as_long_as_retention_keeps_its_letter(process):
    process.plan.workspace.retention = Retention(dead_letters=5)
    await _retain(process)
    assert process.legacy.dead == ["kept", "young"]
    assert [one.letter.position for one in process.store.dead_letters.read()] == ["kept", "young"]


@pytest.mark.parametrize("error", [LegacyUnavailable("gone"), StoreUnavailable("busy")])
async def test_letters_stay_while_their_events_cannot_be_let_go(process, error):
    process.plan.workspace.retention = Retention(dead_letters=5)
    process.legacy.error = error
    await _retain(process)
    assert process.store.dead_letters.count() == 3
    process.legacy.error = None
    await _retain(process)
    assert process.store.dead_letters.count() == 2
