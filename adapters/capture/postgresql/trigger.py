"""The functions and triggers that capture a table of PostgreSQL.

What goes wrong in a function of ours is caught in it, within a subtransaction, and noted in
``fig_gap``; where even that fails a sequence counts it, which no rollback undoes, and a warning is
raised. A lock on our tables is waited for half a second, once a transaction. A cancelled statement
is legacy's own wish and passes. The functions run as whoever installed them, so that legacy's users
need no right on our tables.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from ..dialect import Capture, Operation, Piece
from ..events import EVENTS, GAPS
from .columns import settings
from .insert import events_of
from .large import has_large, large_events_of
from .row import columns_of, image, key, keys_of
from .words import ident, qualified, quoted, short

__all__ = ["MISSED", "NEW_ROWS", "OLD_ROWS", "Triggers", "channel", "names_of"]

MISSED: Final = "fig_missed"
"""The sequence that counts what could not even be noted."""
NEW_ROWS, OLD_ROWS = "fig_new", "fig_old"

_FUNCTION: Final = """\
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'{settings}
AS {quote}
{body}
{quote}"""

_BODY: Final = """\
#variable_conflict use_column
DECLARE
  fig_said text;
  fig_state text;
  fig_before text;
  fig_after text;
  fig_large boolean;
BEGIN
  BEGIN
    fig_state := current_setting({flag}, true);
    IF fig_state = 'locked' THEN
      RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'still locked, not waited for again';
    END IF;
{work}{wake}
  EXCEPTION WHEN OTHERS THEN
    fig_said := left(SQLSTATE || ' ' || SQLERRM, 500);
    IF SQLSTATE = '55P03' THEN
      PERFORM set_config({flag}, 'locked', true);
    END IF;
    BEGIN
      INSERT INTO {gaps} (source, op, key, reason, created_at)
      VALUES ({source}, '{operation}', {key}, fig_said, date_part('epoch', clock_timestamp()));
    EXCEPTION WHEN OTHERS THEN
      BEGIN
        PERFORM nextval({missed});
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
      RAISE WARNING 'fig: % of % was not captured: %', '{operation}', {source}, fig_said;
    END;
  END;
  RETURN NULL;
END"""

# Once a transaction: a notification costs several microseconds even where it is a duplicate. A
# transaction that notifies cannot be prepared for a two-phase commit, and a full queue would refuse
# its commit, so neither is risked.
_WAKE: Final = """
    IF fig_state IS DISTINCT FROM 'woken' THEN
      PERFORM set_config({flag}, 'woken', true);
      IF {allowed}pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify({channel}, '');
      END IF;
    END IF;"""
_NO_TWO_PHASE: Final = "current_setting('max_prepared_transactions') = '0' AND "


def channel(source: str) -> str:
    """Give the channel on which a source's triggers notify."""
    return short(f"fig_{source}")


def names_of(source: str, operation: Operation) -> tuple[str, str]:
    """Give the names of a function, and of the trigger that calls it.

    A trigger's begins with digits, so that it fires before legacy's own: of those a change that
    answers another one, of the same row, would else be captured before it.
    """
    name = f"fig_{source}_{operation}"
    return short(name), short(f"00_{name}")


