"""Whatever happens, in whatever order: no write is done twice, none is lost, no key is reordered."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.errors import FigError
from stranglerfig.model import Data, Route, Side, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.dual.copying import Copying
from stranglerfig.routing.dual.doubling import Doubling
from stranglerfig.routing.dual.writing import Writing
from stranglerfig.store import Store
from stranglerfig.telemetry import Counters
from stranglerfig.tests.stores import store_file

WORDS = st.sampled_from(["ok", "ok", "ok", "refuse", "unsent", "doubt", "lost"])
MOVES = st.sampled_from(["legacy-first", "replacement-first", "kill", "resume"])
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 2), WORDS, WORDS),
    st.tuples(st.just("again"), st.integers(0, 20)),
    st.tuples(st.just("gone"), st.integers(0, 2), st.integers(0, 12)),
    st.tuples(st.just("copy"), WORDS),
    st.tuples(st.just("move"), MOVES),
    st.tuples(st.just("lose")),
)


class World:
    """Two sides, one store, one process that serves and one that copies; leases are over at will.

    A side's ``has`` is what it really has: the truth, that nobody else knows.
    """

    def __init__(self, store, endpoint, sides, table, offers, call):
        self.store, self.sides, self.table, self.call = store, sides, table, call
        self.doubling = Doubling(store, table, offers, Counters(), owner="serving")
        self.dispatcher = Dispatcher(
            endpoint,
            table,
            store.journal,
            offers,
            Counters(),
            writing=Writing(endpoint, self.doubling),
        )
        copying = Doubling(store, table, offers, Counters(), owner="copying")
        self.copying = Copying(copying, lambda: {"triage": endpoint})
        self.sent = []
        self.told = {}

    async def run(self, steps):
        for what, *values in steps:
            for side in self.sides.values():
                side.plan = []
            await getattr(self, what)(*values)
        await self.end()

    async def write(self, key, first, second):
        text = f"{key}-{len(self.sent):03}"
        self.sent.append(text)
        order = self.order()
        self.sides[order[0]].plan, self.sides[order[1]].plan = [first], [second]
        await self.serve(text)

    def order(self):
        first = self.table.route.data is Data.REPLACEMENT_FIRST and not self.table.route.killed
        return ("replacement", "legacy") if first else ("legacy", "replacement")

    async def serve(self, text):
        with contextlib.suppress(FigError):
            answer = await self.dispatcher.serve(self.record(text))
            self.told[text] = b"Fault" not in answer.body
        await self.doubling.drain(30)

    def record(self, text):
        return self.call(f"C-{text[0]}", text=text, position=text)

    async def again(self, which):
        if self.sent:
            await self.serve(self.sent[which % len(self.sent)])

    async def gone(self, key, after):
        """Cancel a caller after some turns of the loop."""
        text = f"{key}-{len(self.sent):03}"
        self.sent.append(text)
        serving = asyncio.create_task(self.dispatcher.serve(self.record(text)))
        for _ in range(after):
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await self.doubling.drain(30)

    async def copy(self, word):
        for side in self.sides.values():
            side.plan = [word]
        await self.copying.look()

    async def move(self, to):
        if to in ("kill", "resume"):
            self.table.go(killed=to == "kill")
        elif to == "legacy-first":
            self.table.go(stage=Stage.SHADOW, data=Data.LEGACY_FIRST)
        else:
            self.table.reversed()

    async def lose(self):
        """Have whoever asks now be given up: as if it had been killed."""
        with self.store.database.write(chained=False) as connection:
            over = "UPDATE dual_writes SET lease_until = 1 WHERE lease_token IS NOT NULL"
            connection.exec_driver_sql(over)

    async def end(self):
        """All is well again; a person looks at what is in doubt, and says the truth."""
        await self.move("resume")
        for side in self.sides.values():
            side.plan = []
        for _ in range(200):
            with self.store.database.write(chained=False) as connection:
                connection.exec_driver_sql("UPDATE dual_writes SET next_at = 0")
            await self.copying.look()
            left = self.store.dual_work.open("triage")
            if not left:
                return
            for write in left:
                if write.state == "doubt":
                    text = write.record.position
                    happened = text in self.sides[write.side].has
                    with contextlib.suppress(FigError):
                        self.store.dual_work.settle(
                            write.id, happened=happened, who="a person", why="looked"
                        )
        raise AssertionError("it does not come to an end")

    def check(self):
        legacy, replacement = self.sides["legacy"].has, self.sides["replacement"].has
        for has in (legacy, replacement):
            assert len(has) == len(set(has)), "nothing is done twice"
        assert set(legacy) == set(replacement), "what one side has, the other has"
        assert {text for text, ok in self.told.items() if ok} <= set(legacy), "none is lost"
        assert not {text for text, ok in self.told.items() if not ok} & set(legacy)
        by_key = [defaultdict(list), defaultdict(list)]
        for found, has in zip(by_key, (legacy, replacement), strict=True):
            for text in has:
                found[text[0]].append(text)
        assert by_key[0] == by_key[1], "of a key, both have it in one order"


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture
def world(folder, doubled, sides, call, offers):
    """Make worlds, each with a store of its own."""
    made = []

    def make():
        for side in sides.values():
            side.has.clear()
            side.plan = []
        store = Store(store_file(folder / f"{len(made)}.db"), patience=30.0)
        store.open()
        table = Fleet()
        made.append(World(store, doubled, sides, table, offers, call))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


class Fleet:
    """The route, as all processes know it at once."""

    def __init__(self):
        self.route = Route(
            endpoint="triage",
            revision="r1",
            salt="s",
            stage=Stage.SHADOW,
            data=Data.LEGACY_FIRST,
        )

    def current(self, endpoint):
        del endpoint
        return self.route

    def go(self, **fields):
        self.route = msgspec.structs.replace(self.route, **fields)

    def reversed(self):
        self.go(stage=Stage.LIVE, data=Data.REPLACEMENT_FIRST)


@pytest.fixture
def dual():
    """A write that must wait says so at once: here nobody comes to help it."""
    return {"first": 0.0, "longest": 0.0, "turn": 0.0}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=12))
def test_no_write_is_done_twice_lost_or_out_of_order(world, steps):
    one = world()

    async def run():
        await one.run(steps)

    asyncio.run(run())
    one.check()


def test_the_world_would_tell(world):
    """What the checks are for: a write that one side alone has, and one that is there twice."""
    one = world()
    one.sides["legacy"].has += ["0-000"]
    with pytest.raises(AssertionError, match="the other has"):
        one.check()
    one.sides["legacy"].has += ["0-000"]
    with pytest.raises(AssertionError, match="twice"):
        one.check()
    assert Side.LEGACY == "legacy"
