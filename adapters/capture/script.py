"""An installation as a script that whoever owns the database reads, and may run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy.engine import Connection

from .plan import Step

__all__ = ["install_script", "remove_script", "session", "undoing"]

_RIGHTS: Final = {
    "postgresql": (
        "CREATE on the schema that our tables go to (on the database, for a new one), and",
        "TRIGGER on the captured table; to take a trigger out again, the table's owner",
    ),
    "mysql": (
        "CREATE, DROP, INDEX, TRIGGER, SELECT, INSERT, UPDATE and DELETE in this database",
        "and, where binary logs are on, log_bin_trust_function_creators or SUPER",
    ),
    "sqlite": ("to write the file and its folder",),
}


def install_script(
    kind: str,
    title: str,
    steps: Sequence[Step],
    recording: Sequence[str],
    session: Sequence[str] = (),
) -> Iterator[str]:
    """Give the lines of a script that installs; what undoes it stands below, in comments.

    ``kind`` is SQLAlchemy's name of the database; ``session``, what its client must be told first.
    Nothing where there is nothing to do.
    """
    doing = [step for step in steps if step.sql]
    if not doing and not recording:
        return
    yield f"-- {title}"
    yield f"-- {len(doing)} statements. Rights that it needs:"
    yield from (f"--   {line}" for line in _RIGHTS.get(kind, ()))
    yield ""
    yield from _begin(kind, session)
    for step in doing:
        yield f"-- {step.why}"
        yield from _statement(kind, step.sql)
        yield ""
    if recording:
        yield "-- The record, by which 'fig adapter remove' takes out exactly this."
        for statement in recording:
            yield from _statement(kind, statement)
        yield ""
    yield from _end(kind)
    undo = undoing(steps)
    if undo:
        yield ""
        yield "-- To undo it by hand, with what was captured until then:"
        yield from (f"--   {line}" for line in _begin(kind, session) if line)
        yield from (f"--   {line}" for each in undo for line in _statement(kind, each))
        yield from (f"--   {line}" for line in _end(kind))


def remove_script(
    kind: str, title: str, statements: Sequence[str], session: Sequence[str] = ()
) -> Iterator[str]:
    """Give the lines of a script that runs statements which take something out."""
    if not statements:
        return
    yield f"-- {title}"
    yield f"-- {len(statements)} statements. What was captured until then goes too."
    yield ""
    yield from _begin(kind, session)
    for statement in statements:
        yield from _statement(kind, statement)
    yield from _end(kind)


def undoing(steps: Iterable[Step]) -> list[str]:
    """Give what undoes the steps, the last one first."""
    return [step.undo for step in reversed(list(steps)) if step.sql and step.undo]


def _begin(kind: str, session: Sequence[str]) -> Iterator[str]:
    # MariaDB commits at every DDL statement, so that there is nothing to begin.
    if kind != "mysql":
        yield "BEGIN;"
    yield from (f"{line};" for line in session)
    if kind != "mysql" or session:
        yield ""


def _end(kind: str) -> Iterator[str]:
    if kind != "mysql":
        yield "COMMIT;"


def _statement(kind: str, sql: str) -> Iterator[str]:
    text = sql.strip().rstrip(";")
    if kind == "mysql" and ";" in text:
        # Its client ends a statement at the first semicolon otherwise.
        yield "DELIMITER $$"
        yield from f"{text}$$".splitlines()
        yield "DELIMITER ;"
    else:
        yield from f"{text};".splitlines()


def session(connection: Connection, kind: str) -> list[str]:
    """Give what the owner's session must say first, to mean by the script what ours would.

    A trigger in MariaDB keeps the mode for good; in PostgreSQL ``home`` is where our names are.
    """
    if kind == "mysql":
        mode = connection.exec_driver_sql("SELECT @@SESSION.sql_mode").scalar_one()
        return [f"SET SESSION sql_mode = '{mode}'"]
    if kind == "postgresql":
        path = connection.exec_driver_sql("SELECT current_setting('search_path')").scalar_one()
        return [f"SET LOCAL search_path = {', '.join(dict.fromkeys(path.split(', ')))}"]
    return []
