"""One at a time, on a real store: taken over when it is lost, cancelled when another has it."""

import asyncio

import pytest

from stranglerfig.running.singleton import Singleton
from stranglerfig.store.database import Database
from stranglerfig.store.leases import Leases
from stranglerfig.tests.stores import store_file


@pytest.fixture
def database(tmp_path):
    url = store_file(tmp_path / "fig.db")
    return Database(url)


class Work:
    """Runs for ever, and remembers under which tokens."""

    def __init__(self):
        self.tokens = []
        self.ended = []

    async def __call__(self, token):
        self.tokens.append(token)
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append(token)


def single(database, owner, work, lease=0.6):
    return Singleton(Leases(database), "sweep", owner, lease=lambda: lease, work=work)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_one_works_and_the_other_takes_over_when_it_ends(database):
    first, second = Work(), Work()
    one = asyncio.create_task(single(database, "a", first).run())
    await until(lambda: first.tokens)
    other = asyncio.create_task(single(database, "b", second).run())
    await asyncio.to_thread(Leases(database).acquire, "sweep", "c", 1)
    assert not second.tokens
    one.cancel()
    await until(lambda: second.tokens)
    assert first.ended == first.tokens
    assert second.tokens[0] > first.tokens[0]
    other.cancel()
    await asyncio.wait([one, other])


async def test_work_is_cancelled_when_another_has_the_lease(database):
    """As after a process was frozen for longer than its lease."""
    work = Work()
    mine = single(database, "a", work)
    task = asyncio.create_task(mine.run())
    await until(lambda: mine.held)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE leases SET token = token + 1, owner = 'b'")
        connection.exec_driver_sql("UPDATE leases SET until = 1e12")
    await until(lambda: work.ended)
    assert not mine.held
    task.cancel()
    await asyncio.wait([task])
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT until FROM leases").scalar() == 1e12


async def test_work_stops_when_the_store_is_gone_for_longer_than_the_lease(database, tmp_path):
    work = Work()
    task = asyncio.create_task(single(database, "a", work).run())
    await until(lambda: work.tokens)
    (tmp_path / "fig.db").rename(tmp_path / "away.db")
    await until(lambda: work.ended)
    task.cancel()
    await asyncio.wait([task])


async def test_work_that_fails_is_logged_and_done_again(database):
    tokens = []

    async def fails(token):
        tokens.append(token)
        raise ValueError("no luck")

    task = asyncio.create_task(single(database, "a", fails).run())
    await until(lambda: len(tokens) == 2)
    task.cancel()
    await asyncio.wait([task])
    assert tokens[1] > tokens[0]
