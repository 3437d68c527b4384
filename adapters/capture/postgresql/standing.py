"""What of ours stands in a PostgreSQL database, and whether it is as it was created."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.engine import Connection

from ..dialect import Capture, Operation
from .trigger import NEW_ROWS, OLD_ROWS, Triggers, names_of
from .words import OID, asked

__all__ = ["standing", "users"]

_FUNCTIONS: Final = text(
    """
    SELECT p.proname, p.prosrc, p.prosecdef, coalesce(p.proconfig, '{}') AS config,
      pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :home AND p.proname = ANY(:names) AND p.pronargs = 0
    """
)
_TRIGGERS: Final = text(
    f"""
    SELECT t.tgname, t.tgenabled::text AS enabled, t.tgtype::integer, n.nspname AS home, p.proname,
      coalesce(t.tgnewtable::text, '') AS new, coalesce(t.tgoldtable::text, '') AS old,
      t.tgqual IS NULL AND t.tgattr::text = '' AND t.tgnargs = 0 AS plain,
      pg_get_triggerdef(t.oid) AS definition
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE t.tgrelid = {OID} AND t.tgname = ANY(:names)
    """  # noqa: S608 a constant of ours
)
_USERS: Final = text(
    r"""
    SELECT DISTINCT t.tgname
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :home AND p.proname LIKE 'fig\_%' AND NOT t.tgisinternal
    """
)
_TYPES: Final = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}
_OF_ROW: Final = 1
_DISABLED: Final = ("D", "R")


def standing(
    connection: Connection, home: str, triggers: Triggers, capture: Capture
) -> dict[str, str]:
    """Give functions and triggers by name: as they would be created, or as they are instead.

    A trigger that does not fire is "".
    """
    names = {operation: names_of(capture.source, operation) for operation in capture.operations}
    ours = {"home": home, "names": [name for name, _ in names.values()]}
    functions = {row.proname: row for row in connection.execute(_FUNCTIONS, ours)}
    table = asked(capture.shape.schema, capture.shape.table)
    theirs = {**table, "names": [name for _, name in names.values()]}
    found = {row.tgname: row for row in connection.execute(_TRIGGERS, theirs)}
    stands = {}
    for operation, (function, trigger) in names.items():
        if function in functions:
            create = triggers.function(capture, operation).create
            stands[function] = _function(functions[function], create)
        if trigger in found:
            create = triggers.trigger(capture, operation).create
            expected = _facts(capture, operation, home, function, replicated=triggers.replicated)
            stands[trigger] = _trigger(found[trigger], create, expected)
    return stands


def users(connection: Connection, home: str) -> set[str]:
    """Give the names of all triggers that call a function of ours."""
    return {name for (name,) in connection.execute(_USERS, {"home": home})}


def _function(row: Row[Any], create: str) -> str:
    head, _, rest = create.partition("\nAS ")
    quote, _, body = rest.partition("\n")
    wanted = {line.removeprefix("SET ") for line in head.split("\n") if line.startswith("SET ")}
    config = {line.replace("=", " = ", 1).lower() for line in row.config}
    same = (
        row.prosecdef
        and row.prosrc == "\n" + body.removesuffix(quote)
        and config == {line.replace("'", "").lower() for line in wanted}
    )
    return create if same else str(row.definition)


def _trigger(row: Row[Any], create: str, expected: tuple[object, ...]) -> str:
    if row.enabled in _DISABLED:
        return ""
    facts = (row.tgtype, row.home, row.proname, row.new, row.old, row.enabled, row.plain)
    return create if facts == expected else str(row.definition)


def _facts(
    capture: Capture, operation: Operation, home: str, function: str, *, replicated: bool
) -> tuple[object, ...]:
    by_statement = capture.level == "statement" or operation == "truncate"
    transitions = by_statement and operation != "truncate"
    return (
        _TYPES[operation] + (0 if by_statement else _OF_ROW),
        home,
        function,
        NEW_ROWS if transitions and operation != "delete" else "",
        OLD_ROWS if transitions and operation != "insert" else "",
        "A" if replicated else "O",
        True,
    )
