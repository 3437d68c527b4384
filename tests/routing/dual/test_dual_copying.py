"""What is left of writes to both sides: copied in order, found out about, never blindly repeated."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from stranglerfig.errors import ConfigError, FigError, InDoubt
from stranglerfig.model import Data, Side, Stage
from stranglerfig.route_settings import Dual
from stranglerfig.routing.dual.copying import Copying
from stranglerfig.routing.dual.lookup import load_lookups, look_up

SAID = {}
ASKED = []


def says(request):
    """A look-up, as [endpoint.NAME.dual] names one."""
    ASKED.append(request)
    said = SAID["says"]
    if isinstance(said, Exception):
        raise said
    return said


async def says_later(request):
    return says(request)


@pytest.fixture(autouse=True)
def forget():
    SAID.clear()
    ASKED.clear()


@pytest.fixture(params=["legacy", "replacement"])
def order(request, table, sides):
    """Each of the two orders, as the sides' names."""
    if request.param == "replacement":
        table.reversed()
    return (
        (Side.REPLACEMENT, Side.LEGACY)
        if request.param == "replacement"
        else (Side.LEGACY, Side.REPLACEMENT)
    )


async def left(dispatcher, doubling, sides, order, call, word, text="one", at=1):
    """Have a write of which a side did that with the words."""
    sides[order[at]].plan = [word]
    try:
        await dispatcher.serve(call(text=text, position=text))
    except FigError:
        assert at == 0
    await doubling.drain(10)


async def test_what_was_not_copied_is_tried_until_it_is(
    dispatcher, doubling, sides, order, call, copied, states, offers
):
    await left(dispatcher, doubling, sides, order, call, "unsent")
    sides[order[1]].plan = ["unsent", "unsent"]
    await copied()
    assert states() == ["done"]
    assert (sides[order[0]].has, sides[order[1]].has) == (["one"], ["one"])
    (pair,) = offers.pairs
    assert b"C05" in pair.legacy.body
    assert pair.replacement.payload["category"] == "quote"


async def test_what_is_refused_waits_with_the_reason(
    dispatcher, doubling, sides, order, call, copying, work, dual
):
    await left(dispatcher, doubling, sides, order, call, "refuse")
    (write,) = work.open("triage", doubts=True)
    assert write.state == "first"
    assert write.error.startswith("refused: ")
    assert work.lag("triage").to(order[1]) == 1
    work.settle(write.id, happened=True, who="a person", why="done by hand")
    assert work.lag("triage").waiting == 0
    assert await copying.look() == 0


@pytest.mark.parametrize("at", [0, 1])
async def test_a_doubt_of_what_may_not_be_repeated_waits_for_a_person(
    dispatcher, doubling, sides, order, call, copied, work, at
):
    await left(dispatcher, doubling, sides, order, call, "lost", at=at)
    await copied()
    (write,) = work.open("triage", doubts=True)
    assert (write.state, write.side) == ("doubt", order[at])
    assert sides[order[at]].asked == 1
    assert "nothing says how" in write.error
    work.settle(write.id, happened=True, who="a person", why="it is there")
    await copied()
    assert sides[order[0]].has == sides[order[1]].has == ["one"]


@pytest.mark.parametrize("effect", ["idempotent"])
@pytest.mark.parametrize("at", [0, 1])
async def test_what_is_idempotent_is_sent_again_under_the_same_key(
    dispatcher, doubling, sides, order, call, copied, states, at, effect
):
    await left(dispatcher, doubling, sides, order, call, "lost", at=at)
    sides[order[at]].plan = ["unsent", "doubt"]
    await copied()
    assert states() == ["done"]
    assert set(sides[order[at]].has) == {"one"}
    assert len(set(sides["replacement"].keys)) == 1
    answer = await dispatcher.serve(call(text="one", position="one"))
    assert answer.header(":status") == "200"


@pytest.fixture
def asking(doubled, copying, doubling, monkeypatch):
    """What copies, with a look-up for both sides."""
    with_lookups = dataclasses.replace(
        doubled, lookups={Side.LEGACY: says, Side.REPLACEMENT: says_later}
    )
    monkeypatch.setattr(copying, "_endpoints", lambda: {"triage": with_lookups})
    return copying


