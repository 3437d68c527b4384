"""The functions and triggers that capture a table of PostgreSQL.

What goes wrong in a function of ours is caught in it, within a subtransaction, and noted in
``fig_gap``; where even that fails a sequence counts it, which no rollback undoes, and a warning is
raised. A lock on our tables is waited for half a second, once a transaction. A cancelled statement
is legacy's own wish and passes. The functions run as whoever installed them, so that legacy's users
need no right on our tables; so everything in them is named with its schema, and a ``search_path``
of a legacy session finds nothing else. They set one only where a condition or a type of legacy's
own might look there: to set it costs each call a microsecond.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from ..dialect import Capture, Operation, Piece
from ..events import GAPS
from .columns import looks_up, settings
from .insert import CLOCK, events_of
from .large import has_large, large_events_of
from .row import JOIN, columns_of, image, key, keys_of
from .words import ident, qualified, quoted, short

__all__ = ["MISSED", "NEW_ROWS", "OLD_ROWS", "Triggers", "channel", "names_of"]

_MARK: Final = len("xxxxxxxx-xxxx-4xxx-")
"""What of a random id begins the ids of all events of a transaction, in characters."""
MISSED: Final = "fig_missed"
"""The sequence that counts what could not even be noted."""
NEW_ROWS, OLD_ROWS = "fig_new", "fig_old"

_FUNCTION: Final = """\
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET lock_timeout = '500ms'{settings}
AS {quote}
{body}
{quote}"""

_BODY: Final = """\
#variable_conflict use_column
DECLARE
  fig_said pg_catalog.text;
  fig_state pg_catalog.text;
  fig_before pg_catalog.text;
  fig_after pg_catalog.text;
  fig_large boolean;
  fig_key pg_catalog.text;
  fig_id pg_catalog.text;
  fig_number bigint;
  fig_at double precision;
BEGIN
  BEGIN
    fig_state := pg_catalog.current_setting({flag}, true);
    IF coalesce(pg_catalog.octet_length(fig_state), 0) OPERATOR(pg_catalog.<>) {mark} THEN
      IF fig_state OPERATOR(pg_catalog.=) 'locked' THEN
        RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'still locked, not waited for again';
      END IF;
      fig_state := pg_catalog.left(pg_catalog.gen_random_uuid()::pg_catalog.text, {mark});
      fig_said := pg_catalog.set_config({flag}, fig_state, true);{wake}
    END IF;
{work}
  EXCEPTION WHEN OTHERS THEN
    fig_said := pg_catalog.left(SQLSTATE {join} ' ' {join} SQLERRM, 500);
    IF SQLSTATE OPERATOR(pg_catalog.=) '55P03' THEN
      PERFORM pg_catalog.set_config({flag}, 'locked', true);
    END IF;
    BEGIN
      INSERT INTO {gaps} (source, op, key, reason, created_at)
      VALUES ({source}, '{operation}', {key}, fig_said, {clock});
    EXCEPTION WHEN OTHERS THEN
      BEGIN
        PERFORM pg_catalog.nextval({missed});
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
      IF {allowed}pg_catalog.pg_notification_queue_usage() OPERATOR(pg_catalog.<) 0.5 THEN
        fig_large := pg_catalog.pg_notify({channel}, '') IS NULL;
      END IF;"""
_NO_TWO_PHASE: Final = (
    "pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'\n"
    "        AND "
)


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
        read = read if operation != "truncate" else []
        sets = [f"{name} = {quoted(value)}" for name, value in settings(read).items()]
        if capture.when or looks_up(read):
            sets.insert(0, "search_path = pg_catalog, pg_temp")
        create = _FUNCTION.format(
            name=name,
            settings="".join(f"\nSET {one}" for one in sets),
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
            mark=_MARK,
            join=JOIN,
            clock=CLOCK,
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
        sizes = " OR ".join(
            f"pg_catalog.octet_length({made[row]}) OPERATOR(pg_catalog.>) {capture.large}"
            for row in rows
        )
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
        plain = events_of(capture, operation, self.home, by_row=by_row, read=read)
        if not found:
            return plain
        apart = large_events_of(capture, operation, self.home, by_row=by_row)
        return f"IF {found} THEN\n{_indent(apart, 2)}\nELSE\n{_indent(plain, 2)}\nEND IF;"

    def _wake(self, source: str) -> str:
        if self.notify == "never":
            return ""
        return _WAKE.format(
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
