"""The hash chain: each journal line carries the digest of all lines before it and of itself.

``hash = sha256(hash of the line before + the line as canonical JSON)``, in hex, the first line
standing on ``GENESIS``. Whoever changes, removes or moves a line breaks it there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from .database import Database
from .line import Line
from .tables import journal

__all__ = [
    "GENESIS",
    "Broken",
    "Row",
    "Tail",
    "encode",
    "holds",
    "link",
    "row",
    "tail",
    "verify",
]

GENESIS: Final = "0" * 64
_PAGE: Final = 1_000

Row = tuple[float, str, str, str, str, str]
"""at, kind, endpoint, request_id, revision and data (JSON text), as they are stored."""

_canonical = msgspec.json.Encoder().encode


class Tail(NamedTuple):
    """The newest line: the next one is chained to it."""

    id: int
    hash: str


class Broken(NamedTuple):
    """A place where the chain does not hold."""

    id: int
    reason: str


def row(line: Line) -> Row:
    """Make a line ready to be stored. Raises ``TypeError`` where a field is of the wrong type."""
    for value in (line.kind, line.endpoint, line.request_id, line.revision):
        if not isinstance(value, str):
            raise TypeError(f"a line's fields are text, not {type(value).__name__}")
    at = float(line.at)
    return (at, line.kind, line.endpoint, line.request_id, line.revision, encode(line.data))


def encode(data: object) -> str:
    """Write data as JSON text, whatever it is: a line is never lost for what it holds."""
    try:
        return _canonical(data).decode()
    except Exception:  # noqa: BLE001 what msgspec cannot write, a slower way can
        return _encode_anything(data)


def link(previous: str, stored: Row) -> str:
    """Give the hash of a line that follows the one of hash ``previous``."""
    return hashlib.sha256(previous.encode() + _canonical(stored)).hexdigest()


def tail(connection: Connection) -> Tail:
    """Read the newest line's id and hash; id 0 and ``GENESIS`` where there is none."""
    query = "SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1"
    found = connection.exec_driver_sql(query).first()
    return Tail(0, GENESIS) if found is None else Tail(found[0], found[1])


def holds(connection: Connection, line: Tail) -> bool:
    """Say whether the journal holds that very line."""
    query = select(journal.c.id).where(journal.c.id == line.id, journal.c.hash == line.hash)
    return connection.execute(query).first() is not None


def verify(database: Database) -> Iterator[Broken]:
    """Walk the whole chain and name each place where it does not hold; nothing where it does.

    Lines cut off at the end are not seen: nothing after them speaks of them. Raises
    ``StoreUnavailable``.
    """
    last = Tail(0, GENESIS)
    while True:
        query = select(journal).where(journal.c.id > last.id).order_by(journal.c.id).limit(_PAGE)
        with database.read() as connection:
            page = connection.execute(query).all()
        if not page:
            return
        for found in page:
            stored = tuple(found)
            yield from _check(last, stored)
            last = Tail(found.id, found.hash)


def _check(last: Tail, stored: Sequence[object]) -> Iterator[Broken]:
    number, fields, found = stored[0], stored[1:-1], stored[-1]
    if not isinstance(number, int) or number != last.id + 1:
        yield Broken(last.id + 1, f"missing: line {last.id} is followed by line {number}")
    elif hashlib.sha256(last.hash.encode() + _canonical(fields)).hexdigest() != found:
        yield Broken(number, "changed or moved: its hash does not follow from the line before")


def _encode_anything(data: object) -> str:
    try:
        plain = msgspec.to_builtins(data, enc_hook=repr, str_keys=True)
        return json.dumps(plain, default=repr, allow_nan=False)
    except Exception:  # noqa: BLE001 better its repr than nothing
        return json.dumps({"repr": repr(data)})
