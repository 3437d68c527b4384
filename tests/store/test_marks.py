from __future__ import annotations

import asyncio

import pytest

from stranglerfig.errors import Conflict, StoreError
from stranglerfig.model import Record
from stranglerfig.store import Line, Write
from stranglerfig.store.captured import Captured, capture_effects
from stranglerfig.store.write import InboxMark


def marked(message: str, digest: str = "d") -> Write:
    line = Line(kind="request", data={"message": message, "digest": digest})
    return Write(lines=(line,), inbox=InboxMark("e", message, digest, '{"ä": "\\u0001"}'))


def image(row: str, digest: int) -> Write:
    headers = (("op", "insert"), ("row", row), ("image", str(digest)))
    record = Record(source="s", position="1", kind="row", body=b"", headers=headers)
    return Write(lines=(Line(kind="request"),), effects=capture_effects(record))


async def together(store, *writes):
    """Have all in one group: the writer finds them when the store is free again."""
    with store.database.write():
        asked = [asyncio.ensure_future(store.journal.commit(write)) for write in writes]
        await asyncio.sleep(0.02)
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_of_a_group_what_is_new_is_written_and_the_rest_is_told(either):
    assert await together(either, marked("1"), marked("2")) == [True, True]
    writes = [marked("3"), marked("1"), marked("3"), marked("2", "other"), marked("4")]
    *told, conflict, last = await together(either, *writes)
    assert (told, last) == ([True, False, False], True)
    assert isinstance(conflict, Conflict)
    assert [entry.line.data["message"] for entry in either.journal.read()] == ["1", "2", "3", "4"]


async def test_of_two_images_of_a_row_in_a_group_the_later_one_stands(either):
    writes = [image('["i1"]', 2**62), image('["tä"]', -(2**62)), image('["i1"]', 7)]
    assert await together(either, *writes) == [True, True, True]
    known = Captured(either.database).known("s", ['["i1"]', '["tä"]'])
    assert known == {'["i1"]': 7, '["tä"]': -(2**62)}


@pytest.mark.parametrize("text", ["\ud800", "nul \x00"])
async def test_a_mark_that_cannot_be_stored_holds_up_no_other(either, text):
    told = await together(either, marked("1"), marked(text), marked("2"))
    assert (told[0], told[2]) == (True, True)
    assert isinstance(told[1], StoreError) or (either.database.file is not None and "nul" in text)
