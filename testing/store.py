"""What every store promises, as tests: subclass it, and give a fresh store's address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import delete, insert, select, update

from ..errors import Conflict, Overtaken, RouteConflict, StoreError, StoreUnavailable
from ..model import Route, Stage
from ..store import InboxMark, Line, Store, Write, tables
from ..store.effects import Effect
from ..store.expect import Expect, Stamp
from .chain import ChainContract
from .letters import LettersContract
from .samples import seen

__all__ = ["StoreContract"]


class StoreContract(LettersContract, ChainContract):
    """The laws of a store, its chain's and dead letters' among them.

    A subclass gives the fixture ``store_url``.
    It must be the address of a store that ``migrations.schema.upgrade`` has just made, and that
    nobody else uses.
    """

    @pytest.fixture
    def store_url(self) -> str:
        """Give the address of a fresh store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[Store]:
        """Open the store, with more patience than a busy test machine needs."""
        store = Store(store_url, patience=30)
        store.open()
        yield store
        store.close()

    def test_reads_what_was_appended_in_order(self, store: Store) -> None:
        """Lines come back as they were given, in the order in which they were."""
        lines = [_line(number, endpoint="ab"[number % 2]) for number in range(2_500)]
        for line in lines:
            store.journal.append(Write(lines=(line,)))
        assert store.journal.flush(30)
        assert [entry.line for entry in store.journal.read()] == lines
        assert [entry.line for entry in store.journal.read(endpoint="b")] == lines[1::2]
        assert [entry.line for entry in store.journal.read(request_id="r7")] == [lines[7]]

    def test_reads_on_after_an_id_up_to_a_limit(self, store: Store) -> None:
        """A reader goes on where it stopped."""
        for number in range(10):
            store.journal.append(Write(lines=(_line(number, kind="ab"[number % 2]),)))
        assert store.journal.flush(30)
        first = list(store.journal.read(limit=4))
        rest = list(store.journal.read(after=first[-1].id))
        assert [entry.line.request_id for entry in first + rest] == [f"r{n}" for n in range(10)]
        assert len(list(store.journal.read(kinds=["a"], limit=3))) == 3
        assert {entry.line.kind for entry in store.journal.read(kinds=["a"])} == {"a"}

    def test_what_was_committed_is_there_after_reopening(
        self, store: Store, store_url: str
    ) -> None:
        """Another store at the same address sees each committed write at once."""
        assert _commit(store, *(Write(lines=(_line(n),)) for n in range(20))) == [True] * 20
        with _another(store_url) as other:
            found = {entry.line.request_id for entry in other.journal.read()}
        assert found == {f"r{number}" for number in range(20)}

    def test_a_message_is_taken_once(self, store: Store) -> None:
        """A duplicate is told apart, in its group and later, and nothing of it is written."""
        one = Write(lines=(_line(1),), observations=(seen("u", "both"),), inbox=_mark("m1"))
        two = Write(lines=(_line(2),), inbox=_mark("m2"))
        other = Write(lines=(_line(3),), inbox=InboxMark("else", "m1", "h"))
        assert sorted(_commit(store, one, one, two, other), key=bool) == [False, True, True, True]
        again = Write(lines=(_line(4),), observations=(seen("v", "legacy"),), inbox=_mark("m1"))
        assert _commit(store, again, Write(lines=(_line(5),))) == [False, True]
        requests = [e.line.request_id for e in store.journal.read(kinds=["request"])]
        assert sorted(requests) == ["r1", "r2", "r3", "r5"]
        assert store.evidence.counts("e", "v1").legacy == 0
        assert store.inbox.seen("bridge", "m1") == "h"
        assert store.inbox.seen("bridge", "m9") is None

    def test_what_was_decided_on_something_that_changed_is_refused(self, store: Store) -> None:
        """Nothing of it is written; of two in one group on the same key, the first is."""
        first, second = _decided(1), _decided(2)
        results = _commit(store, first, second)
        assert sorted(map(type, results), key=str) == sorted([bool, Overtaken], key=str)
        (again,) = _commit(store, _decided(3))
        assert isinstance(again, Overtaken)
        assert len(list(store.journal.read(kinds=["request"]))) == 1

    def test_a_write_without_a_line_leaves_one(self, store: Store) -> None:
        """So that a commit which nobody confirmed can be asked about."""
        assert _commit(store, Write(inbox=_mark("m1"))) == [True]
        (note,) = store.journal.read()
        assert (note.line.kind, note.line.data["marks"]) == ("note", 1)
        assert _commit(store, Write(inbox=_mark("m1"))) == [False]
        assert len(list(store.journal.read())) == 1

    def test_the_same_id_with_other_bytes_is_an_error(self, store: Store) -> None:
        """It is neither taken nor passed over; its neighbours are written."""
        _commit(store, Write(lines=(_line(1),), inbox=_mark("m1")))
        changed = Write(lines=(_line(2),), inbox=_mark("m1", "other"))
        results = _commit(store, changed, Write(lines=(_line(3),), inbox=_mark("m3")))
        assert isinstance(results[0], Conflict)
        assert not isinstance(results[0], StoreUnavailable)
        assert "m1" in str(results[0])
        assert results[1] is True
        assert [e.line.request_id for e in store.journal.read()] == ["r1", "r3"]

    def test_many_that_are_handed_over_at_once_stand_each_for_itself(self, store: Store) -> None:
        """One is known, one is another one's, one cannot be stored: all others are written."""
        _commit(store, Write(lines=(_line(0),), inbox=_mark("m0")))
        unfit = Effect("capture", ("s", None, 1, 1.0))
        results = _commit_all(
            store,
            Write(lines=(_line(1),), inbox=_mark("m1")),
            Write(lines=(_line(2),), inbox=_mark("m0")),
            Write(lines=(_line(3),), inbox=_mark("m0", "other")),
            Write(lines=(_line(4),), inbox=_mark("m4"), effects=(unfit,)),
            Write(lines=(_line(5), _line(6)), inbox=_mark("m5")),
        )
        assert (results[0], results[1], results[4]) == (True, False, True)
        assert isinstance(results[2], Conflict)
        assert isinstance(results[3], StoreError)
        assert not isinstance(results[3], StoreUnavailable)
        written = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
        assert written == ["r0", "r1", "r5", "r6"]

    def test_a_route_is_changed_on_the_version_that_was_read(self, store: Store) -> None:
        """Of two that decide on the same version, one wins, and the other writes nothing."""
        route = _put(store, Route(endpoint="e"), "begin")
        assert route.version == 1
        moved = _put(store, _staged(route, Stage.SHADOW), "advance")
        stamp = store.routes.stamp()
        with pytest.raises(RouteConflict):
            _put(store, _staged(route, Stage.LIVE), "advance")
        with pytest.raises(RouteConflict):
            _put(store, Route(endpoint="e"), "begin")
        assert store.routes.get("e") == moved
        assert store.routes.all() == {"e": moved}
        assert store.routes.stamp() == stamp
        assert len(store.routes.history("e")) == 2

    def test_the_stamp_tells_of_every_change(self, store: Store, store_url: str) -> None:
        """Another process's change is seen by asking for one number."""
        stamps = [store.routes.stamp()]
        with _another(store_url) as other:
            for name in ("e", "f"):
                route = _put(other, Route(endpoint=name), "begin")
                stamps.append(store.routes.stamp())
                _put(other, _staged(route, Stage.SHADOW), "advance")
                stamps.append(store.routes.stamp())
        assert len(set(stamps)) == 5

    def test_the_history_of_a_route_is_whole(self, store: Store) -> None:
        """Each change says who, why, on what evidence, and what it was before and after."""
        first = _put(store, Route(endpoint="e", salt="s"), "begin")
        second = _put(store, _staged(first, Stage.CANARY, 12.5), "advance")
        begin, advance = store.routes.history("e")
        assert (begin.before, begin.after, begin.version) == (None, first, 1)
        assert (advance.before, advance.after, advance.version) == (first, second, 2)
        assert (advance.action, advance.who, advance.why) == ("advance", "ada", "it is better")
        assert advance.evidence == {"n": 120, "note": "Ж"}
        assert begin.at <= advance.at
        lines = [entry.line for entry in store.journal.read(kinds=["route"])]
        assert [line.data["action"] for line in lines] == ["begin", "advance"]
        assert store.routes.history("none") == []
        assert store.routes.get("none") is None

    def test_the_first_observation_of_an_input_stands(self, store: Store) -> None:
        """The same input twice is one observation, for each revision on its own."""
        given = [seen("u1", "both"), seen("u1", "legacy"), seen("u2", "replacement")]
        given += [seen("u3", "open"), seen("u4", "neither"), seen("u1", "legacy", "v2")]
        for one in given:
            _commit(store, Write(observations=(one,)))
        counts = store.evidence.counts("e", "v1")
        assert (counts.both, counts.legacy, counts.replacement) == (1, 0, 1)
        assert (counts.neither, counts.open) == (1, 1)
        assert store.evidence.counts("e", "v2").legacy == 1
        assert store.evidence.counts("e", "v3").both == 0

    def test_evidence_is_rebuilt_from_the_journal(self, store: Store) -> None:
        """The projection equals what the journal says, even where it was tampered with."""
        for number in range(40):
            winner = ("both", "legacy", "replacement")[number % 3]
            _commit(store, Write(observations=(seen(f"u{number % 25}", winner),)))
        before = _evidence(store)
        with store.database.write() as connection:
            connection.execute(delete(tables.evidence).where(tables.evidence.c.unit == "u3"))
            connection.execute(update(tables.evidence).values(winner="legacy"))
            forged = {
                "endpoint": "e",
                "revision": "v1",
                "unit": "forged",
                "winner": "both",
                "line": 9,
            }
            connection.execute(insert(tables.evidence).values(**forged))
        assert store.evidence.rebuild() == (25, 0)
        assert _evidence(store) == before