@pytest.mark.parametrize("effect", ["compensable", "idempotent"])
@pytest.mark.parametrize(("at", "has"), [(0, True), (0, False), (1, True), (1, False)])
async def test_a_side_is_asked_whether_it_has_it(
    dispatcher, doubled, doubling, sides, order, call, asking, copied, states, at, has, store
):
    object.__setattr__(doubled, "lookups", {Side.LEGACY: says, Side.REPLACEMENT: says_later})
    await left(dispatcher, doubling, sides, order, call, "lost" if has else "doubt", at=at)
    SAID["says"] = has
    await copied()
    assert [request.payload["text"] for request in ASKED][-1] == "one"
    assert ASKED[-1].idempotency_key
    expected = ["one"] if has or at == 1 else []
    assert sides[order[0]].has == sides[order[1]].has == expected
    assert states() == ["done" if expected else "undone"]
    settled = [entry.line.data for entry in store.journal.read(kinds=["dual"])]
    assert [one["who"] for one in settled if one["action"] == "settled"] == ["look-up"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "cannot tell"),
        ("yes", "gave 'yes'"),
        (RuntimeError("no"), "raised RuntimeError"),
        (InDoubt("gave no answer"), "gave no answer"),
    ],
)
async def test_what_cannot_be_looked_up_stays_in_doubt(
    dispatcher, doubling, sides, order, call, asking, copied, work, said, why
):
    await left(dispatcher, doubling, sides, order, call, "lost")
    SAID["says"] = said
    await copied()
    (write,) = work.open("triage", doubts=True)
    assert write.state == "doubt"
    assert why in write.error
    assert sides[order[1]].asked == 1


async def test_who_ended_between_the_two_leaves_what_others_bring_to_its_end(
    dispatcher, doubling, sides, order, call, asking, copied, work, store, states
):
    await left(dispatcher, doubling, sides, order, call, "unsent")
    # As if somebody had been asking the second side, and had been killed.
    with store.database.write(chained=False) as connection:
        side = order[1].value
        statement = "UPDATE dual_writes SET side = ?, lease_token = 'gone', lease_until = 1"
        connection.exec_driver_sql(statement, (side,))
    SAID["says"] = False
    await copied()
    assert states() == ["done"]
    assert sides[order[1]].has == ["one"]


async def test_what_legacy_misses_when_it_is_retired_is_at_an_end(
    dispatcher, doubling, sides, table, call, copied, states
):
    table.reversed()
    await left(dispatcher, doubling, sides, ("replacement", "legacy"), call, "unsent")
    table.go(stage=Stage.RETIRED, data=Data.REPLACEMENT)
    await copied()
    assert (states(), sides["legacy"].has) == (["undone"], [])


async def test_many_keys_are_copied_each_in_its_order(
    dispatcher, doubling, sides, order, call, copied, states
):
    sides[order[1]].plan = ["unsent"] * 10
    for number in range(20):
        position = text = f"{number % 5}-{number}"
        await dispatcher.serve(call(f"C-{number % 5}", text=text, position=position))
    await doubling.drain(10)
    await copied()
    assert states() == ["done"] * 20
    for side in sides.values():
        by_key = [[text for text in side.has if text[0] == key] for key in "01234"]
        assert all(some == sorted(some, key=lambda text: int(text[2:])) for some in by_key)
        assert len(side.has) == 20


async def test_two_that_copy_do_it_once(
    dispatcher, doubling, sides, order, call, copying, doubled, states
):
    await left(dispatcher, doubling, sides, order, call, "unsent")
    other = Copying(doubling, lambda: {"triage": doubled})
    await asyncio.gather(copying.look(), other.look())
    assert states() == ["done"]
    assert sides[order[1]].has == ["one"]


async def test_an_endpoint_that_is_gone_is_left_alone(
    dispatcher, doubling, sides, order, call, copying, monkeypatch, states
):
    await left(dispatcher, doubling, sides, order, call, "unsent")
    monkeypatch.setattr(copying, "_endpoints", dict)
    assert await copying.look() == 0
    assert states() == ["first"]


@pytest.mark.parametrize("target", ["nothing", "py:stranglerfig.nothing:at_all", "py:math:pi"])
def test_a_look_up_that_cannot_be_asked_is_refused(target):
    with pytest.raises(ConfigError) as wrong:
        load_lookups(Dual(lookup={"legacy": target}), "endpoint.triage.dual")
    assert "endpoint.triage.dual.lookup.legacy" in wrong.value.place


async def test_look_ups_are_named_by_side(doubled, call):
    lookups = load_lookups(Dual(lookup={"replacement": f"py:{__name__}:says"}), "here")
    assert lookups.keys() == {Side.REPLACEMENT}
    assert await look_up(lookups, Side.REPLACEMENT, None) == (
        None,
        "the record fits no request by which it could be looked up",
    )
    SAID["says"] = True
    request = doubled.request(call())
    assert (await look_up({Side.LEGACY: says}, Side.LEGACY, request))[0] is True
