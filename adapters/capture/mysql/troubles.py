"""What MySQL's errors mean, by their numbers."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ....errors import LegacyError, LegacyUnavailable

__all__ = ["is_busy", "is_deadlock", "is_lost", "trouble"]

_DEADLOCK: Final = 1213
_BUSY: Final = frozenset({1205, _DEADLOCK, 3572, 1020})
"""A lock was not given in time; a deadlock; NOWAIT; a row changed since the snapshot."""

# Hosts that cannot be reached, servers that stop or have no room, connections that were cut.
_UNREACHED: Final = frozenset({2002, 2003, 2005, 1040, 1053, 1129, 1130, 1152, 1203, 1226, 3169})
_CUT: Final = frozenset({0, 1927, 2006, 2013, 2014, 2055, 1158, 1159, 1160, 1161, 1317, 4031})
_ACCESS: Final = frozenset({1045, 1698, 3118, 3159})
_RIGHTS: Final = frozenset({1044, 1142, 1143, 1227, 1370})
_FULL: Final = frozenset({1021, 1114, 28, 3675})
_READ_ONLY: Final = frozenset({1290, 1792, 1836, 1874, 3100})

_WORDS: Final[tuple[tuple[frozenset[int], str, str], ...]] = (
    (_ACCESS, "access was denied", "mend url and password, or the account's hosts"),
    (
        _RIGHTS,
        "this user lacks a right",
        "grant it (docs/howto/capture-a-database.md has the list), or use --as for who has it",
    ),
    (
        frozenset({1133, 1410}),
        "there is no such account to grant rights to",
        "say which it is: grant_to = 'NAME@HOST' in fig.toml; without a host it is NAME@%",
    ),
    (_FULL, "the disk or a table space is full", "make room: legacy is about to feel it too"),
    (_READ_ONLY, "the database is read-only", "connect to the primary, not to a replica"),
    (frozenset({1049}), "there is no such database", "mend url: none is created from here"),
    (
        frozenset({1064, 1235}),
        "the server did not understand",
        "use MariaDB 10.6 or MySQL 8.0, or newer",
    ),
    (
        frozenset({1419}),
        "the binary log forbids triggers to this account",
        "set log_bin_trust_function_creators = 1, or have an administrator run the plan",
    ),
    (
        frozenset({1665}),
        "the binary log cannot be written at READ COMMITTED",
        "set binlog_format to ROW or MIXED: with STATEMENT no lease can be taken",
    ),
    (frozenset({1449}), "a definer does not exist", "create the account, or install again"),
)


def is_busy(error: SQLAlchemyError) -> bool:
    """Say whether somebody else holds a lock."""
    return _code(error) in _BUSY


def is_deadlock(error: SQLAlchemyError) -> bool:
    """Say whether the transaction was undone and may begin again at once."""
    return _code(error) == _DEADLOCK


def is_lost(error: SQLAlchemyError) -> bool:
    """Say whether the connection is gone."""
    disconnected = isinstance(error, DBAPIError) and error.connection_invalidated
    return disconnected or _code(error) in _CUT | _UNREACHED


def trouble(error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
    """Turn a driver's error into ours."""
    code, said = _code(error), _said(error)
    if is_busy(error):
        remedy = "find the session that keeps a transaction open; nothing is lost meanwhile"
        return LegacyUnavailable("a lock was not given", place=place, value=said, remedy=remedy)
    if is_lost(error):
        remedy = "see that the server runs and takes connections; it is tried again"
        return LegacyUnavailable("cannot be reached", place=place, value=said, remedy=remedy)
    if code in (1146, 1054) and "fig_" in said:
        message = "capture is not installed, or by another version"
        remedy = f"run 'fig adapter install {name}'"
        return LegacyError(message, place=place, value=said, remedy=remedy)
    for codes, message, remedy in _WORDS:
        if code in codes:
            return LegacyError(message, place=place, value=said, remedy=remedy)
    return LegacyError("the database refused", place=place, value=said)


def _code(error: SQLAlchemyError) -> int:
    cause = error.orig if isinstance(error, DBAPIError) else None
    first = cause.args[0] if cause is not None and cause.args else None
    return first if isinstance(first, int) else -1


def _said(error: SQLAlchemyError) -> str:
    """Give the server's own words. Syntax errors repeat the statement, so of these the number."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = _code(error)
    if cause is None or code in (1064, 1366, 1292, 1062):
        return f"{type(error).__name__} {code}" if code >= 0 else type(error).__name__
    return " ".join(str(part) for part in cause.args)[:500]
