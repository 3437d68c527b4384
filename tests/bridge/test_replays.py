"""Dead letters that are replayed or dropped, on both kinds of store, by one bridge or several."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import msgspec
import pytest

from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.bridge.replays import NAME, Replays, buried_by_source, by_source, released
from stranglerfig.errors import (
    FigError,
    InputError,
    LegacyUnavailable,
    ReplacementError,
    StoreUnavailable,
)
from stranglerfig.model import Delivery, Record, Settlement
from stranglerfig.routing.taken import Taken
from stranglerfig.store import Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.store.line import Line
from stranglerfig.store.replaying import Ending, Replaying
from stranglerfig.store.write import DeadLetter, InboxMark
from stranglerfig.tests.stores import either_store

DONE = Settlement(outcome="done")
LIMITS = Limits(
    in_flight=16,
    at_once=8,
    wait=0.02,
    drain=5.0,
    retries=Retries(attempts=3, backoff=Backoff(first=0.001, longest=0.002)),
    stand_still=Backoff(first=0.001, longest=0.01),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = either_store(request, tmp_path / "fig.db")
    store = Store(url, patience=10.0)
    store.open()
    yield store
    store.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.002)


def letter(position: str, key: str = "k", **changed: object) -> DeadLetter:
    record = Record(
        source="claims",
        position=position,
        kind="row",
        body=b"\x00\xff" + position.encode(),
        key=key,
        headers=(("op", "insert"),),
        encoding="cp037",
        captured_at=12.5,
    )
    fields = {
        "source": "claims",
        "position": position,
        "reason": "no such code",
        "record": record,
        "error": {"error": "MappingError", "message": "no such code"},
        "attempts": 3,
        "at": 99.5,
        "endpoint": "triage",
        **changed,
    }
    return DeadLetter(**fields)  # type: ignore[arg-type]


class Desk:
    """A store with dead letters, and what takes them when they come again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.taken: list[tuple[str, int]] = []
        self.effects = 0
        self.raises: Exception | None = None
        self.released: list[tuple[str, str]] = []
        self.releases: Exception | None = None

    async def dead(self, *letters: DeadLetter) -> list[int]:
        for one in letters:
            await self.store.journal.commit(Write(dead=one))
        return [one.id for one in self.store.dead_letters.read()]

    async def take(self, delivery: Delivery) -> Taken:
        """Take as an endpoint does: once by the position, whatever the attempts."""
        self.taken.append((delivery.record.position, delivery.attempt))
        if isinstance(self.raises, InputError):
            # As an endpoint does: it writes the dead letter, and says so.
            again = letter(
                delivery.record.position,
                delivery.record.key,
                reason=self.raises.message,
                error=self.raises.as_dict(),
                chain=(self.raises.as_dict(),),
            )
            durable = self.store.journal.submit(Write(dead=again))
            return Taken(Settlement(outcome="dead", reason=str(self.raises)), durable)
        if self.raises is not None:
            raise self.raises
        mark = InboxMark("triage", delivery.record.position, "h")
        write = Write(lines=(Line(kind="request", endpoint="triage"),), inbox=mark)
        return Taken(DONE, self.store.journal.submit(write))

    async def bury(self, delivery: Delivery, reason: str, cause=None) -> None:
        error = {"error": type(cause).__name__, "message": str(cause)}
        one = letter(delivery.record.position, delivery.record.key, reason=reason, error=error)
        await self.store.journal.commit(Write(dead=one))

    async def release(self, source: str, position: str) -> None:
        if self.releases is not None:
            raise self.releases
        self.released.append((source, position))

    def bridge(self, **options) -> Bridge:
        source = Replays(self.store.database, self.release, poll=0.01, **options)
        takes = {NAME: by_source({"claims": self.take}.get)}
        bury = {NAME: buried_by_source({"claims": self.bury}.get)}
        return Bridge({NAME: source}, takes, limits=LIMITS, bury=bury)

    def states(self) -> list[str]:
        return [one.state for one in self.store.dead_letters.read()]

    def notes(self) -> list[str]:
        assert self.store.journal.flush(10)
        return [str(one.line.data["action"]) for one in self.store.journal.read(kinds=["note"])]


@pytest.fixture
def desk(store):
    return Desk(store)


@contextlib.asynccontextmanager
async def running(*bridges: Bridge):
    stop = asyncio.Event()
    tasks = [asyncio.create_task(bridge.run(stop)) for bridge in bridges]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)


