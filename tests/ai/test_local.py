"""The local provider's options, margins and refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

pytest.importorskip("onnxruntime")

from stranglerfig.ai.local import LocalProvider
from stranglerfig.errors import (
    ConfigError,
    DeadlineExceeded,
    ReplacementError,
    ReplacementUnavailable,
)
from stranglerfig.model import Request


def build(taught, revision="", **options):
    return LocalProvider(
        name="t",
        options={"model": taught[0].name, **options},
        place="fig.toml: replacement.t",
        root=taught[0].parent,
        revision=revision,
    )


def ask(payload, **rest):
    return Request(id="r", operation="o", version=1, source="s", payload=payload, **rest)


@pytest.fixture
async def opened(taught):
    parts = []

    async def open_(**options):
        part = build(taught, **options)
        parts.append(part)
        await part.open()
        return part

    yield open_
    for part in parts:
        await part.close()


async def test_fields_of_request_and_reply(opened):
    part = await opened(
        text="mail.body",
        predicts="ticket.queue",
        confidence="ticket.score",
        margin=0.0,
        derive={"ticket.rank": {"from": "ticket.queue", "table": {"login": 0.5}, "else": 1}},
        constant={"by": "model", "share": 0.25},
    )
    reply = await part.answer(ask({"mail": {"body": "I forgot my password, cannot log in"}}))
    score = reply.payload["ticket"]["score"]
    assert reply.payload == {
        "ticket": {"queue": "login", "score": score, "rank": Decimal("0.5")},
        "by": "model",
        "share": Decimal("0.25"),
    }
    assert isinstance(score, Decimal)
    assert score.as_tuple().exponent == -2
    assert abs(float(score) - reply.confidence) <= 0.005
    assert reply.produced_by == f"t@{part.revision}"


async def test_under_the_margin_it_abstains_and_says_by_how_much(opened):
    part = await opened(margin=0.99)
    reply = await part.answer(ask({"text": "hello there"}))
    assert (reply.status, reply.payload) == ("abstained", None)
    assert reply.reason == f"{reply.confidence:.2f} is under the margin 0.99"


async def test_an_empty_text_abstains(opened):
    reply = await (await opened()).answer(ask({"text": " \n"}))
    assert (reply.status, reply.confidence) == ("abstained", 0.0)


@pytest.mark.parametrize("payload", [{}, {"text": None}, {"text": {"a": "b"}}])
async def test_a_text_that_is_none_is_refused(opened, payload):
    part = await opened()
    with pytest.raises(ReplacementError, match="'text'"):
        await part.answer(ask(payload))


async def test_a_request_whose_time_is_over_is_not_embedded(opened):
    part = await opened()
    with pytest.raises(DeadlineExceeded):
        await part.answer(ask({"text": "hello"}, deadline=1.0))


async def test_the_learnt_margin_holds_unless_another_is_given(taught, opened):
    assert (await opened())._margin == taught[1][-1].margin
    assert (await opened(margin=0.123))._margin == 0.123


async def test_revisions(taught, opened):
    newest, older = taught[1][-1].revision, taught[1][0].revision
    assert build(taught).revision.startswith(f"{newest}-")
    assert (await opened()).revision == build(taught).revision
    assert (await opened(revision=older)).revision.startswith(f"{older}-")
    options = [{}, {"margin": 0.5}, {"confidence": "score"}, {"constant": {"a": 1}}]
    assert len({build(taught, **one).revision for one in options}) == 4
    assert build(taught, threads=2).revision == build(taught).revision


async def test_a_revision_made_with_other_options_is_not_served(taught):
    part = build(taught, revision=build(taught, margin=0.5).revision)
    with pytest.raises(ReplacementUnavailable, match="other options"):
        await part.open()
    await part.close()


async def test_nothing_learnt_and_a_revision_that_is_not_there(taught, tmp_path):
    part = LocalProvider(name="t", options={"model": "none"}, root=tmp_path)
    assert part.revision == ""
    with pytest.raises(ReplacementUnavailable, match="nothing was learnt"):
        await part.open()
    with pytest.raises(ReplacementUnavailable, match="0123456789ab"):
        await build(taught, revision="0123456789ab").open()


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"margin": 1.0}, "margin"),
        ({"threads": 0}, "threads"),
        ({"predict": "x"}, "predict"),
        ({"derive": {"a": {"from": "b", "table": {}}}}, "derive.a.from"),
        ({"derive": {"a": {"tabel": {}}}}, "derive"),
    ],
)
def test_options_that_do_not_fit_name_their_key(taught, options, place):
    with pytest.raises(ConfigError) as caught:
        build(taught, **options)
    assert caught.value.place.startswith("fig.toml: replacement.t")
    assert place in caught.value.place


async def test_a_table_that_lacks_a_class_is_refused_at_open(taught):
    part = build(taught, derive={"a": {"table": {"login": 1}}})
    with pytest.raises(ConfigError, match=r"derive\.a\.table"):
        await part.open()
    await part.close()
