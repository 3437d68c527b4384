"""The Oracle trigger that captures a statement's rows. Nobody runs it here: see the page.

A compound trigger collects rows as they change and writes them in one go behind the statement. What
it writes to it names in dynamic statements only: a trigger that depends on a table that was changed
or dropped becomes invalid, and an invalid trigger fails every statement of legacy's (ORA-04098). So
an error there is an exception, and every part has its handler: the gap is written in legacy's own
transaction, so that of a change that was rolled back there is none.

For the same reason it is created disabled and enabled only where it was compiled without errors.
What cannot be caught: a captured column that is dropped (that does make the trigger invalid).
What fires no trigger: direct-path loads, TRUNCATE, writes into a LOB through its locator
(``DBMS_LOB``). Ids come from a sequence with a cache: in a cluster of several instances they order
the changes of a row, not those of different rows.
"""

from __future__ import annotations

from typing import Final

from ..dialect import Capture, Piece
from .values import image, key
from .words import ident, literal, trigger_name

__all__ = ["EVENT", "GAP", "KEPT", "trigger"]

EVENT: Final = (
    "INSERT INTO fig_event (id, event_id, source, key, op, before, after, schema_hash, created_at)"
    " VALUES (fig_event_id.NEXTVAL, :id, :source, :key, :op, :old, :new, :hash, :now)"
)
GAP: Final = (
    "INSERT INTO fig_gap (id, source, op, key, reason, created_at)"
    " VALUES (fig_gap_id.NEXTVAL, :source, :op, :key, :said, :now)"
)
KEPT: Final = (
    "INSERT INTO fig_large (ref, source, bytes, kind, value, created_at)"
    " VALUES (:ref, :source, :bytes, :kind, :value, :now)"
)
_FLUSH_ROWS: Final = 1_000
_MOST_BYTES: Final = 32_000
"""Oracle takes 32 KiB."""

_TRIGGER: Final = """\
CREATE OR REPLACE TRIGGER {name}
FOR {events} ON {table}
DISABLE
COMPOUND TRIGGER
  TYPE fig_texts IS TABLE OF VARCHAR2(2400) INDEX BY PLS_INTEGER;
  TYPE fig_images IS TABLE OF CLOB INDEX BY PLS_INTEGER;
  fig_ids fig_texts;
  fig_keys fig_texts;
  fig_ops fig_texts;
  fig_befores fig_images;
  fig_afters fig_images;

  FUNCTION fig_now RETURN NUMBER IS
    v_since INTERVAL DAY(9) TO SECOND(6);
  BEGIN
    v_since := SYS_EXTRACT_UTC(SYSTIMESTAMP) - TIMESTAMP '1970-01-01 00:00:00';
    RETURN EXTRACT(DAY FROM v_since) * 86400 + EXTRACT(HOUR FROM v_since) * 3600
      + EXTRACT(MINUTE FROM v_since) * 60 + EXTRACT(SECOND FROM v_since);
  END fig_now;

  PROCEDURE fig_missed(p_op VARCHAR2, p_key VARCHAR2, p_said VARCHAR2) IS
  BEGIN
    EXECUTE IMMEDIATE '{gap}'
      USING {source}, p_op, p_key, p_said, fig_now;
  EXCEPTION
    WHEN OTHERS THEN NULL;
  END fig_missed;

  FUNCTION fig_text(p_text VARCHAR2) RETURN VARCHAR2 IS
  BEGIN
    IF p_text IS NULL THEN
      RETURN 'NULL';
    END IF;
    RETURN '''' || REPLACE(REPLACE(p_text, '\\', '\\\\'), '''', '\\''') || '''';
  END fig_text;
{large}
  PROCEDURE fig_flush IS
    v_now NUMBER;
    v_said VARCHAR2(1000);
  BEGIN
    v_now := fig_now;
    FORALL i IN 1 .. fig_ids.COUNT
      EXECUTE IMMEDIATE '{event}'
        USING fig_ids(i), {source}, fig_keys(i), fig_ops(i), fig_befores(i), fig_afters(i),
          '{digest}', v_now;
    fig_forget;
  EXCEPTION
    WHEN OTHERS THEN
      v_said := SUBSTR(SQLERRM, 1, 250);
      FOR i IN 1 .. fig_ids.COUNT LOOP
        fig_missed(fig_ops(i), fig_keys(i), v_said);
      END LOOP;
      fig_forget;
  END fig_flush;

  AFTER EACH ROW IS
    v_id VARCHAR2(32);
    v_gone VARCHAR2(32);
    v_op VARCHAR2(12);
    v_key VARCHAR2(2400);
    v_before CLOB;
    v_after CLOB;
    v_at PLS_INTEGER;
  BEGIN
    v_op := CASE WHEN INSERTING THEN 'insert' WHEN UPDATING THEN 'update' ELSE 'delete' END;
    v_id := LOWER(RAWTOHEX(SYS_GUID()));
    {when}IF DELETING THEN
      v_key := {old_key};
    ELSE
      v_key := {new_key};
    END IF;
    IF DELETING THEN
      v_gone := v_id;
    END IF;
    IF NOT INSERTING THEN
      v_before := {before};
    END IF;
    IF NOT DELETING THEN
      v_after := {after};
    END IF;
    v_at := fig_ids.COUNT + 1;
    fig_keys(v_at) := v_key;
    fig_ops(v_at) := v_op;
    fig_befores(v_at) := v_before;
    fig_afters(v_at) := v_after;
    fig_ids(v_at) := v_id;
    IF v_at >= {most} THEN
      fig_flush;
    END IF;
{end}  EXCEPTION
    WHEN OTHERS THEN
      fig_missed(v_op, v_key, SQLERRM);
  END AFTER EACH ROW;

  AFTER STATEMENT IS
  BEGIN
    fig_flush;
  EXCEPTION
    WHEN OTHERS THEN
      fig_missed('statement', NULL, SQLERRM);
  END AFTER STATEMENT;
END {plain};"""