async def test_what_nobody_decided_on_stays(desk):
    await desk.dead(letter("p1"))
    async with running(bridge := desk.bridge()):
        await until(lambda: bridge.status().ready)
        await asyncio.sleep(0.05)
    assert desk.taken == []
    assert desk.states() == ["kept"]


async def test_a_replay_comes_as_it_was_and_is_done_once_however_often_it_is_asked_for(desk):
    numbers = await desk.dead(letter("p1"), letter("p2"))
    letters = desk.store.dead_letters
    assert letters.decide([numbers[0]], "replay", who="ada", why="mended") == [numbers[0]]
    assert letters.decide([numbers[0]], "replay", who="ada", why="again") == []
    async with running(desk.bridge()):
        await until(lambda: desk.states() == ["replayed", "kept"])
        assert letters.decide([numbers[0]], "replay", who="bob", why="twice") == [numbers[0]]
        await until(lambda: len(desk.taken) == 2)
        await until(lambda: desk.states() == ["replayed", "kept"])
    assert desk.taken == [("p1", 1), ("p1", 1)]
    assert len(list(desk.store.journal.read(kinds=["request"]))) == 1, "one effect"
    assert desk.released == [("claims", "p1")] * 2
    asked = f"dead letter {numbers[0]}: replay"
    done = f"dead letter {numbers[0]}: replayed"
    assert desk.notes() == [asked, done, asked, done]
    lines = list(desk.store.journal.read(kinds=["note"]))
    assert [line.line.data["who"] for line in lines] == ["ada", "bridge", "bob", "bridge"]
    assert not list(verify(desk.store.database))


async def test_dead_again_it_is_one_record_still_with_its_new_error(desk):
    (number,) = await desk.dead(letter("p1"))
    desk.raises = InputError("no such branch", place="row 7")
    for replays in (1, 2):
        desk.store.dead_letters.decide([number], "replay", who="ada", why="")
        async with running(desk.bridge()):
            await until(lambda: desk.states() == ["kept"])
        (kept,) = desk.store.dead_letters.read()
        assert (kept.id, kept.replays, kept.letter.reason) == (number, replays, "no such branch")
        assert kept.letter.chain[0]["place"] == "row 7"
        assert kept.letter.record == letter("p1").record
    assert desk.released == []
    assert desk.notes()[-1] == f"dead letter {number}: dead again"


async def test_what_fails_too_often_is_kept_again(desk):
    (number,) = await desk.dead(letter("p1"))
    desk.raises = ReplacementError("no")
    desk.store.dead_letters.decide([number], "replay", who="ada", why="")
    async with running(desk.bridge()):
        await until(lambda: desk.states() == ["kept"])
    assert [attempt for _, attempt in desk.taken] == [1, 2, 3]
    (kept,) = desk.store.dead_letters.read()
    assert (kept.id, kept.replays) == (number, 1)
    assert "gave up after 3 attempts" in kept.letter.reason


async def test_of_a_key_the_oldest_comes_first(desk):
    letters = [letter(f"p{at}", f"k{at % 3}") for at in range(30)]
    numbers = await desk.dead(*letters)
    desk.store.dead_letters.decide(numbers[::-1], "replay", who="ada", why="")
    async with running(desk.bridge(), desk.bridge()):
        await until(lambda: set(desk.states()) == {"replayed"})
    assert {position for position, _ in desk.taken} == {f"p{at}" for at in range(30)}
    for key in range(3):
        of_key = [int(at[1:]) for at, _ in desk.taken if int(at[1:]) % 3 == key]
        assert of_key == sorted(of_key)


async def test_what_is_dropped_is_released_and_never_delivered(desk):
    numbers = await desk.dead(letter("p1"), letter("p2"))
    desk.releases = LegacyUnavailable("the database is away")
    async with running(desk.bridge()):
        await asyncio.to_thread(
            desk.store.dead_letters.decide, numbers[:1], "drop", who="ada", why="a test row"
        )
        await until(lambda: desk.states()[0] == "drop")
        await asyncio.sleep(0.05)
        assert desk.states() == ["drop", "kept"]
    desk.releases = None
    _due_now(desk.store)
    async with running(desk.bridge()):
        await until(lambda: desk.states() == ["dropped", "kept"])
    assert desk.taken == []
    assert desk.released == [("claims", "p1")]
    assert desk.notes() == [f"dead letter {numbers[0]}: {what}" for what in ("drop", "dropped")]
    assert desk.store.dead_letters.decide(numbers[:1], "replay", who="ada", why="") == []


