"""Whether the journal is as it was written: its chain of links is walked, line by line.

What a walk finds: a line that was changed, is missing or was moved; data that went without a line
that tells of it; a front that was removed without one; and an end that was cut off, by the head,
which is written with every line. Who can write the store can write a whole new chain and its head:
that is found by an anchor only, a place and link that was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from sqlalchemy import select

from . import head
from .database import Database
from .head import Head
from .link import GENESIS, Tail, digest, link, seal
from .tables import journal

__all__ = ["NO_DATA", "Anchor", "Broken", "Stored", "Walk", "anchor", "page", "verify"]

NO_DATA: Final = "{}"
"""What stands in a compacted line in place of its data."""

_PAGE: Final = 1_000


class Broken(NamedTuple):
    """A place where the chain does not hold."""

    id: int
    reason: str


class Stored(msgspec.Struct, frozen=True):
    """A line as it is stored, in the order of its columns."""

    id: int
    at: float
    kind: str
    endpoint: str
    request_id: str
    revision: str
    data: str
    link: str
    digest: str | None = None

    @property
    def sealed(self) -> bytes:
        """Give what of it is linked."""
        data = digest(self.data) if self.digest is None else self.digest
        return seal(self.at, self.kind, self.endpoint, self.request_id, self.revision, data)


class _Told(msgspec.Struct, rename={"upto": "up to"}):
    """What a ``cut`` line says."""

    what: Literal["lines", "data"]
    upto: int
    link: str = ""


class Anchor(NamedTuple):
    """A link that somebody kept elsewhere; ``id`` 0 where its line's number was not kept."""

    id: int
    link: str

    def __str__(self) -> str:
        return f"{self.id}:{self.link}"


def anchor(text: str) -> Anchor:
    """Read an anchor, ``NUMBER:LINK`` or ``LINK``. Raises ``ValueError`` where it is none."""
    number, _, hashed = text.strip().rpartition(":")
    if len(hashed) != len(GENESIS) or set(hashed) - set("0123456789abcdef"):
        raise ValueError("not an anchor: 64 hexadecimal digits, as 'fig journal anchor' prints")
    return Anchor(int(number or 0), hashed)


class Walk:
    """Goes along the lines in their order, each handed to ``step``, and finds what does not hold.

    ``last`` is the line that was reached. ``cut`` and ``compacted`` are what the lines themselves
    say of what was removed; ``seen`` holds those of the ``anchors`` that were passed.
    """

    def __init__(self, start: Tail, anchors: Sequence[Anchor] = ()) -> None:
        self.start = start
        self.last = start
        self.lines = 0
        self.cut = Tail(0, GENESIS)
        self.compacted = 0
        self.bare = 0  # the newest line whose data is gone
        self.seen: set[Anchor] = set()
        self._anchors = anchors
        self._pass(start)

    def step(self, line: Stored) -> Iterator[Broken]:
        """Go on to the next line."""
        last, self.last = self.last, Tail(line.id, line.link)
        self.lines += 1
        if line.id != last.id + 1:
            yield Broken(last.id + 1, f"missing: line {last.id} is followed by line {line.id}")
        elif link(last.link, line.sealed) != line.link:
            yield Broken(line.id, "changed or moved: its link does not follow from the line before")
        else:
            self._pass(self.last)
            if line.kind == "cut":
                self._note(line)
        if line.digest is not None:
            self.bare = line.id
            if line.data != NO_DATA:
                yield Broken(line.id, "changed: it was compacted, and holds data again")

    def _pass(self, reached: Tail) -> None:
        if self._anchors:
            same = (one for one in self._anchors if one.link == reached.link)
            self.seen.update(one for one in same if one.id in {0, reached.id})

    def _note(self, line: Stored) -> None:
        told = msgspec.json.decode(line.data, type=_Told)
        if told.what == "lines":
            self.cut = Tail(told.upto, told.link)
        else:
            self.compacted = told.upto


def verify(database: Database, anchors: Sequence[Anchor] = ()) -> Iterator[Broken]:
    """Walk the whole chain and name each place where it does not hold; nothing where it does.

    ``anchors`` were kept elsewhere, and must be in it. Others may write meanwhile, and retention
    may remove: what was added after the walk began is not looked at. Raises ``StoreUnavailable``.
    """
    said = _head(database)
    walk = Walk(said.cut, anchors)
    while walk.last.id < said.last.id:
        lines = page(database, walk.last, said.last.id)
        if not lines or lines[0].id != walk.last.id + 1:
            now = _head(database)
            if now.cut.id > walk.last.id:  # they were removed meanwhile: go on behind the cut
                said, walk = now, Walk(now.cut, anchors)
                continue
        if not lines:
            break
        for line in lines:
            yield from walk.step(line)
    yield from _end(walk, said)
    yield from _told(walk, _head(database), said)
    for one in anchors:
        if one not in walk.seen:
            yield Broken(one.id, _unseen(one, said))


def _end(walk: Walk, said: Head) -> Iterator[Broken]:
    if walk.last.id < said.last.id:
        gone = f"missing: the journal ends at line {walk.last.id}, its head at line {said.last.id}"
        yield Broken(walk.last.id + 1, gone)
    elif walk.last != said.last:
        yield Broken(said.last.id, "changed: the head has another link for the last line")
    if said.found > said.last.id:
        yield Broken(said.last.id + 1, f"added: the head knows no line {said.found}")


def _told(walk: Walk, now: Head, said: Head) -> Iterator[Broken]:
    """Hold what the head says is gone against the lines that tell of it."""
    if walk.cut != said.cut and now.cut == said.cut:
        place = walk.start.id + 1
        yield Broken(place, f"missing: no line tells that those up to {said.cut.id} were removed")
    still = now.compacted == said.compacted
    if walk.bare > walk.compacted and (still or walk.bare > now.compacted):
        yield Broken(walk.bare, "missing: its data is gone, and no line tells of it")
    elif walk.compacted < said.compacted:
        told = f"missing: no line tells that those up to {said.compacted} were compacted"
        yield Broken(said.compacted, told)


def _unseen(one: Anchor, said: Head) -> str:
    if 0 < one.id < said.cut.id:
        return f"not to be found: lines up to {said.cut.id} were removed; look in their archive"
    return "not the journal that the anchor is of: there is no such line in it"


def _head(database: Database) -> Head:
    with database.read() as connection:
        return head.read(connection)


def page(database: Database, last: Tail, upto: int) -> list[Stored]:
    """Give the next lines behind ``last``, up to ``upto``. Raises ``StoreUnavailable``."""
    number = journal.c.id
    where = number > last.id, number <= upto
    query = select(journal).where(*where).order_by(number).limit(_PAGE)
    with database.read() as connection:
        return [Stored(*found) for found in connection.execute(query)]
