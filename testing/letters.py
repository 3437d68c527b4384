"""What a store promises of dead letters, as tests: a part of every store's contract."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from ..store import Store, Write
from ..store.page import Page
from .samples import letter

__all__ = ["LettersContract"]


class LettersContract:
    """The laws of dead letters. A subclass gives the fixture ``store``."""

    def test_dead_letters_come_in_pages_and_the_rest_is_counted(self, store: Store) -> None:
        """From either end, by source and by the class of any error that they came from."""
        _keep(store, *(Write(dead=letter(number)) for number in range(7)))
        deep = ({"error": "StoreError", "message": "\0"}, {"error": "DataError", "message": "%_"})
        _keep(store, Write(dead=replace(letter(7), source="other", error=deep[0], chain=deep)))
        letters = store.dead_letters
        numbers = [one.id for one in letters.read()]
        assert [one.id for one in letters.read(page=Page(limit=3))] == numbers[:3]
        page = Page(limit=2, after=numbers[5], newest=True)
        assert [one.id for one in letters.read(page=page)] == [numbers[4], numbers[3]]
        assert letters.count(page=page) == 5
        assert [one.id for one in letters.read(page=Page(newest=True))] == numbers[::-1]
        assert letters.count(source="q", page=Page(after=numbers[2])) == 4
        for error in ("StoreError", "DataError"):
            assert [one.id for one in letters.read(error=error)] == numbers[7:]
        assert letters.count(error="MappingError") == 7
        assert [letters.count(error=error) for error in ("Mapping", "%", '"', "\0")] == [0] * 4

    def test_a_dead_letter_is_kept_whole(self, store: Store) -> None:
        """Its bytes, headers and error come back, and a line tells of it."""
        letters = [letter(number) for number in range(3)]
        _keep(store, *(Write(dead=one) for one in letters))
        kept = list(store.dead_letters.read())
        assert sorted((k.letter for k in kept), key=lambda d: d.position) == letters
        assert store.dead_letters.count() == 3
        assert store.dead_letters.get(kept[1].id) == kept[1]
        assert list(store.dead_letters.read(source="q", page=Page(after=kept[0].id))) == kept[1:]
        assert list(store.dead_letters.read(source="other")) == []
        assert len(list(store.journal.read(kinds=["dead"]))) == 3


def _keep(store: Store, *writes: Write) -> None:
    async def together() -> None:
        await asyncio.gather(*(store.journal.commit(write) for write in writes))

    asyncio.run(together())
