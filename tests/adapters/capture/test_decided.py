"""Dead events go when a person has decided, in every kind of database; all others stay."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.capture import decided as room
from stranglerfig.adapters.capture.events import EVENTS, LARGE
from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import LegacyError
from stranglerfig.model import Settlement

DEAD = Settlement(outcome="dead", reason="unreadable")
BLOCKS = Settlement(outcome="dead", reason="unreadable", blocks=True)
ENDINGS = [Settlement(outcome="done"), DEAD, DEAD, DEAD, BLOCKS]


@pytest.fixture
def engine(url):
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as legacy:
        legacy.exec_driver_sql("CREATE TABLE tickets (id INTEGER PRIMARY KEY, story TEXT)")
    return engine


@pytest.fixture
async def source(engine, url, tmp_path):
    """Five events, each ended otherwise, with a large value each."""
    options = {"url": url, "table": "tickets", "poll": 0.01, "large": 10}
    source = TableSource(name="tickets", options=options, place="fig.toml", root=tmp_path)
    source.install()
    with engine.begin() as legacy:
        for number in range(1, 6):
            values = f"({number}, '{'a long story ' * 10}')"
            legacy.exec_driver_sql(f"INSERT INTO tickets VALUES {values}")
    await source.open()
    taken = {}
    while len(taken) < 5:
        for one in await source.receive(5, 1.0):
            taken[int(one.record.key)] = one
    for number, ending in enumerate(ENDINGS, 1):
        await taken[number].settle(ending)
    source.positions = {number: one.record.position for number, one in taken.items()}
    yield source
    await source.close()


def left(engine):
    with engine.connect() as legacy:
        keys = legacy.execute(select(EVENTS.c.key).order_by(EVENTS.c.id)).scalars().all()
        return [int(key) for key in keys], legacy.scalar(select(func.count()).select_from(LARGE))


def swept(source):
    claims, waker = source._claims()
    claims.sweep(keep=0)
    claims.close()
    if waker is not None:
        waker.close()


async def test_what_is_decided_goes_with_its_large_values(source, engine, monkeypatch):
    monkeypatch.setattr(room, "_CHUNK", 2)
    monkeypatch.setattr(room, "_SOME", 1)
    swept(source)
    assert left(engine) == ([2, 3, 4, 5], 4), "the dead stay until somebody decides"
    places, asked = source.positions, []

    def decided(positions):
        asked.extend(positions)
        return [places[2], places[4]]

    assert await source.forget(decided) == 2
    assert asked == [places[2], places[3], places[4]], "what blocks its key is not over yet"
    swept(source)
    assert left(engine) == ([3, 5], 2)
    assert await source.forget(lambda positions: positions) == 1
    assert await source.release(places[5])
    assert await source.forget(lambda positions: positions) == 1
    swept(source)
    assert left(engine) == ([], 0)


async def test_where_the_store_cannot_be_asked_all_stays(source, engine):
    def decided(positions):
        raise LegacyError("no")

    with pytest.raises(LegacyError):
        await source.forget(decided)
    swept(source)
    assert left(engine)[0] == [2, 3, 4, 5]


async def test_a_database_that_is_gone_is_named(source, engine):
    with engine.begin() as legacy:
        legacy.exec_driver_sql("DROP TABLE fig_event")
    with pytest.raises(LegacyError):
        await source.forget(lambda positions: positions)
