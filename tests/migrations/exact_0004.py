"""What code of version 0004 does on a store, kept as it was: it knows one version, its own.

Stands in for that code where its history is not at hand. Each statement is one that it ran.
"""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

VERSION = "0004"


def starts(url: str) -> bool:
    """Do as it did when it opened a store."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == (
            VERSION
        )


def writes(url: str, data: str) -> bool:
    """Do as it did when it wrote a line; False where it was told that the store is another's."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        tail = text("SELECT last_id, last_link, version FROM journal_head")
        number, link, version = connection.execute(tail).one()
        if version != VERSION:
            return False
        line = (1.5, "note", "e", "r", "", hashlib.sha256(data.encode()).hexdigest())
        linked = hashlib.sha256(link.encode() + msgspec.json.encode(line)).hexdigest()
        connection.execute(
            text(
                "INSERT INTO journal (id, at, kind, endpoint, request_id, revision, data, link)"
                " VALUES (:id, 1.5, 'note', 'e', 'r', '', :data, :link)"
            ),
            {"id": number + 1, "data": data, "link": linked},
        )
        connection.execute(
            text("UPDATE journal_head SET last_id = :id, last_link = :link"),
            {"id": number + 1, "link": linked},
        )
    return True
