"""SQL Server and Oracle: what is written down for their owners, as it was reviewed.

After a change on purpose: ``FIG_GOLDEN=1 pytest tests/adapters/capture/test_draft.py``, and review.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from stranglerfig.adapters.capture.draft import DRAFTS, Draft
from stranglerfig.adapters.capture.mysql.image import read_image
from stranglerfig.adapters.capture.oracle.trigger import EVENT, GAP, KEPT
from stranglerfig.adapters.capture.oracle.words import trigger_name
from stranglerfig.errors import ConfigError, LegacyError

GOLDEN = Path(__file__).with_name("golden")
READS = {"mssql": "tsql", "oracle": "oracle"}
SMALL = {
    "mssql": {"ID": "int", "Name": "nvarchar(50)"},
    "oracle": {"ID": "NUMBER(10)", "NAME": "DATE"},
}
EVERY = {
    "mssql": {
        "ID": "int", "part": "varchar(20)", "on": "bit", "big": "bigint", "price": "decimal(18,4)",
        "paid": "money", "rate": "float", "share": "real", "day": "date", "at": "time(7)",
        "old at": "datetime", "seen": "datetime2(7)", "zoned": "datetimeoffset", "code": "char(3)",
        "Größe": "nvarchar(50)", "it's": "nchar(5)", "guid": "uniqueidentifier", "raw": "binary(8)",
        "version": "timestamp", "x]y": "xml", "doc": "nvarchar(max)", "pic": "varbinary(max)",
        "tree": "hierarchyid", "place": "geography", "any": "sql_variant", "status": "varchar(9)",
    },
    "oracle": {
        "ID": "NUMBER(10)", "PART": "VARCHAR2(20)", "N": "NUMBER", "PRICE": "NUMBER(18,4)",
        "F": "FLOAT", "BF": "BINARY_FLOAT", "BD": "BINARY_DOUBLE", "DAY": "DATE",
        "SEEN": "TIMESTAMP(6)", "ZONED": "TIMESTAMP(6) WITH TIME ZONE",
        "HERE": "TIMESTAMP(6) WITH LOCAL TIME ZONE", "SPAN": "INTERVAL DAY(2) TO SECOND(6)",
        "C": "CHAR(3)", "Größe": "NVARCHAR2(50)", "it's": "NCHAR(5)", "RAW8": "RAW(8)",
        "ADDRESS": "ROWID", "DOC": "CLOB", "NDOC": "NCLOB", "PIC": "BLOB", "X": "XMLTYPE",
        "J": "JSON", "STATUS": "VARCHAR2(9)",
    },
}  # fmt: skip


def draft(backend: str, **options) -> Draft:
    chosen = {
        "source": "orders",
        "place": "fig.toml: legacy.orders",
        "table": "ORDERS",
        "shape": SMALL[backend],
        "key": ("ID",),
        "operations": ("insert", "update", "delete"),
        **options,
    }
    return Draft(backend, **chosen)


def every(backend: str) -> Draft:
    names = list(EVERY[backend])
    return draft(
        backend,
        source="it's orders",
        table="Order Lines" if backend == "mssql" else "ORDER_LINES",
        shape=EVERY[backend],
        columns=[name for name in names if name.lower() != "status"],
        key=names[:2],
        when="old.status is distinct from new.status",
        schema="sales" if backend == "mssql" else "SALES",
    )


CASES = {
    "small": draft,
    "every": every,
    "keyless": lambda backend: draft(backend, key=(), operations=("insert", "update")),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", DRAFTS)
def test_the_script_is_the_one_that_was_reviewed(backend, case):
    made = CASES[case](backend)
    script = made.script("install") + "\n-- To take it out:\n" + made.script("remove")
    path = GOLDEN / f"{backend}_{case}.sql"
    if os.environ.get("FIG_GOLDEN"):
        path.write_text(script, "utf-8")
    assert script == path.read_text("utf-8")
    assert all(len(line) < 2_400 for line in script.splitlines())  # SQL*Plus cuts longer ones
    assert not any(line != line.rstrip() for line in script.splitlines())


def real(sql: str, backend: str) -> exp.Expression:
    """Parse a statement, and see that all of it was understood."""
    (tree,) = sqlglot.parse(sql, read=READS[backend])
    assert tree is not None
    assert not isinstance(tree, exp.Command), sql
    assert not list(tree.find_all(exp.Command))
    return tree


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", DRAFTS)
def test_every_statement_is_of_the_language(backend, case):
    made = CASES[case](backend)
    kinds = []
    for statement in [*made.plan(), *made.removal()]:
        if "TRIGGER" in statement:
            continue
        kinds += [type(real(one, backend)).__name__ for one in statement.split(";\n")]
    assert set(kinds) >= {"Create", "Drop"}
    claim = DRAFTS[backend]().claim
    for one in claim.split(";\n"):
        real(re.sub(r"(?<=[ (]):(\w+)", r"@\1", one) if backend == "mssql" else one, backend)


@pytest.mark.parametrize("case", CASES)
def test_what_a_sql_server_trigger_runs_is_of_the_language(case):
    for trigger in triggers(CASES[case]("mssql")):
        inner = re.findall(
            r"^ *((?:INSERT INTO|DECLARE @rows) .*?;)$", trigger, re.DOTALL | re.MULTILINE
        )
        inserts = [real(one.rstrip(";"), "mssql") for one in inner]
        tables = [tree.find(exp.Table).name for tree in inserts if isinstance(tree, exp.Insert)]
        assert tables.count("fig_event") == 1
        assert tables.count("fig_gap") == 1
        assert set(tables) <= {"fig_event", "fig_gap", "fig_large", "@rows", "rows"}


@pytest.mark.parametrize("case", CASES)
def test_what_an_oracle_trigger_runs_is_of_the_language(case):
    (trigger,) = triggers(CASES[case]("oracle"))
    run = set(re.findall(r"EXECUTE IMMEDIATE '([^']*)'", trigger))
    assert run == ({EVENT, GAP, KEPT} if case == "every" else {EVENT, GAP})
    for one in run:
        assert isinstance(real(one, "oracle"), exp.Insert)
    values = re.findall(r"v_(?:key|before|after) := (.*?);\n", trigger, re.DOTALL)
    assert len(values) == 4
    for one in values:
        # sqlglot does not know what JSON_SERIALIZE returns, nor the rows of a trigger.
        plain = re.sub(r":(OLD|NEW)\.| RETURNING CLOB", "", one)
        tree = real(f"SELECT {plain} FROM dual", "oracle")
        assert isinstance(tree, exp.Select)


def triggers(made: Draft) -> list[str]:
    return [one for one in made.plan() if re.match(r"CREATE (OR REPLACE )?TRIGGER", one)]


# The traps of SQL Server


@pytest.mark.parametrize("case", CASES)
def test_sql_server_is_left_as_it_was(case):
    made = CASES[case]("mssql")
    whole = "\n".join(made.plan())
    assert "IDENTITY" not in whole  # @@IDENTITY would change: sequences it is
    assert whole.count("CREATE SEQUENCE") == 2
    # Sessions with old settings may not write to tables with filtered indexes.
    assert not [one for one in made.plan() if "INDEX" in one and "WHERE" in one]
    assert whole.count("LOCK_ESCALATION = DISABLE") == 3
    for trigger in triggers(made):
        lines = [line.strip() for line in trigger.splitlines()]
        assert lines[2:4] == ["SET NOCOUNT ON;", "SET XACT_ABORT OFF;"]
        assert re.match(r"IF NOT EXISTS \(SELECT 1 FROM (inserted|deleted)\) RETURN;", lines[4])
        assert lines[5] == "BEGIN TRY"
        assert "@@ROWCOUNT" not in trigger  # of a MERGE it counts all actions
        assert "OUTPUT" not in trigger
        assert not re.search(
            r"^\s*SELECT",
            trigger.replace("SELECT NEXT VALUE", "")
            .replace("INSERT INTO @rows\n    SELECT", "")
            .replace("(\n    SELECT LOWER", "")
            .replace("\n    SELECT CONCAT", ""),
            re.MULTILINE,
        ), "rows would go to legacy"
        # Compilation of a statement on a table that is gone is not caught: so it is looked for.
        assert trigger.index("OBJECT_ID(N'[dbo].[fig_event]'") < trigger.index("INSERT INTO")
        assert "IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]'" in trigger
        assert trigger.count("BEGIN TRY") == trigger.count("END TRY") == 2
        assert trigger.count("BEGIN CATCH") == trigger.count("END CATCH") == 2


def test_sql_server_sees_all_rows_of_a_statement_and_pairs_them_by_key():
    insert, update, delete = triggers(every("mssql"))
    assert "FROM inserted AS [new]" in insert
    assert "FROM deleted AS [old]" in delete
    assert "FULL OUTER JOIN" in update
    assert "ON [new].[ID] = [old].[ID] AND [new].[part] = [old].[part]" in update
    assert "[status] FROM inserted) AS [new]" in update  # the condition's column, not captured
    assert "OVER (ORDER BY [e].[op])" in update  # a delete before the insert of the same row
    _, update = triggers(CASES["keyless"]("mssql"))
    assert "ON 1 = 0" in update
    assert "HASHBYTES('SHA2_256'" in update


@pytest.mark.parametrize(
    ("column", "style"),
    [
        ("paid", "[new].[paid], 2"),
        ("rate", "[new].[rate], 3"),
        ("share", "CONVERT(FLOAT, [new].[share]), 3"),
        ("day", "[new].[day], 23"),
        ("old at", "[new].[old at], 121"),
        ("zoned", "[new].[zoned], 121"),
        ("raw", "[new].[raw], 2"),
        ("version", "CONVERT(VARBINARY(8), [new].[version]), 2"),
        ("place", "CONVERT(VARBINARY(MAX), [new].[place]), 2"),
        ("tree", "[new].[tree].ToString()"),
    ],
)
def test_sql_server_texts_name_their_style(column, style):
    insert = triggers(every("mssql"))[0]
    assert f"CONVERT(NVARCHAR(MAX), {style})" in insert
    assert f"`{column}`=" in insert


@pytest.mark.parametrize("declared", ["text", "ntext", "image"])
def test_sql_server_types_that_triggers_do_not_see_are_refused(declared):
    with pytest.raises(ConfigError, match=f"triggers see no {declared}"):
        draft("mssql", shape={"ID": "int", "memo": declared})
    made = draft("mssql", shape={"ID": "int", "memo": declared}, columns=["ID"])
    assert not any("memo" in one for one in made.plan())


def test_sql_server_claims_pass_over_what_is_locked():
    claim = DRAFTS["mssql"]().claim
    assert "WITH (UPDLOCK, READPAST, ROWLOCK)" in claim
    assert claim.count("READPAST") == 1  # not where it is asked whether an older one waits


# The traps of Oracle


@pytest.mark.parametrize("case", CASES)
def test_oracle_triggers_cannot_become_invalid_by_what_is_ours(case):
    made = CASES[case]("oracle")
    (trigger,) = triggers(made)
    # A dependency on a table that goes would make the trigger invalid, and fail every write.
    outside = re.sub(r"'(?:[^']|'')*'", "''", trigger)
    assert not re.search(r"fig_(event|gap|large)\b", outside)
    assert not re.search(r"\b(DBMS_CRYPTO|DBMS_OUTPUT|UTL_\w+)\b", outside)
    assert "\nDISABLE\nCOMPOUND TRIGGER\n" in trigger
    enable = made.plan()[-1]
    assert "user_errors" in enable
    assert re.search(r"ALTER TRIGGER .* ENABLE", enable)
    assert len(trigger.encode()) <= 32_000


@pytest.mark.parametrize("case", CASES)
def test_every_part_of_an_oracle_trigger_has_its_handler(case):
    (trigger,) = triggers(CASES[case]("oracle"))
    assert "AUTONOMOUS" not in trigger  # a change that was rolled back has no gap
    for part in ("AFTER EACH ROW", "AFTER STATEMENT"):
        body = trigger[trigger.index(f"{part} IS") : trigger.index(f"END {part};")]
        assert "WHEN OTHERS THEN" in body
        declared = body[: body.index("BEGIN")]
        assert ":=" not in declared  # an error in a declaration is not caught
    for part in ("fig_missed", "fig_flush"):
        body = trigger[trigger.index(f"PROCEDURE {part}") : trigger.index(f"END {part};")]
        assert "WHEN OTHERS THEN" in body
    assert "FORALL" in trigger
    assert "FOR INSERT OR UPDATE" in trigger
    assert "COMMIT" not in trigger


@pytest.mark.parametrize(
    "text",
    [
        "TO_CHAR(:NEW.\"N\", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')",
        "LTRIM(TO_CHAR(:NEW.\"DAY\", 'SYYYY-MM-DD HH24:MI:SS'))",
        "LTRIM(TO_CHAR(:NEW.\"ZONED\", 'SYYYY-MM-DD HH24:MI:SS.FFTZH:TZM'))",
        'SYS_EXTRACT_UTC(:NEW."HERE")',
        'RAWTOHEX(:NEW."RAW8")',
        "fig_clob(TO_CLOB(:NEW.\"NDOC\"), 't', v_id, {NDOC})",
        "fig_clob(TO_CLOB(:OLD.\"NDOC\"), 't', v_gone, {NDOC})",
        "fig_blob(:NEW.\"PIC\", 'b', v_id, {PIC})",
    ],
)
def test_oracle_texts_do_not_depend_on_nls(text):
    (trigger,) = triggers(every("oracle"))
    places = {name: at for at, name in enumerate(EVERY["oracle"])}
    assert text.format(**places) in trigger


@pytest.mark.parametrize("declared", ["LONG", "LONG RAW"])
def test_oracle_types_that_triggers_do_not_see_are_refused(declared):
    with pytest.raises(ConfigError, match=f"triggers see no {declared}"):
        draft("oracle", shape={"ID": "NUMBER(10)", "OLD": declared})


def test_a_table_too_wide_for_an_oracle_trigger_is_refused():
    shape = {"ID": "NUMBER(10)", **{f"COLUMN_NUMBER_{at}": "TIMESTAMP(6)" for at in range(200)}}
    with pytest.raises(ConfigError, match="name fewer 'columns'"):
        draft("oracle", shape=shape)


def test_oracle_names_fit_thirty_bytes_and_stay_apart():
    names = {trigger_name(name) for name in ["X" * 40, "X" * 41, "Ü", "Ö", "A B", "A_B", "orders"]}
    assert len(names) == 7
    assert all(len(name.encode()) <= 30 and re.fullmatch(r"[A-Z0-9_]+", name) for name in names)


def test_oracle_claims_lock_as_they_fetch():
    claim = DRAFTS["oracle"]().claim
    assert claim.endswith("FOR UPDATE OF e.lease_token SKIP LOCKED")
    assert "ROWNUM" not in claim
    assert "FETCH FIRST" not in claim  # ORA-02014


def test_no_key_in_oracle_is_the_row_itself():
    (trigger,) = triggers(CASES["keyless"]("oracle"))
    assert "ROWIDTOCHAR(:NEW.ROWID)" in trigger


# Both


@pytest.mark.parametrize("backend", DRAFTS)
def test_nothing_is_run_from_here(backend):
    made = draft(backend)
    for run in (made.apply, made.check, lambda: made.undo(discard=True)):
        with pytest.raises(LegacyError, match="from here") as told:
            run()
        assert "--dry-run" in told.value.remedy


@pytest.mark.parametrize("backend", DRAFTS)
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shape": {}}, "must be described"),
        ({"key": ("IDD",)}, "no such column"),
        ({"columns": ("nothing",)}, "no such column"),
        ({"operations": ("truncate",)}, "fires no trigger there"),
        ({"shape": {"ID": "geometri"}}, "not known"),
        ({"when": "new.ID ="}, "not understood"),
    ],
)
def test_options_that_do_not_fit_are_refused(backend, options, says):
    with pytest.raises(ConfigError, match=says):
        draft(backend, **options)


def test_an_image_of_theirs_reads_as_one_of_mysql():
    text = r"`ID`=i'1',`it``s`=t'a\'b\\c',`doc`=t#70000,`n`=oNULL"
    image = read_image(text)
    assert image.values == {"ID": "1", "it`s": r"a'b\c", "doc": 70_000, "n": None}
    assert image.kinds == "itln"