_LARGE: Final = """
  PROCEDURE fig_keep(p_kind VARCHAR2, p_id VARCHAR2, p_at PLS_INTEGER, p_value BLOB) IS
  BEGIN
    IF p_id IS NOT NULL THEN
      EXECUTE IMMEDIATE '{kept}'
        USING p_id || '-' || p_at, {source}, DBMS_LOB.GETLENGTH(p_value), p_kind, p_value, fig_now;
    END IF;
  END fig_keep;

  FUNCTION fig_blob(p_value BLOB, p_kind VARCHAR2, p_id VARCHAR2, p_at PLS_INTEGER)
    RETURN CLOB IS
    v_hex CLOB;
    v_at PLS_INTEGER := 1;
  BEGIN
    IF p_value IS NULL THEN
      RETURN 'NULL';
    END IF;
    IF DBMS_LOB.GETLENGTH(p_value) > {most} THEN
      fig_keep(p_kind, p_id, p_at, p_value);
      RETURN '#' || DBMS_LOB.GETLENGTH(p_value);
    END IF;
    v_hex := '''';
    WHILE v_at <= DBMS_LOB.GETLENGTH(p_value) LOOP
      v_hex := v_hex || RAWTOHEX(DBMS_LOB.SUBSTR(p_value, 2000, v_at));
      v_at := v_at + 2000;
    END LOOP;
    RETURN v_hex || '''';
  END fig_blob;

  FUNCTION fig_clob(p_value CLOB, p_kind VARCHAR2, p_id VARCHAR2, p_at PLS_INTEGER)
    RETURN CLOB IS
    v_utf8 BLOB;
    v_to INTEGER := 1;
    v_from INTEGER := 1;
    v_context INTEGER := 0;
    v_warning INTEGER;
  BEGIN
    IF p_value IS NULL THEN
      RETURN 'NULL';
    END IF;
    IF DBMS_LOB.GETLENGTH(p_value) > {most} / 4 THEN
      DBMS_LOB.CREATETEMPORARY(v_utf8, TRUE);
      DBMS_LOB.CONVERTTOBLOB(v_utf8, p_value, DBMS_LOB.LOBMAXSIZE, v_to, v_from,
        NLS_CHARSET_ID('AL32UTF8'), v_context, v_warning);
      IF DBMS_LOB.GETLENGTH(v_utf8) > {most} THEN
        fig_keep(p_kind, p_id, p_at, v_utf8);
        RETURN '#' || DBMS_LOB.GETLENGTH(v_utf8);
      END IF;
    END IF;
    RETURN '''' || REPLACE(REPLACE(p_value, '\\', '\\\\'), '''', '\\''') || '''';
  END fig_clob;
"""

_FORGET: Final = """
  PROCEDURE fig_forget IS
  BEGIN
    fig_ids.DELETE;
    fig_keys.DELETE;
    fig_ops.DELETE;
    fig_befores.DELETE;
    fig_afters.DELETE;
  END fig_forget;
"""


_ENABLE: Final = """\
DECLARE
  v_errors PLS_INTEGER;
BEGIN
  SELECT COUNT(*) INTO v_errors FROM user_errors WHERE name = {name_text} AND type = 'TRIGGER';
  IF v_errors > 0 THEN
    RAISE_APPLICATION_ERROR(-20000, 'the trigger has errors: it stays disabled');
  END IF;
  EXECUTE IMMEDIATE 'ALTER TRIGGER {name} ENABLE';
END;"""


def trigger(capture: Capture) -> list[Piece]:
    """Give the compound trigger of all operations, and what enables it.

    Raises ``ValueError`` for a type it cannot see, or where it would grow too large.
    """
    shape = capture.shape
    name = trigger_name(shape.table)
    called = ident(name, shape.schema)
    create = _create(capture, called)
    if len(create.encode()) > _MOST_BYTES:
        raise ValueError(f"the trigger has over {_MOST_BYTES} bytes: name fewer 'columns'")
    drop = f"DROP TRIGGER {called}"
    return [
        Piece(kind="trigger", name=name, create=create, drop=drop),
        Piece(
            kind="trigger",
            name=f"{name} enabled",
            create=_ENABLE.format(name=called, name_text=literal(name)),
            drop=f"ALTER TRIGGER {called} DISABLE",
        ),
    ]


def _create(capture: Capture, called: str) -> str:
    shape = capture.shape
    before, after = image(shape, "OLD", "v_gone"), image(shape, "NEW", "v_id")
    source = literal(capture.source)
    large = ""
    if "fig_blob(" in before or "fig_clob(" in before:
        large = _LARGE.format(kept=KEPT, source=source, most=capture.large)
    return _TRIGGER.format(
        name=called,
        plain=ident(trigger_name(shape.table)),
        events=" OR ".join(one.upper() for one in capture.operations),
        table=ident(shape.table, shape.schema),
        gap=GAP,
        event=EVENT,
        source=source,
        large=large + _FORGET,
        digest=shape.digest,
        when=f"IF {capture.when} THEN\n    " if capture.when else "",
        end="    END IF;\n" if capture.when else "",
        old_key=key(shape, "OLD"),
        new_key=key(shape, "NEW"),
        before=before,
        after=after,
        most=_FLUSH_ROWS,
    )
