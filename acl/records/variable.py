"""Records behind descriptor words, bare (RDW) or in blocks (BDW and RDW)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .descriptor import SIZE, Descriptor, block_word, record_word
from .fixed import cut
from .format import RecordFormat
from .record import PLAIN, Bad, BadKind, Found, Frame, RawRecord
from .window import Window

__all__ = ["read_blocks", "read_words"]

_LOOK = 4096
_BLOCK = 1024 * 1024
"""Blocks on disk have at most 32,760 bytes, those on tape may have more."""


def read_words(window: Window, form: RecordFormat) -> Iterator[Found]:
    """Give the records of a file with RDWs.

    Nothing marks where a record begins but the length of the one before: behind a word that cannot
    be right, the file cannot be read on.
    """
    word = record_word(form)
    number = 0
    while head := window.take(word.size):
        number += 1
        offset = window.offset - len(head)
        if len(head) < word.size:
            yield _bad("border", number, offset, head, "the file ends inside a descriptor word")
            return
        found = word.read(head)
        if found.length == 0 and not any(found.other):
            bad, number = _zeros(window, head, number, offset)
            yield bad
            continue
        if not 0 < found.length <= form.longest:
            yield _impossible(number, offset, head, found, form)
            return
        body = window.take(found.length)
        if len(body) < found.length:
            yield _ends(number, offset, head, body, found)
            return
        yield _record(number, offset + word.size, body, found, form)


def read_blocks(window: Window, form: RecordFormat) -> Iterator[Found]:
    """Give the records of a file with BDWs and RDWs.

    What is wrong inside a block ends with it; behind a wrong BDW the file cannot be read on.
    """
    word = block_word(form)
    number = 0
    while head := window.take(SIZE):
        offset = window.offset - len(head)
        block = word.read(head) if len(head) == SIZE else Descriptor(0)
        if block.length < SIZE:
            what = f"a block cannot have {block.length} bytes"
            yield _bad("stop", number + 1, offset, head, what, "a block descriptor word")
            return
        frame = Frame(block=block.other)
        for found in _block(window, form, number, block.length):
            number = found.number
            # Only the first record that is taken marks where the block begins.
            if isinstance(found, RawRecord):
                yield _marked(found, frame)
                frame = PLAIN
                continue
            yield found
            if found.kind == "stop":
                return


def _block(window: Window, form: RecordFormat, number: int, left: int) -> Iterator[Found]:
    word = record_word(form)
    while left:
        number += 1
        offset = window.offset
        head = window.take(min(word.size, left))
        left -= len(head)
        if len(head) < word.size:
            what = f"no record fits in the {len(head) + left} bytes left of its block"
            yield _remains(window, number, offset, head, left, what)
            return
        found = word.read(head)
        if found.length == 0 and not any(found.other):
            bad, number = _zeros(window, head, number, offset, left)
            left -= bad.length - word.size
            yield bad
            continue
        if not 0 < found.length <= min(left, form.longest):
            what = f"a record of {found.length} bytes does not fit in the {left} left of its block"
            yield _remains(window, number, offset, head, left, what)
            return
        body = window.take(found.length)
        if len(body) < found.length:
            yield _ends(number, offset, head, body, found)
            return
        left -= len(body)
        yield _record(number, offset + word.size, body, found, form)


def _record(number: int, offset: int, body: bytes, found: Descriptor, form: RecordFormat) -> Found:
    frame = PLAIN if not any(found.other) else Frame(rdw=found.other)
    return cut(number, offset, body, form, frame)


def _marked(record: RawRecord, mark: Frame) -> RawRecord:
    if mark is PLAIN:
        return record
    own = record.frame
    frame = Frame(block=mark.block, rdw=own.rdw, start=own.start, stop=own.stop)
    return RawRecord(record.number, record.offset, record.body, frame)


def _remains(window: Window, number: int, offset: int, head: bytes, left: int, reason: str) -> Bad:
    """Take what is left of a block; one so long that it is likely no block is left alone."""
    if left > _BLOCK:
        return _bad("stop", number, offset, head, reason, f"a block of at most {_BLOCK} bytes")
    return _bad("border", number, offset, head + window.take(left), reason)


def _zeros(
    window: Window, head: bytes, number: int, offset: int, left: int = sys.maxsize
) -> tuple[Bad, int]:
    """Take the run of words that say zero, which padding at the end of a file may be full of."""
    count, size = 1, len(head)
    while (again := window.peek(min(_LOOK, left))).startswith(head):
        same = len(again) - len(again) % size
        if again[:same] != head * (same // size):
            same = next(at for at in range(0, same, size) if again[at : at + size] != head)
        left -= window.drop(same)
        count += same // size
    several = f"{count} records of no bytes, one behind the other"
    bad = Bad(
        kind="border",
        number=number,
        offset=offset,
        length=count * size,
        body=head,
        reason="a record of no bytes" if count == 1 else several,
        expected="a record descriptor word with a length",
    )
    return bad, number + count - 1


def _impossible(
    number: int, offset: int, head: bytes, found: Descriptor, form: RecordFormat
) -> Bad:
    # A word of the other byte order has its length where this one has nothing.
    doubt = "the other byte order" if found.length == 0 else "the byte order, the adjustment"
    what = f"a record cannot have {found.length} bytes, and nothing says where the next begins"
    wanted = f"1 to {form.longest} bytes: look at {doubt} and the header"
    return _bad("stop", number, offset, head, f"{what}: is it {doubt}?", wanted)


def _ends(number: int, offset: int, head: bytes, body: bytes, found: Descriptor) -> Bad:
    what = f"the file ends after {len(body)} of the record's {found.length} bytes"
    return _bad("border", number, offset, head + body, what, f"{found.length} bytes")


def _bad(
    kind: BadKind, number: int, offset: int, body: bytes, reason: str, expected: str = ""
) -> Bad:
    return Bad(
        kind=kind,
        number=number,
        offset=offset,
        length=len(body),
        body=body,
        reason=reason,
        expected=expected,
    )
