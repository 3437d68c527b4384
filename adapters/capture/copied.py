"""A trigger's function proved on a temporary copy of a table that is not to be touched.

PostgreSQL keeps what a trigger does in a function. The same function is hung on an empty temporary
table, in a transaction that is rolled back: so nothing of legacy's is written or locked, and no
right on it is needed. That the trigger itself stands and is enabled, the catalogue says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ...model import Finding
from .application import execute
from .canary import Canary
from .dialect import Capture, Dialect, Operation
from .events import EVENTS
from .invented import reflected
from .postgresql.words import ident
from .savepoint import Savepoint, refusal
from .witness import Witness

__all__ = ["fires_on_copy", "truncate_fires"]

_COPY: Final = "fig_canary"
_TEMPORARY: Final = "pg_temp"
_CHANGES: Final = ("insert", "update", "delete")


def fires_on_copy(
    connection: Connection, dialect: Dialect, capture: Capture, given: Mapping[str, object]
) -> Mapping[Operation, Finding]:
    """Write a row to a copy, and say of each operation whether its function caught it.

    Called in a transaction that is rolled back. Raises ``NoRow`` where there can be no copy.
    """
    operations = tuple(one for one in _CHANGES if one in capture.operations)
    shape = capture.shape
    declared = dialect.columns(connection, shape.table, shape.schema)
    columns = [f"{ident(name)} {kind}" for name, kind in declared.items()]
    if shape.key:
        columns.append(f"PRIMARY KEY ({', '.join(map(ident, shape.key))})")
    try:
        with Savepoint(connection, keep=False):
            _copy(connection, dialect, capture, columns, operations)
            canary = Canary(connection, capture, reflected(connection, _COPY), given)
            return dict(_caught(Witness(connection, dialect, capture, canary), canary, operations))
    except DBAPIError as error:
        raise refusal(error) from error


def truncate_fires(connection: Connection, dialect: Dialect, capture: Capture) -> Finding:
    """Empty an empty copy, and say whether the function of the trigger caught it.

    Called in a transaction that is rolled back. A TRUNCATE of the table itself would lock it
    against everybody, readers too, and give it a new file.
    """
    check = "fires: truncate"
    remedy = f"run 'fig adapter install {capture.source}'"
    mine = (EVENTS.c.source == capture.source, EVENTS.c.op == "truncate")
    newest = select(EVENTS.c.id).where(*mine).order_by(EVENTS.c.id.desc()).limit(1)
    try:
        with Savepoint(connection, keep=False):
            before = connection.execute(newest).scalar()
            _copy(connection, dialect, capture, [], ("truncate",))
            execute(connection, f"TRUNCATE {_TEMPORARY}.{_COPY}")
            after = connection.execute(newest).scalar()
    except DBAPIError as error:
        says = f"not proved: no temporary copy could be made: {refusal(error)}"
        remedy = "run it as a user who may make temporary tables: --as USER"
        return Finding(check=check, state="warn", says=says, remedy=remedy)
    if after == before:
        says = "the trigger's function was called for an empty temporary table and caught nothing"
        return Finding(check=check, state="fail", says=says, remedy=remedy)
    return Finding(
        check=check,
        state="ok",
        says=(
            "the trigger's function caught the TRUNCATE of an empty temporary table, rolled back;"
            " that the trigger stands, enabled, is read from the catalogue"
        ),
    )


def _copy(
    connection: Connection,
    dialect: Dialect,
    capture: Capture,
    columns: Sequence[str],
    operations: tuple[Operation, ...],
) -> None:
    execute(connection, f"CREATE TEMPORARY TABLE {_COPY} ({', '.join(columns)})")
    shape = msgspec.structs.replace(capture.shape, table=_COPY, schema=_TEMPORARY)
    of = msgspec.structs.replace(capture, shape=shape, operations=operations)
    for piece in dialect.pieces(of):
        if piece.kind == "trigger":
            execute(connection, piece.create)


def _caught(
    witness: Witness, canary: Canary, operations: Sequence[Operation]
) -> Iterator[tuple[Operation, Finding]]:
    canary.insert()
    row = witness.row()
    if "insert" in operations:
        yield "insert", witness.finding("insert", row)
    witness.mark()
    canary.update()
    row = witness.row()
    if "update" in operations:
        yield "update", witness.finding("update", row)
    witness.mark()
    canary.delete()
    if "delete" in operations:
        yield "delete", witness.finding("delete", row)