@contextlib.contextmanager
def _another(url: str) -> Iterator[Store]:
    """Give the store of another process, not opened, and let go of it."""
    store = Store(url)
    try:
        yield store
    finally:
        store.close()


def _commit(store: Store, *writes: Write) -> list[bool | BaseException]:
    async def together() -> list[bool | BaseException]:
        commits = (store.journal.commit(write) for write in writes)
        return await asyncio.gather(*commits, return_exceptions=True)

    return asyncio.run(together())


def _commit_all(store: Store, *writes: Write) -> Sequence[bool | BaseException]:
    async def at_once() -> Sequence[bool | BaseException]:
        return await store.journal.submit_all([store.journal.prepare(one) for one in writes])

    return asyncio.run(at_once())


def _line(number: int, *, endpoint: str = "e", kind: str = "request") -> Line:
    data: dict[str, object] = {"n": number, "text": 'é "quoted" \u0000', "list": [1, None, True]}
    return Line(kind=kind, endpoint=endpoint, request_id=f"r{number}", at=0.1 + number, data=data)


def _mark(message_id: str, payload_hash: str = "h") -> InboxMark:
    return InboxMark("bridge", message_id, payload_hash)


def _decided(number: int) -> Write:
    """Let a request wait for its outcome, decided while nothing of its key was there."""
    values = ("e", "k", f"r{number}", 1.0, 2.0, "waiting", "{}")
    return Write(
        lines=(_line(number),),
        effects=(Effect("await", values),),
        expect=Expect("e", "k", Stamp()),
    )


def _evidence(store: Store) -> list[tuple[object, ...]]:
    query = select(tables.evidence).order_by(tables.evidence.c.unit)
    with store.database.read() as connection:
        return [tuple(found) for found in connection.execute(query)]


def _put(store: Store, route: Route, action: str) -> Route:
    evidence = {"n": 120, "note": "Ж"}
    return store.routes.put(route, action=action, who="ada", why="it is better", evidence=evidence)


def _staged(route: Route, stage: Stage, percent: float = 0.0) -> Route:
    return Route(
        endpoint=route.endpoint,
        stage=stage,
        percent=percent,
        salt=route.salt,
        version=route.version,
    )
