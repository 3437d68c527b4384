"""What a failure of the database means, in words that somebody can act on at night."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.exc import DBAPIError

from ..errors import StoreError, StoreUnavailable
from .tables import ADDED, HEAD, OLDEST

__all__ = ["locked", "refused", "unavailable", "wrong_version"]

# PostgreSQL's state of an error, or the beginning of one: what it means, what to do.
_STATES: Final = (
    ("28P01", "the database refuses our password", "look at what workspace.store_password names"),
    ("28", "the database does not let us in", "see the user in workspace.store, and pg_hba.conf"),
    ("3D000", "there is no such database", "make it with createdb, or mend workspace.store"),
    ("42P01", "it holds no tables of ours", "for a new store: fig check --migrate"),
    ("42703", "its tables are of another version", "run 'fig check --migrate'"),
    (
        "42501",
        "our user may not do this",
        "GRANT it rights on the tables, or make it their owner",
    ),
    ("25P03", "the database ended our write: we were frozen in it", "see why this machine stalls"),
    ("25006", "the database takes no writes", "lead workspace.store to the primary"),
    ("53100", "the disk is full", "make room on the database's disk"),
    ("53300", "too many connections", "raise max_connections, or end connections of others"),
    ("53", "the database has not enough of something", "look at the database's own log"),
    ("55P03", "locked by another session", "find who holds it in pg_stat_activity"),
    ("57014", "the database gave a statement up", "see its statement_timeout, and who holds locks"),
    ("57P03", "the database is starting or stopping", "wait; then look at the database's own log"),
    ("57P", "the database ended our connection", "nothing, if that was meant: we connect again"),
    ("58", "the disk does not write or read", "look at the database's disk and its own log"),
    ("XX", "the database is damaged", "look at the database's own log, and bring back a backup"),
)

# Part of the driver's words, what it means, what to do. First match wins. PostgreSQL's are here for
# connections that did not come to be: these have no state.
_MEANINGS: Final = (
    ("password authentication failed", *_STATES[0][1:]),
    ("no password supplied", *_STATES[0][1:]),
    ("no pg_hba.conf entry", *_STATES[1][1:]),
    ("authentication failed", *_STATES[1][1:]),
    ("permission denied for database", *_STATES[1][1:]),
    ("too many clients", *_STATES[8][1:]),
    ("connection slots are reserved", *_STATES[8][1:]),
    ("too many connections for", *_STATES[8][1:]),
    ("the database system is", *_STATES[12][1:]),
    ("connection refused", "the database does not answer", "start it; see its host and port"),
    ("could not translate host", "the database's host is not known", "mend workspace.store"),
    ("failed to resolve host", "the database's host is not known", "mend workspace.store"),
    ("timeout expired", "the database does not answer", "see its host, its port, the network"),
    ("server closed the connection", *_STATES[13][1:]),
    ("connection is lost", *_STATES[13][1:]),
    ("connection is closed", *_STATES[13][1:]),
    ("locked", "locked by another process", "find who holds it with 'fuser FILE' and end that"),
    ("readonly", "it cannot be written", "give our user write access to the file and its folder"),
    ("full", "the disk is full", "make room on the disk that holds the store"),
    ("no space left", "the disk is full", "make room on the disk that holds the store"),
    ("disk i/o", "the disk does not write or read", "look at the disk and its free space"),
    ("unable to open", "it cannot be opened", "see that the file is there and can be read"),
    ("not a database", "the file is not a database", "bring the store's file back"),
    ("malformed", "the file is damaged", "bring the store back from a backup"),
    ("no such table", "it holds no tables of ours", "bring the file back, or run 'fig init'"),
    ("no such column", "its tables are of another version", "run 'fig check --migrate'"),
)


def unavailable(error: BaseException, place: str) -> StoreUnavailable:
    """Turn what the driver raised into the one error that callers of the store wait for.

    The driver's own words stand in ``value``: without the statement and its values, which may hold
    a customer's text.
    """
    if isinstance(error, StoreUnavailable):
        return error
    if isinstance(error, StoreError):
        return StoreUnavailable(
            error.message,
            place=error.place,
            value=error.value,
            expected=error.expected,
            remedy=error.remedy,
        )
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = (str(driver).strip().splitlines() or [type(driver).__name__])[0]
    known = _absent(words) or _known(getattr(driver, "sqlstate", None) or "", words.lower())
    if known is not None:
        return StoreUnavailable(known[0], place=place, value=words, remedy=known[1])
    return StoreUnavailable(
        "the store failed",
        place=place,
        value=f"{type(driver).__name__}: {words}",
        remedy="look at the database's own log",
    )


def _absent(words: str) -> tuple[str, str] | None:
    """Know a table that an older schema, on which we work as well, does not have yet."""
    found = re.search(r'no such table: (?:main\.)?(\w+)|relation "(\w+)" does not exist', words)
    since = ADDED.get(found[1] or found[2]) if found is not None else None
    if since is None:
        return None
    return f"its tables are of a version before {since}", "run 'fig check --migrate'"


def _known(state: str, words: str) -> tuple[str, str] | None:
    for beginning, meaning, remedy in _STATES:
        if state.startswith(beginning):
            return meaning, remedy
    # Of what does not exist, the database comes first: a connection to it names no state.
    missing = re.search(r'(database|role) ".*" does not exist', words)
    if missing is not None:
        return (_STATES[2] if missing[1] == "database" else _STATES[1])[1:]
    for part, meaning, remedy in _MEANINGS:
        if part in words:
            return meaning, remedy
    return None


def refused(error: BaseException) -> bool:
    """Say whether PostgreSQL itself has refused a statement, on a connection that lives on."""
    return (
        isinstance(error, DBAPIError) and not error.connection_invalidated and bool(_state(error))
    )


def locked(error: BaseException) -> bool:
    """Say whether PostgreSQL has given a statement up as another session holds a lock for long."""
    return _state(error) == "55P03"


def _state(error: BaseException) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def wrong_version(found: str | None, place: str = "the store") -> StoreError:
    """Say that the tables are of another version than this code."""
    if found is None:
        return StoreError(
            "it holds no tables of ours",
            place=place,
            expected=f"those of version {HEAD}",
            remedy="for a new store: fig check --migrate; a lost one is to be brought back",
        )
    newer = found > HEAD
    return StoreError(
        "the store's tables are of another version",
        place=place,
        value=found,
        expected=f"{OLDEST} to {HEAD}",
        remedy="upgrade stranglerfig" if newer else "run 'fig check --migrate'",
    )