async def test_done_is_not_replayed_before_those_behind_it_are_let_go(desk):
    (number,) = await desk.dead(letter("p1"))
    desk.store.dead_letters.decide([number], "replay", who="ada", why="")
    desk.releases = LegacyUnavailable("the database is away")
    async with running(bridge := desk.bridge()):
        await until(lambda: bridge.status().sources[NAME].unsettled == 1)
        assert desk.states() == ["replay"]
    desk.releases = None
    _due_now(desk.store)
    async with running(desk.bridge()):
        await until(lambda: desk.states() == ["replayed"])
    assert len(list(desk.store.journal.read(kinds=["request"]))) == 1


def _due_now(store: Store) -> None:
    from sqlalchemy import update

    from stranglerfig.store.tables import dead_letters

    with store.database.write() as connection:
        connection.execute(update(dead_letters).values(next_at=0.0))


async def test_what_a_process_died_with_comes_again_and_is_counted(desk, store):
    (number,) = await desk.dead(letter("p1"))
    store.dead_letters.decide([number], "replay", who="ada", why="")
    replaying = Replaying(store.database, lease=10.0)
    now = time.time()
    for tries in (1, 2, 3):
        (one,) = replaying.claim(5, now)
        assert (one.kept.id, one.tries) == (number, tries)
        assert replaying.claim(5, now + 9) == []
        now += 11
    late = [
        Ending(number, "2:another", "replayed"),
        Ending(number, "2:another", "dead again", reason="no"),
        Ending(number, "2:another", "again"),
    ]
    assert replaying.end(late) == [False] * 3
    async with running(desk.bridge(lease=10.0)):
        await asyncio.sleep(0.05)
    assert desk.taken == [], "the lease holds against others"
    replaying.give_back({number: one.token})
    async with running(desk.bridge()):
        await until(lambda: desk.states() == ["kept"])
    assert desk.taken == [], "three processes died under it"
    (kept,) = store.dead_letters.read()
    assert "gave up after 3 attempts, of which none came to an end" in kept.letter.reason


async def test_two_bridges_do_each_once(desk):
    numbers = await desk.dead(*(letter(f"p{at}", "") for at in range(60)))
    desk.store.dead_letters.decide(numbers, "replay", who="ada", why="")
    async with running(desk.bridge(), desk.bridge()):
        await until(lambda: set(desk.states()) == {"replayed"})
    # On a busy machine the store may be lost for a moment, and one is taken again: once it counts.
    assert len(list(desk.store.journal.read(kinds=["request"]))) == 60
    assert {position for position, _ in desk.taken} == {f"p{at}" for at in range(60)}
    assert {attempt for _, attempt in desk.taken} == {1}, "nobody took what another one had"
    assert desk.notes().count(f"dead letter {numbers[0]}: replayed") == 1


async def test_a_lost_store_is_waited_for(desk, monkeypatch):
    (number,) = await desk.dead(letter("p1"))
    desk.store.dead_letters.decide([number], "replay", who="ada", why="")
    bridge = desk.bridge()
    gone = True
    claim = Replaying.claim

    def lost(self, limit, now):
        if gone:
            raise StoreUnavailable("locked")
        return claim(self, limit, now)

    monkeypatch.setattr(Replaying, "claim", lost)
    monkeypatch.setattr(
        "stranglerfig.bridge.limits.Limits.reopen", Backoff(first=0.01), raising=False
    )
    async with running(bridge):
        await until(lambda: bridge.status().sources[NAME].state == "broken")
        gone = False
        await until(lambda: desk.states() == ["replayed"])


async def test_its_source_is_released_where_it_can_be():
    class Holds:
        name = "claims"

        def __init__(self):
            self.let_go = []

        async def release(self, position):
            self.let_go.append(position)

    holds = Holds()
    release = released({"claims": holds, "plain": object()}.get)
    await release("claims", "p1")
    await release("plain", "p1")
    await release("gone", "p1")
    assert holds.let_go == ["p1"]


async def test_a_source_that_nobody_listens_to_any_more_is_named():
    take = by_source({}.get)
    record = msgspec.structs.replace(letter("p1").record, source="old")
    with pytest.raises(FigError, match="nothing takes"):
        await take(Delivery(record=record, settle=None))  # type: ignore[arg-type]
