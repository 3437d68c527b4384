"""What a failure of the database means, in words that somebody can act on at night."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from ..errors import StoreError, StoreUnavailable
from .tables import HEAD

__all__ = ["unavailable", "wrong_version"]

# Part of the driver's words, what it means, what to do. First match wins.
_MEANINGS: Final = (
    ("locked", "locked by another process", "find who holds it with 'fuser FILE' and end that"),
    ("lock timeout", "locked by another session", "find who holds it in pg_stat_activity"),
    ("readonly", "it cannot be written", "give our user write access to the file and its folder"),
    ("full", "the disk is full", "make room on the disk that holds the store"),
    ("no space left", "the disk is full", "make room on the disk that holds the store"),
    ("disk i/o", "the disk does not write or read", "look at the disk and its free space"),
    ("unable to open", "it cannot be opened", "see that the file is there and can be read"),
    ("not a database", "the file is not a database", "bring the store's file back"),
    ("malformed", "the file is damaged", "bring the store back from a backup"),
    ("no such table", "it holds no tables of ours", "bring the file back, or run 'fig init'"),
    ("does not exist", "it holds no tables of ours", "run 'fig init'"),
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
    for part, meaning, remedy in _MEANINGS:
        if part in words.lower():
            return StoreUnavailable(meaning, place=place, value=words, remedy=remedy)
    return StoreUnavailable(
        "the store failed",
        place=place,
        value=f"{type(driver).__name__}: {words}",
        remedy="look at the database's own log",
    )


def wrong_version(found: str | None, place: str = "the store") -> StoreError:
    """Say that the tables are of another version than this code."""
    newer = found is not None and found > HEAD
    return StoreError(
        "the store's tables are of another version",
        place=place,
        value=found or "no tables",
        expected=HEAD,
        remedy="upgrade stranglerfig" if newer else "run 'fig init' or 'fig check --migrate'",
    )
