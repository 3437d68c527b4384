-- fig adapter install orders: fig.toml: legacy.orders
-- For Oracle 12.1 or newer. Not run here by anybody: review it, try it on a copy.
-- Run it as the owner of the table: in its schema, and with a quota there for what is ours.
-- Not captured: direct-path loads, TRUNCATE, writes into a LOB through its locator.
-- Disable the trigger before a captured column is dropped or renamed: an invalid trigger
-- fails every write to its table (ORA-04098).

SET DEFINE OFF

CREATE SEQUENCE fig_event_id START WITH 1 CACHE 1000
/

CREATE SEQUENCE fig_gap_id START WITH 1 CACHE 1000
/

CREATE TABLE fig_event (
	id NUMBER(19) DEFAULT fig_event_id.NEXTVAL NOT NULL,
	event_id VARCHAR2(36 CHAR) NOT NULL,
	source VARCHAR2(63 CHAR) NOT NULL,
	key VARCHAR2(600 CHAR) NOT NULL,
	op VARCHAR2(12 CHAR) NOT NULL,
	before CLOB,
	after CLOB,
	schema_hash VARCHAR2(16 CHAR) NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	priority SMALLINT DEFAULT 0 NOT NULL,
	attempts INTEGER DEFAULT 0 NOT NULL,
	lost INTEGER DEFAULT 0 NOT NULL,
	next_at DOUBLE PRECISION DEFAULT 0 NOT NULL,
	parked SMALLINT DEFAULT 0 NOT NULL,
	lease_token VARCHAR2(255 CHAR),
	lease_until DOUBLE PRECISION,
	done_at DOUBLE PRECISION,
	dead_reason CLOB,
	CONSTRAINT pk_fig_event PRIMARY KEY (id),
	CONSTRAINT fig_event_leased CHECK ((lease_token IS NULL AND lease_until IS NULL)
 OR (lease_token IS NOT NULL AND lease_until IS NOT NULL))
)
/

CREATE TABLE fig_gap (
	id NUMBER(19) DEFAULT fig_gap_id.NEXTVAL NOT NULL,
	source VARCHAR2(63 CHAR) NOT NULL,
	op VARCHAR2(12 CHAR) NOT NULL,
	key VARCHAR2(600 CHAR),
	reason CLOB NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_fig_gap PRIMARY KEY (id)
)
/

CREATE TABLE fig_large (
	ref VARCHAR2(36 CHAR) NOT NULL,
	source VARCHAR2(63 CHAR) NOT NULL,
	bytes NUMBER(19) NOT NULL,
	kind VARCHAR2(1 CHAR) NOT NULL,
	value BLOB NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_fig_large PRIMARY KEY (ref)
)
/

CREATE INDEX fig_event_waiting ON fig_event (CASE WHEN done_at IS NULL THEN source END, CASE WHEN done_at IS NULL THEN priority END, CASE WHEN done_at IS NULL THEN id END)
/

CREATE INDEX fig_event_keys ON fig_event (CASE WHEN done_at IS NULL THEN source END, CASE WHEN done_at IS NULL THEN key END, CASE WHEN done_at IS NULL THEN id END)
/

CREATE OR REPLACE TRIGGER "FIG_ORDERS"
FOR INSERT OR UPDATE ON "ORDERS"
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
    EXECUTE IMMEDIATE 'INSERT INTO fig_gap (id, source, op, key, reason, created_at) VALUES (fig_gap_id.NEXTVAL, :source, :op, :key, :said, :now)'
      USING 'orders', p_op, p_key, p_said, fig_now;
  EXCEPTION
    WHEN OTHERS THEN NULL;
  END fig_missed;

  FUNCTION fig_text(p_text VARCHAR2) RETURN VARCHAR2 IS
  BEGIN
    IF p_text IS NULL THEN
      RETURN 'NULL';
    END IF;
    RETURN '''' || REPLACE(REPLACE(p_text, '\', '\\'), '''', '\''') || '''';
  END fig_text;

  PROCEDURE fig_forget IS
  BEGIN
    fig_ids.DELETE;
    fig_keys.DELETE;
    fig_ops.DELETE;
    fig_befores.DELETE;
    fig_afters.DELETE;
  END fig_forget;

  PROCEDURE fig_flush IS
    v_now NUMBER;
    v_said VARCHAR2(1000);
  BEGIN
    v_now := fig_now;
    FORALL i IN 1 .. fig_ids.COUNT
      EXECUTE IMMEDIATE 'INSERT INTO fig_event (id, event_id, source, key, op, before, after, schema_hash, created_at) VALUES (fig_event_id.NEXTVAL, :id, :source, :key, :op, :old, :new, :hash, :now)'
        USING fig_ids(i), 'orders', fig_keys(i), fig_ops(i), fig_befores(i), fig_afters(i),
          '60a85709dbacf87b', v_now;
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
    IF DELETING THEN
      v_key := ROWIDTOCHAR(:OLD.ROWID);
    ELSE
      v_key := ROWIDTOCHAR(:NEW.ROWID);
    END IF;
    IF DELETING THEN
      v_gone := v_id;
    END IF;
    IF NOT INSERTING THEN
      v_before := TO_CLOB('')
      || '`ID`=i' || fig_text(TO_CHAR(:OLD."ID", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,'''))
      || ',`NAME`=o' || fig_text(LTRIM(TO_CHAR(:OLD."NAME", 'SYYYY-MM-DD HH24:MI:SS')));
    END IF;
    IF NOT DELETING THEN
      v_after := TO_CLOB('')
      || '`ID`=i' || fig_text(TO_CHAR(:NEW."ID", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,'''))
      || ',`NAME`=o' || fig_text(LTRIM(TO_CHAR(:NEW."NAME", 'SYYYY-MM-DD HH24:MI:SS')));
    END IF;
    v_at := fig_ids.COUNT + 1;
    fig_keys(v_at) := v_key;
    fig_ops(v_at) := v_op;
    fig_befores(v_at) := v_before;
    fig_afters(v_at) := v_after;
    fig_ids(v_at) := v_id;
    IF v_at >= 1000 THEN
      fig_flush;
    END IF;
  EXCEPTION
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
END "FIG_ORDERS";
/

DECLARE
  v_errors PLS_INTEGER;
BEGIN
  SELECT COUNT(*) INTO v_errors FROM user_errors WHERE name = 'FIG_ORDERS' AND type = 'TRIGGER';
  IF v_errors > 0 THEN
    RAISE_APPLICATION_ERROR(-20000, 'the trigger has errors: it stays disabled');
  END IF;
  EXECUTE IMMEDIATE 'ALTER TRIGGER "FIG_ORDERS" ENABLE';
END;
/


-- To take it out:
-- fig adapter remove orders: fig.toml: legacy.orders
-- For Oracle 12.1 or newer. Not run here by anybody: review it, try it on a copy.
-- Run it as the owner of the table: in its schema, and with a quota there for what is ours.
-- Not captured: direct-path loads, TRUNCATE, writes into a LOB through its locator.
-- Disable the trigger before a captured column is dropped or renamed: an invalid trigger
-- fails every write to its table (ORA-04098).

SET DEFINE OFF

ALTER TRIGGER "FIG_ORDERS" DISABLE
/

DROP TRIGGER "FIG_ORDERS"
/

DROP INDEX fig_event_keys
/

DROP INDEX fig_event_waiting
/

DROP TABLE fig_large PURGE
/

DROP TABLE fig_gap PURGE
/

DROP TABLE fig_event PURGE
/

DROP SEQUENCE fig_gap_id
/

DROP SEQUENCE fig_event_id
/

