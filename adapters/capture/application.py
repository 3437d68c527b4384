"""How the steps of an installation are taken, all or none of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from .events import INSTALLED
from .plan import Step
from .record import struck, written

__all__ = ["at_once", "execute", "one_by_one"]


def execute(connection: Connection, statement: str) -> None:
    """Run a statement as it stands: a % in it is a %."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def at_once(connection: Connection, steps: Sequence[Step]) -> None:
    """Take all steps and record them, in the caller's transaction."""
    for step in steps:
        if step.sql:
            execute(connection, step.sql)
    _record(connection, steps)


def one_by_one(connection: Connection, steps: Sequence[Step]) -> None:
    """Record each step and then take it, where DDL is no part of a transaction.

    What a crash leaves behind is so in the record; what fails is taken back, last step first.
    """
    done: list[Step] = []
    unrecorded: list[Step] = []
    try:
        for step in steps:
            unrecorded.append(step)
            if step.entry is None or step.entry.name != INSTALLED.name:
                _record(connection, unrecorded)
                unrecorded.clear()
            done.append(step)
            if step.sql:
                execute(connection, step.sql)
        _record(connection, unrecorded)
    except BaseException:
        _take_back(connection, done)
        raise


def _take_back(connection: Connection, done: Sequence[Step]) -> None:
    for step in reversed(done):
        back = msgspec.structs.replace(step, entry=step.strikes, strikes=step.entry)
        with contextlib.suppress(SQLAlchemyError):
            if step.undo:
                execute(connection, step.undo)
            _record(connection, [back])


def _record(connection: Connection, steps: Sequence[Step]) -> None:
    for strike in struck(step.strikes for step in steps if step.strikes):
        connection.execute(strike)
    entries = [step.entry for step in steps if step.entry]
    if entries:
        connection.execute(written(entries))
