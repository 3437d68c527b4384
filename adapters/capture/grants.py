"""The rights of the bridge's own user, where somebody else installs: no more than it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import literal
from sqlalchemy.engine import Connection

from .dialect import Piece, Shape
from .events import BACKFILLS, EVENTS, GAPS, INSTALLED, LARGE

__all__ = ["grants"]

_RIGHTS: Final = {
    EVENTS.name: "SELECT, UPDATE, DELETE",
    GAPS.name: "SELECT, DELETE",
    LARGE.name: "SELECT, DELETE",
    INSTALLED.name: "SELECT",
    BACKFILLS.name: "SELECT",
}
"""None to write events, none to read or write a legacy table: what walks over rows needs more."""

_SEEN: Final = "REFERENCES"
"""With it a user of MariaDB sees the table's columns, and no row: so the bridge notices that they
change. To refer to the table with a foreign key it would also want CREATE."""

_BESIDE: Final = {"schema": ("USAGE", "SCHEMA "), "sequence": ("SELECT", "SEQUENCE ")}
"""What PostgreSQL wants besides."""


def grants(connection: Connection, user: str, shared: Sequence[Piece], shape: Shape) -> list[Piece]:
    """Give the grants on ``shared``, our tables, to a user; none where there are no users.

    ``user`` is a role in PostgreSQL and ``name`` or ``name@host`` (host ``%`` else) in MariaDB,
    where it is to see the columns of ``shape``'s table too.
    """
    kind = connection.dialect.name.replace("mariadb", "mysql")
    if kind == "sqlite" or not user:
        return []
    to = _account(connection, user) if kind == "mysql" else _quoted(connection, user)
    wanted = []
    for piece in shared:
        rights, word = _BESIDE.get(piece.kind, (_RIGHTS.get(piece.name, ""), ""))
        if rights:
            wanted.append((piece.name, rights, word + _quoted(connection, piece.name)))
    if kind == "mysql":
        schema = f"{_quoted(connection, shape.schema)}." if shape.schema else ""
        wanted.append((shape.table, _SEEN, schema + _quoted(connection, shape.table)))
    return [
        Piece(
            kind="grant",
            name=f"{name} to {user}",
            create=f"GRANT {rights} ON {on} TO {to}",
            drop=f"REVOKE {rights} ON {on} FROM {to}",
        )
        for name, rights, on in wanted
    ]


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
