"""Processes and leases, on both databases that a store may have."""

import threading

import pytest

from stranglerfig.errors import StoreError
from stranglerfig.store.database import Database
from stranglerfig.store.leases import Leases, fence
from stranglerfig.store.processes import Processes, clock, new_incarnation
from stranglerfig.tests.stores import either_store


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = either_store(request, tmp_path / "fig.db")
    made = Database(url)
    yield made
    made.engine.dispose()


def beat(database, incarnation, **status):
    Processes(database).beat(incarnation, kind="bridge", host="h", pid=7, status=status)


def aged(database, table, seconds, **columns):
    """Let time pass for a row."""
    sets = ", ".join(f"{name} = {name} - {seconds}" for name in columns)
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {sets}")


def test_a_process_is_there_with_its_first_beat_and_goes_when_it_leaves(database):
    processes = Processes(database)
    mine, other = new_incarnation(), new_incarnation()
    beat(database, mine, state="starting")
    beat(database, other)
    beat(database, mine, state="running")
    first, second = processes.all()
    assert (first.incarnation, second.incarnation) == (mine, other)
    assert first.status == {"state": "running"}
    assert first.started_at <= first.seen_at
    assert first.silent < 5
    processes.leave(mine)
    assert [one.incarnation for one in processes.all()] == [other]


def test_the_same_host_and_pid_again_is_another_process(database):
    beat(database, new_incarnation())
    beat(database, new_incarnation())
    assert len({one.incarnation for one in Processes(database).all()}) == 2


def test_who_says_nothing_is_silent_and_is_forgotten_after_a_day(database):
    gone, mine = new_incarnation(), new_incarnation()
    beat(database, gone)
    aged(database, "processes", 100, seen_at=True)
    beat(database, mine)
    assert [one.silent > 50 for one in Processes(database).all()] == [True, False]
    aged(database, "processes", 90_000, seen_at=True)
    beat(database, mine)
    assert [one.incarnation for one in Processes(database).all()] == [mine]


def test_a_lease_is_held_by_one_and_its_token_grows(database):
    leases = Leases(database)
    first = leases.acquire("sweep", "a", 60)
    assert first is not None
    assert leases.acquire("sweep", "b", 60) is None
    assert leases.acquire("other", "b", 60) is not None
    assert leases.renew("sweep", first, 60)
    leases.release("sweep", first)
    second = leases.acquire("sweep", "b", 60)
    assert second is not None
    assert second > first
    assert not leases.renew("sweep", first, 60)


def test_a_lease_that_is_not_renewed_goes_to_the_next_and_the_late_one_is_fenced(database):
    leases = Leases(database)
    late = leases.acquire("sweep", "a", 60)
    aged(database, "leases", 100, until=True)
    now = leases.acquire("sweep", "b", 60)
    leases.release("sweep", late)  # of no effect: it is not theirs any more
    assert leases.acquire("sweep", "a", 60) is None
    with database.write() as connection:
        fence(connection, "sweep", now)

    def write_late():
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM leases")
            fence(connection, "sweep", late)

    with pytest.raises(StoreError, match="the lease was lost"):
        write_late()
    assert leases.renew("sweep", now, 60), "what was to happen under the lost lease did not"


def test_a_late_renewal_holds_as_long_as_nobody_else_came(database):
    leases = Leases(database)
    token = leases.acquire("sweep", "a", 60)
    aged(database, "leases", 100, until=True)
    assert leases.renew("sweep", token, 60)
    assert leases.acquire("sweep", "b", 60) is None


def test_who_leaves_lets_go_of_all_that_it_held(database):
    leases = Leases(database)
    before = leases.acquire("sweep", "a", 600)
    beat(database, "a")
    Processes(database).leave("a")
    after = leases.acquire("sweep", "b", 600)
    assert after is not None
    assert after > before


def test_of_many_who_want_a_lease_at_once_one_has_it(database):
    found = []
    start = threading.Barrier(6)

    def want(owner):
        start.wait()
        found.append(Leases(database).acquire("sweep", owner, 60))

    threads = [threading.Thread(target=want, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [token for token in found if token is not None] == [1]


def test_the_clock_is_about_now(database):
    import time

    with database.read() as connection:
        assert abs(clock(connection) - time.time()) < 60