class Triggers(msgspec.Struct, frozen=True, kw_only=True):
    """How triggers are made: where our tables are, and what else they are to do."""

    home: str
    notify: Literal["auto", "always", "never"] = "auto"
    replicated: bool = False

    def pieces(self, capture: Capture) -> list[Piece]:
        """Give a function and a trigger an operation.

        Raises ``ValueError`` for what cannot be written into a function.
        """
        names = (capture.source, capture.shape.schema, capture.shape.table, capture.when)
        for name in (*names, *capture.shape.all_columns):
            if not name.isprintable():
                raise ValueError(f"a name or a condition with a control character: {name!r}")
        return [
            piece
            for operation in capture.operations
            for piece in (self.function(capture, operation), self.trigger(capture, operation))
        ]

    def function(self, capture: Capture, operation: Operation) -> Piece:
        """Give the function that captures, ``fig_<source>_<operation>``."""
        plain, _ = names_of(capture.source, operation)
        name = qualified(self.home, plain)
        body = self._body(capture, operation)
        read = [*columns_of(capture.shape), *keys_of(capture.shape)]
        needed = settings(read if operation != "truncate" else ())
        create = _FUNCTION.format(
            name=name,
            settings="".join(f"\nSET {name} = {quoted(value)}" for name, value in needed.items()),
            quote=_quote(body),
            body=body,
        )
        return Piece(
            kind="function", name=plain, create=create, drop=f"DROP FUNCTION IF EXISTS {name}()"
        )

    def trigger(self, capture: Capture, operation: Operation) -> Piece:
        """Give the trigger that calls it, ``00_fig_<source>_<operation>``."""
        called, plain = names_of(capture.source, operation)
        name, table = ident(plain), qualified(capture.shape.schema, capture.shape.table)
        create = (
            f"CREATE TRIGGER {name} AFTER {operation.upper()} ON {table}"
            f"{_transitions(capture, operation)}\nFOR EACH {_level(capture, operation)}"
            f" EXECUTE FUNCTION {qualified(self.home, called)}()"
        )
        if self.replicated:
            create += f";\nALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
        drop = f"DROP TRIGGER IF EXISTS {name} ON {table}"
        return Piece(kind="trigger", name=plain, create=create, drop=drop)

    def _body(self, capture: Capture, operation: Operation) -> str:
        by_row = _level(capture, operation) == "ROW"
        row = "OLD" if operation == "delete" else "NEW"
        return _BODY.format(
            work=_indent(self._work(capture, operation, by_row=by_row)),
            wake=self._wake(capture.source),
            flag=_flag(capture.source),
            gaps=qualified(self.home, GAPS.name),
            source=quoted(capture.source),
            operation=operation,
            key=key(capture.shape, row) if by_row else "NULL",
            missed=quoted(qualified(self.home, MISSED)),
        )

    def _work(self, capture: Capture, operation: Operation, *, by_row: bool) -> str:
        if not by_row:
            found = has_large(capture, operation)
            return self._either(capture, operation, found, by_row=False)
        work = self._of_row(capture, operation)
        return f"IF {capture.when} THEN\n{_indent(work, 2)}\nEND IF;" if capture.when else work

    def _of_row(self, capture: Capture, operation: Operation) -> str:
        """Write one row. Where a size is not known, its image is made first and tells."""
        columns = columns_of(capture.shape, capture.large)
        known = has_large(capture, operation, known=True)
        if not any(one.size == "unknown" for one in columns):
            return self._either(capture, operation, known, by_row=True)
        rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["NEW", "OLD"])
        made = {"NEW": "fig_after", "OLD": "fig_before"}
        images = [f"  {made[row]} := {image(columns, row)};" for row in rows]
        sizes = " OR ".join(f"octet_length({made[row]}) > {capture.large}" for row in rows)
        lines = [f"fig_large := coalesce({known or 'false'}, false);", "IF NOT fig_large THEN"]
        lines += [*images, f"  fig_large := {sizes};", "END IF;"]
        lines.append(self._either(capture, operation, "fig_large", by_row=True, read=True))
        return "\n".join(lines)

    def _either(
        self,
        capture: Capture,
        operation: Operation,
        found: str,
        *,
        by_row: bool,
        read: bool = False,
    ) -> str:
        events = qualified(self.home, EVENTS.name)
        plain = events_of(capture, operation, events, by_row=by_row, read=read)
        if not found:
            return plain
        apart = large_events_of(capture, operation, self.home, by_row=by_row)
        return f"IF {found} THEN\n{_indent(apart, 2)}\nELSE\n{_indent(plain, 2)}\nEND IF;"

    def _wake(self, source: str) -> str:
        if self.notify == "never":
            return ""
        return _WAKE.format(
            flag=_flag(source),
            allowed=_NO_TWO_PHASE if self.notify == "auto" else "",
            channel=quoted(channel(source)),
        )


def _flag(source: str) -> str:
    """Name the setting in which a transaction remembers that it notified, or met a lock."""
    return quoted("fig.s" + hashlib.sha256(source.encode()).hexdigest()[:12])


def _level(capture: Capture, operation: Operation) -> str:
    return "STATEMENT" if capture.level == "statement" or operation == "truncate" else "ROW"


def _transitions(capture: Capture, operation: Operation) -> str:
    if capture.level != "statement" or operation == "truncate":
        return ""
    new = f" NEW TABLE AS {NEW_ROWS}" if operation != "delete" else ""
    old = f" OLD TABLE AS {OLD_ROWS}" if operation != "insert" else ""
    return f"\nREFERENCING{old}{new}"


def _indent(text: str, by: int = 4) -> str:
    return "\n".join(" " * by + line if line else "" for line in text.split("\n"))


def _quote(body: str) -> str:
    """Give a dollar quote that does not stand in the text (a column may be called anything)."""
    mark, at = "$fig$", 0
    while mark in body:
        at += 1
        mark = f"$fig{at}$"
    return mark
