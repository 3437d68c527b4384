"""A part of a transaction that may fail without the rest, and why a database refused it."""

from __future__ import annotations

import itertools
import re
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

__all__ = ["NoRow", "Savepoint", "refusal"]

_VALUE: Final = re.compile(r" entry '.*'(?= for key)|: '[^']*'(?= for column)")
"""Where MariaDB says the value that it refused."""
_DENIED: Final = ("42501", 1044, 1142, 1143)
"""What PostgreSQL and MariaDB say to who lacks a right."""
_NUMBERS: Final = itertools.count(1)


class NoRow(Exception):
    """No such row can be made; the text says why, and names no value of legacy's.

    ``denied``: it is a right that lacks.
    """

    def __init__(self, says: str, *, denied: bool = False) -> None:
        super().__init__(says)
        self.denied = denied


class Savepoint:
    """A part of a transaction, taken back where it fails; ``keep=False``: always."""

    def __init__(self, connection: Connection, *, keep: bool = True) -> None:
        self._connection, self._keep = connection, keep
        # In MySQL a second one of the same name ends the first.
        self._name = f"fig_{next(_NUMBERS)}"

    def __enter__(self) -> None:
        self._connection.exec_driver_sql(f"SAVEPOINT {self._name}")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None or not self._keep:
            self._connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {self._name}")
        self._connection.exec_driver_sql(f"RELEASE SAVEPOINT {self._name}")


def refusal(error: DBAPIError) -> NoRow:
    """Say why a database refused, in the first line of its words: further ones hold values."""
    arguments = getattr(error.orig, "args", ())
    said = next((one for one in arguments if isinstance(one, str)), str(error.orig))
    codes = {getattr(error.orig, "sqlstate", None), *arguments[:1]}
    says = _VALUE.sub("", said.strip().partition("\n")[0])[:200]
    return NoRow(says, denied=not codes.isdisjoint(_DENIED))
