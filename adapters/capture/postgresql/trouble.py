"""What PostgreSQL's errors mean to us, by their SQLSTATE, and what to do about them."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ....errors import LegacyError, LegacyUnavailable
from ..events import TABLES

__all__ = ["is_busy", "is_lost", "trouble"]

_OURS: Final = tuple(table.name for table in TABLES)
_BUSY: Final = ("40001", "40P01", "55P03")
_LOST: Final = ("08", "57P01", "57P02", "57P03", "57P05")
_UNAVAILABLE: Final = {
    "28": ("does not let this user in", "mend user and password"),
    "3D": ("there is no such database", "mend url"),
    "53": ("has no room or no connections left", "make room; nothing is lost meanwhile"),
    "40": ("is busy: somebody else holds a lock", "none is needed: it is tried again"),
    "55": ("is busy: somebody else holds a lock", "find the transaction that was left open"),
    "57": ("ended the statement or the connection", "none is needed: it is tried again"),
}
_CONNECTING: Final = {
    "3D000": 'FATAL:  database "',
    "28000": 'FATAL:  role "',
    "28P01": "FATAL:  password authentication failed",
    "28P02": "FATAL:  no pg_hba.conf entry",
    "53300": "FATAL:  sorry, too many clients",
    "57P03": "FATAL:  the database system is",
}
_REFUSED: Final = {
    "42501": (
        "this user lacks a right",
        "grant it (docs/howto/capture-a-database.md has the list), or use --as for who has it",
    ),
    "25006": ("is read-only", "give the address of the primary, not of a standby"),
    "42P07": ("something of this name stands there already", "move it, or choose another 'home'"),
    "42710": ("something of this name stands there already", "move it, or name the source anew"),
}


def is_busy(error: SQLAlchemyError) -> bool:
    """Somebody else holds a lock, or won a race."""
    return _state(error) in _BUSY


def is_lost(error: SQLAlchemyError) -> bool:
    """Say whether the connection is gone."""
    if not isinstance(error, DBAPIError):
        return False
    state = _state(error)
    if not state:
        # What libpq says itself has no state: it could not send, or not receive.
        return type(error.orig).__name__ in ("OperationalError", "InterfaceError")
    return error.connection_invalidated or state.startswith(_LOST)


def trouble(error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
    """Turn an error into ours. What the server said is repeated, what it was sent is not."""
    state = _state(error)
    said = f"{state} {_said(error)}".strip()
    if state in ("42P01", "3F000", "42883") and any(ours in said for ours in (*_OURS, "schema")):
        remedy = f"run 'fig adapter install {name}'"
        return LegacyError("capture is not installed", place=place, value=said, remedy=remedy)
    if state in _REFUSED:
        message, remedy = _REFUSED[state]
        return LegacyError(message, place=place, value=said, remedy=remedy)
    if state[:2] in _UNAVAILABLE:
        message, remedy = _UNAVAILABLE[state[:2]]
        return LegacyUnavailable(message, place=place, value=said, remedy=remedy)
    if is_lost(error):
        remedy = "see that the server runs and can be reached from here; nothing is lost meanwhile"
        return LegacyUnavailable("cannot be reached", place=place, value=said, remedy=remedy)
    return LegacyError("the database refused", place=place, value=said)


def _state(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    state = getattr(cause, "sqlstate", None)
    if state or cause is None:
        return str(state or "")
    # While a connection is made, libpq passes on what the server says without its state.
    said = str(cause)
    return next((known for known, words in _CONNECTING.items() if words in said), "")


def _said(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    lines = str(cause or type(error).__name__).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
