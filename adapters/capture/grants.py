"""The rights of the bridge's own user, where somebody else installs: no more than it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import literal
from sqlalchemy.engine import Connection

from .dialect import Piece
from .events import BACKFILLS, EVENTS, GAPS, INSTALLED, LARGE

__all__ = ["grants"]

_RIGHTS: Final = {
    EVENTS.name: "SELECT, UPDATE, DELETE",
    GAPS.name: "SELECT, DELETE",
    LARGE.name: "SELECT, DELETE",
    INSTALLED.name: "SELECT",
    BACKFILLS.name: "SELECT",
}
"""None on legacy's tables, and none to write events: what walks over existing rows needs more."""


_BESIDE: Final = {"schema": ("USAGE", "SCHEMA "), "sequence": ("SELECT", "SEQUENCE ")}
"""What PostgreSQL wants besides."""


def grants(connection: Connection, user: str, shared: Sequence[Piece]) -> list[Piece]:
    """Give the grants on ``shared``, our tables, to a user; none where there are no users.

    ``user`` is a role in PostgreSQL and ``name`` or ``name@host`` (host ``%`` else) in MariaDB.
    """
    kind = connection.dialect.name
    if kind == "sqlite" or not user:
        return []
    to = _account(connection, user) if kind in ("mysql", "mariadb") else _quoted(connection, user)
    found = []
    for piece in shared:
        rights, word = _BESIDE.get(piece.kind, (_RIGHTS.get(piece.name, ""), ""))
        if not rights:
            continue
        on = word + _quoted(connection, piece.name)
        found.append(
            Piece(
                kind="grant",
                name=f"{piece.name} to {user}",
                create=f"GRANT {rights} ON {on} TO {to}",
                drop=f"REVOKE {rights} ON {on} FROM {to}",
            )
        )
    return found


def _account(connection: Connection, user: str) -> str:
    name, at, host = user.rpartition("@")
    parts = (name, host) if at else (user, "%")
    return "@".join(
        str(
            literal(part).compile(
                dialect=connection.dialect, compile_kwargs={"literal_binds": True}
            )
        ).replace("%%", "%")
        for part in parts
    )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
