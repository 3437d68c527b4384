"""Whether capture works: everything looked at, proved with a row that never is, and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError
from ...model import Finding
from . import blind_mysql, blind_postgresql, blind_sqlite
from .dialect import Capture
from .drift import drift
from .events import TABLES
from .installation import Installation
from .proof import prove
from .record import agreed_on, records
from .rights import lacking, sees_triggers
from .shape import shape_of
from .waiting import gaps, waiting

__all__ = ["examine"]

_BLIND: Final[Mapping[str, Callable[[Connection, Capture], Iterator[Finding]]]] = {
    "sqlite": blind_sqlite.look,
    "mysql": blind_mysql.look,
    "mariadb": blind_mysql.look,
    "postgresql": blind_postgresql.look,
}
"""What triggers of a kind of database do not see."""


def examine(
    installation: Installation, *, canary: Mapping[str, object], keep: float = 604_800.0
) -> Iterator[Finding]:
    """Look at everything and leave nothing changed. Blocks; called by ``TableSource.examine``.

    ``canary`` holds values for the row that is written and rolled back; ``keep`` is how long, in
    seconds, settled events stay. Raises ``LegacyError`` where nothing can be looked at.
    """
    with installation.connected() as connection:
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
        yield _ok("connection", f"{connection.dialect.name} {version}")
        patient = partial(_patiently, installation)
        capture, unseen = _capture(installation, connection)
        yield from patient("tables", lambda: _tables(installation, connection))
        if not inspect(connection).has_table(TABLES[0].name):
            return
        yield from patient("rights", lambda: _rights(connection))
        yield from (
            [unseen] if unseen else patient("shape", lambda: _shape(installation, connection))
        )
        standing = list(patient("triggers", lambda: _triggers(installation, connection, capture)))
        yield from standing
        if not unseen and not any(finding.state == "fail" for finding in standing):
            yield from patient(
                "fires", lambda: prove(connection, installation.dialect, capture, canary)
            )
        yield from patient("blind spots", lambda: _blind(connection, capture))
        yield from patient("gaps", lambda: gaps(connection, installation))
        yield from patient("waiting", lambda: waiting(connection, installation, keep))


def _capture(installation: Installation, connection: Connection) -> tuple[Capture, Finding | None]:
    """Give what is captured, as the table is; else as it was, and why it cannot be seen now."""
    try:
        return installation.capture(connection), None
    except LegacyError as error:
        agreed = agreed_on(records(connection), installation.source)
        if agreed is None:
            raise
        return agreed, Finding(
            check="shape",
            state="fail" if sees_triggers(connection) else "warn",
            says=_plain(error),
            remedy="if it is there, run this as a user who may see it: --as ADMINISTRATOR",
        )


def _patiently(
    installation: Installation, check: str, look: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    """Give what a look finds; where it fails, that is a finding, and the next look goes on."""
    try:
        yield from look()
    except SQLAlchemyError as error:
        said = installation.dialect.trouble(
            error, place=installation.place, name=installation.source
        )
        yield Finding(check=check, state="fail", says=_plain(said), remedy=said.remedy)
    except LegacyError as error:
        yield Finding(check=check, state="fail", says=_plain(error), remedy=error.remedy)


def _plain(error: LegacyError) -> str:
    return f"{error.message}: {error.value}" if error.value else error.message


def _ok(check: str, says: str) -> Finding:
    return Finding(check=check, state="ok", says=says)


def _tables(installation: Installation, connection: Connection) -> Iterator[Finding]:
    looked = inspect(connection)
    absent = [table.name for table in TABLES if not looked.has_table(table.name)]
    remedy = f"run 'fig adapter install {installation.source}'"
    if absent:
        says = f"missing: {', '.join(absent)}"
        yield Finding(check="tables", state="fail", says=says, remedy=remedy)
    elif agreed_on(records(connection), installation.source) is None:
        yield Finding(check="tables", state="fail", says="not in the record", remedy=remedy)
    else:
        yield _ok("tables", f"{len(TABLES)} tables of ours, in the record")


def _rights(connection: Connection) -> Iterator[Finding]:
    absent = lacking(connection)
    if absent:
        yield Finding(
            check="rights",
            state="fail",
            says=f"this user lacks {', '.join(absent)}",
            remedy="install with --as ADMINISTRATOR, which grants them to this user",
        )
    else:
        yield _ok("rights", "all that the bridge needs")


def _shape(installation: Installation, connection: Connection) -> Iterator[Finding]:
    agreed = agreed_on(records(connection), installation.source)
    if agreed is None:
        return
    shape = agreed.shape
    present = shape_of(
        connection,
        installation.dialect,
        shape.table,
        place=installation.place,
        schema=shape.schema,
    )
    found = drift(shape, installation.keyed(present))
    if not found:
        yield _ok("shape", f"{len(shape.columns)} columns, as they were installed")
        return
    yield Finding(
        check="shape",
        state="fail" if any(one.breaks for one in found) else "warn",
        says="; ".join(map(str, found)),
        remedy=f"look at the mapping, then run 'fig adapter install {installation.source}'",
    )


def _triggers(
    installation: Installation, connection: Connection, capture: Capture
) -> Iterator[Finding]:
    if not sees_triggers(connection):
        yield Finding(
            check="triggers",
            state="warn",
            says="this user may not see them",
            remedy="run it as a user who may: --as ADMINISTRATOR",
        )
        return
    standing = installation.dialect.standing(connection, capture)
    remedy = f"run 'fig adapter install {installation.source}'"
    for piece in installation.dialect.pieces(capture):
        check = f"{piece.kind} {piece.name}"
        found = standing.get(piece.name)
        if found == piece.create:
            yield _ok(check, "stands, as it would be made now")
        elif found is None:
            yield Finding(check=check, state="fail", says="does not stand", remedy=remedy)
        elif not found:
            yield Finding(check=check, state="fail", says="is disabled", remedy=remedy)
        else:
            says = "is not as it would be made now: of other options, or somebody changed it"
            yield Finding(check=check, state="warn", says=says, remedy=remedy)


def _blind(connection: Connection, capture: Capture) -> Sequence[Finding]:
    look = _BLIND.get(connection.dialect.name)
    found = list(look(connection, capture)) if look else []
    return found or [_ok("blind spots", "none that is known")]
