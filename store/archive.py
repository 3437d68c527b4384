"""Lines of the journal in a file of their own, before they are removed: JSON, a line for each.

The first line says on which line of the journal the archive stands, the last one with which it
ends. So it is proved by itself, and two archives, or an archive and the journal, by their ends.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from ..errors import InputError
from . import head
from .chain import Anchor, Broken, Stored, Walk, anchor, page
from .database import Database
from .link import Tail

__all__ = ["Archive", "archive", "verify_archive"]

_FORMAT: Final = "stranglerfig journal 1"
_PAGE: Final = 1_000

_encode = msgspec.json.Encoder().encode


class _First(msgspec.Struct, frozen=True, tag="begin", tag_field="row"):
    """``after`` is the anchor of the line before."""

    format: str
    after: str


class _Row(msgspec.Struct, frozen=True, tag="line", tag_field="row"):
    line: Stored


class _Last(msgspec.Struct, frozen=True, tag="end", tag_field="row"):
    lines: int
    last: str


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds: the lines behind ``after`` up to ``last``."""

    lines: int
    after: Anchor
    last: Anchor


def archive(database: Database, file: Path, before: float) -> Archive:
    """Write the lines from before a time, from the journal's front on, into a new file, durably.

    It goes as far as the first line that is younger, and changes nothing in the journal: remove the
    lines by ``trim.remove``, up to the archive's ``last``. Raises ``StoreUnavailable`` and
    ``OSError``, as where the file is there already.
    """
    with database.read() as connection:
        said = head.read(connection)
    last, count = said.cut, 0
    with file.open("xb") as out:
        out.write(_encode(_First(_FORMAT, str(Anchor(*last)))) + b"\n")
        for line in _lines(database, last, said.last.id, before):
            out.write(_encode(_Row(line)) + b"\n")
            last, count = Tail(line.id, line.link), count + 1
        out.write(_encode(_Last(count, str(Anchor(*last)))) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return Archive(lines=count, after=Anchor(*said.cut), last=Anchor(*last))


def verify_archive(file: Path) -> tuple[Archive, list[Broken]]:
    """Prove an archive by itself: give what it holds, and each place where it does not hold.

    Raises ``InputError`` where the file is no archive.
    """
    with file.open("rb") as rows:
        first = _row(file, 1, next(rows, b""), _First)
        if first.format != _FORMAT:
            raise _no_archive(file, 1, first.format)
        walk = Walk(Tail(*anchor(first.after)))
        broken: list[Broken] = []
        end: _Last | None = None
        for number, text in enumerate(rows, 2):
            if end is not None:
                raise _no_archive(file, number, "more after its end")
            found = _row(file, number, text, _Row | _Last)
            if isinstance(found, _Last):
                end = found
            else:
                broken += walk.step(found.line)
    last = Anchor(*walk.last)
    if end is None:
        broken.append(Broken(last.id + 1, "missing: the archive was cut off"))
    elif (end.lines, end.last) != (walk.lines, str(last)):
        broken.append(Broken(last.id, f"missing or changed: the archive ends with {end.last}"))
    return Archive(lines=walk.lines, after=anchor(first.after), last=last), broken


def _lines(database: Database, last: Tail, upto: int, before: float) -> Iterator[Stored]:
    while found := page(database, last, min(last.id + _PAGE, upto)):
        old = list(itertools.takewhile(lambda line: line.at < before, found))
        yield from old
        if len(old) < len(found):
            return
        last = Tail(found[-1].id, found[-1].link)


def _row(file: Path, number: int, text: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_archive(file, number, str(error)) from error


def _no_archive(file: Path, number: int, value: str) -> InputError:
    return InputError(
        "not an archive of a journal",
        place=f"{file}: row {number}",
        value=value,
        expected="what 'fig journal archive' has written",
    )
