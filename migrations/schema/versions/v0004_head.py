"""The journal's head, links over digests, so that data can go, and the line of each evidence.

Every line is linked anew, after the old chain was proved. The column of the links has a new name:
a process of a version before, which would link in the old way, cannot write any more.

Revision ID: 0004
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
oldest = "0004"
"""The oldest code that works on these tables."""

_GENESIS = "0" * 64
_PAGE = 1_000
_canonical = msgspec.json.Encoder().encode

_Line = tuple[int, float, str, str, str, str, str, str]
"""id, at, kind, endpoint, request_id, revision, data and the old hash."""


def upgrade() -> None:
    op.execute("ALTER TABLE journal RENAME COLUMN hash TO link")
    # Its keys came in no order: each line dirtied a page of its own, for a question asked by hand.
    op.drop_index("ix_journal_request_id", "journal")
    op.add_column("journal", sa.Column("digest", sa.String(64), nullable=True))
    op.add_column("evidence", sa.Column("line", sa.BigInteger, nullable=False, server_default="0"))
    head = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("last_link", sa.String(64), nullable=False),
        sa.Column("cut_id", sa.BigInteger, nullable=False),
        sa.Column("cut_link", sa.String(64), nullable=False),
        sa.Column("compacted_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.String, nullable=False),
    )
    last_id, last_link = _relink(op.get_bind())
    begins = {"cut_id": 0, "cut_link": _GENESIS, "compacted_id": 0, "version": revision}
    op.bulk_insert(head, [{"id": 1, "last_id": last_id, "last_link": last_link, **begins}])


def _relink(connection: sa.Connection) -> tuple[int, str]:
    old, new, number = _GENESIS, _GENESIS, 0
    while page := _page(connection, number):
        links = []
        for line in page:
            old = _proved(old, number, line)
            number, new = line[0], _linked(new, line)
            links.append({"number": number, "new": new})
        connection.execute(sa.text("UPDATE journal SET link = :new WHERE id = :number"), links)
        observed = [dict(each) for each in _observed(page)]
        if observed:
            connection.execute(_EVIDENCE, observed)
    return (number, new) if number == 0 else _tell(connection, number, old, new)


_EVIDENCE = sa.text(
    "UPDATE evidence SET line = :line WHERE endpoint = :endpoint AND revision = :revision"
    " AND unit = :unit AND line = 0"
)


def _tell(connection: sa.Connection, number: int, old: str, new: str) -> tuple[int, str]:
    """Chain a line that tells of it, with the old chain's end: it may stand in somebody's notes."""
    told = {"event": "linked anew", "lines": number, "old hash": old}
    data = json.dumps(told)
    line = (number + 1, time.time(), "note", "", "", "", data, "")
    linked = _linked(new, line)
    names = ("id", "at", "kind", "endpoint", "request_id", "revision", "data", "link")
    statement = f"INSERT INTO journal ({', '.join(names)}) VALUES (:{', :'.join(names)})"  # noqa: S608
    connection.execute(sa.text(statement), dict(zip(names, (*line[:-1], linked), strict=True)))
    return number + 1, linked


def _page(connection: sa.Connection, after: int) -> Sequence[_Line]:
    columns = "id, at, kind, endpoint, request_id, revision, data, link"
    query = f"SELECT {columns} FROM journal WHERE id > :after ORDER BY id LIMIT {_PAGE}"  # noqa: S608
    found = connection.execute(sa.text(query), {"after": after})
    return [tuple(line) for line in found]


def _proved(old: str, before: int, line: _Line) -> str:
    number, *fields, found = line
    if number != before + 1:
        raise ValueError(f"line {before + 1} of the journal is missing")
    if sha256(old.encode() + _canonical(fields)).hexdigest() != found:
        raise ValueError(f"line {number} of the journal was changed or moved")
    return found


def _linked(new: str, line: _Line) -> str:
    _, at, kind, endpoint, request, revised, data, _ = line
    digest = sha256(data.encode()).hexdigest()
    sealed = _canonical((at, kind, endpoint, request, revised, digest))
    return sha256(new.encode() + sealed).hexdigest()


def _observed(page: Sequence[_Line]) -> Iterator[dict[str, object]]:
    for number, _, kind, endpoint, _, revised, data, _ in page:
        if kind == "comparison":
            unit = json.loads(data)["unit"]
            yield {"line": number, "endpoint": endpoint, "revision": revised, "unit": unit}
