"""What the triggers write: every type, in any session, whatever legacy does."""

from __future__ import annotations

import json
import re
import string

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from stranglerfig.adapters.capture.dialect import Capture, Shape
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.adapters.capture.postgresql.image import read_image
from stranglerfig.adapters.capture.postgresql.words import short

# What a legacy session may have set, as far from usual as it goes.
ODD_SESSIONS = [
    "SET DateStyle = 'SQL, DMY'",
    "SET IntervalStyle = 'iso_8601'",
    "SET TimeZone = 'Asia/Kathmandu'",
    "SET bytea_output = 'escape'",
    "SET extra_float_digits = -15",
    "SET standard_conforming_strings = off",
    "SET escape_string_warning = off",
    "SET search_path = ''",
]
TYPES = """
CREATE SCHEMA legacy;
CREATE TYPE legacy.mood AS ENUM ('sad', 'it''s, "ok"');
CREATE TYPE legacy.pair AS (x double precision, y timestamptz);
CREATE DOMAIN legacy.amount AS numeric(10, 2);
CREATE TABLE legacy.every (
  id bigint PRIMARY KEY, small smallint, whole integer, yes boolean,
  exact numeric, money2 numeric(12, 2), single real, real8 double precision, price money,
  fixed char(5), short varchar(20), long text, letter "char", called name,
  bytes bytea, day date, at timestamp, zoned timestamptz, hour time, hour_zoned timetz,
  span interval, doc json, docb jsonb, markup xml, unique_id uuid, address inet,
  three bit(3), bits bit varying, words tsvector, point point, box box, path path, circle circle,
  numbers integer[], texts text[][], reals double precision[], moods legacy.mood[],
  range int4range, period tstzrange, many int4multirange, feeling legacy.mood,
  "both" legacy.pair, amount legacy.amount, ref regclass,
  made text GENERATED ALWAYS AS (short || '!') STORED)
"""
# For each column some texts that PostgreSQL takes; the last four of floats show their limits.
VALUES = {
    "small": ["0", "-32768"],
    "whole": ["2147483647", "-1"],
    "yes": ["t", "f"],
    "exact": ["1.50", "-0.000", "NaN", "Infinity", "123456789012345678901234567890.0123456789"],
    "money2": ["0.10", "-9999999999.99"],
    "single": ["0.1", "NaN", "-Infinity", "3.4028235e+38"],
    "real8": ["0.1", "0.30000000000000004", "NaN", "Infinity", "5e-324", "-0"],
    "price": ["1234.50", "-0.01"],
    "fixed": ["a", "     ", "it's"],
    "short": ["", " ", "a,b", "(x)", '"', "\\", "\t\r\n", "NULL", "ключ 鍵 🔑"],
    "long": ["", "x" * 300, '\\"\\\\,()', "it's\nso"],
    "letter": ["a", ""],
    "called": ["A name"],
    "bytes": ["\\x", "\\x00ff5c22", "\\x5c5c78"],
    "day": ["2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "294276-12-31"],
    "at": ["2024-02-29 23:59:59.999999", "infinity", "4713-01-01 00:00:00 BC"],
    "zoned": ["2024-03-31 02:30:00+01", "-infinity", "1800-01-01 00:00:00+00"],
    "hour": ["24:00:00", "00:00:00.000001"],
    "hour_zoned": ["12:00:00+05:45"],
    "span": ["1 year -2 mons +3 days -04:05:06.7", "0", "-178000000 years"],
    "doc": ['{"b":  1, "a": [1.0, null]}', '"\\u00e9"', "null"],
    "docb": ['{"b": 1, "a": [1.0, null]}', '"x"', "12345678901234567890.10"],
    "markup": ["<a b='1'>x &amp; y</a>"],
    "unique_id": ["00112233-4455-6677-8899-aabbccddeeff"],
    "address": ["192.168.0.1/24", "::1"],
    "three": ["101"],
    "bits": ["", "1010101"],
    "words": ["'a':1A 'it''s':2"],
    "point": ["(0.1,1e300)"],
    "box": ["(1.1,2.2),(0,0)"],
    "path": ["[(0,0),(1.1,2)]"],
    "circle": ["<(0,0.1),3>"],
    "numbers": ["{}", "{1,NULL,3}", "[2:3]={1,2}"],
    "texts": ['{{a,"b,c"},{NULL,"NULL"}}'],
    "reals": ["{0.1,NaN,Infinity}"],
    "moods": ['{sad,"it\'s, \\"ok\\""}'],
    "range": ["[1,10)", "empty"],
    "period": ['["2024-01-01 00:00:00+00",)'],
    "many": ["{[1,3),[5,7)}"],
    "feeling": ["sad", 'it\'s, "ok"'],
    "both": ['(0.1,"2024-01-01 00:00:00+05:45")', "(,)"],
    "amount": ["12.30"],
    "ref": ["pg_catalog.pg_class", "legacy.every"],
}
LETTERS = {"small": "i", "whole": "i", "single": "r", "real8": "r", "bytes": "b", "id": "i"}
TEXTS = ("fixed", "short", "long", "letter", "called", "made")


# What would come first of each name that the functions use, had it no schema.
SHADOWS = [
    "CREATE SCHEMA evil",
    "CREATE TABLE evil.called (called pg_catalog.text)",
    *(
        f"CREATE FUNCTION evil.{name}({taken}) RETURNS {given} LANGUAGE plpgsql AS"
        f" $$ BEGIN INSERT INTO evil.called VALUES ('{name}'); RAISE EXCEPTION 'shadowed'; END $$"
        for name, taken, given in (
            ("current_setting", "text, boolean", "text"),
            ("current_setting", "text", "text"),
            ("set_config", "text, text, boolean", "text"),
            ("octet_length", "text", "integer"),
            ("octet_length", "bytea", "integer"),
            ("left", "text, integer", "text"),
            ("gen_random_uuid", "", "uuid"),
            ("clock_timestamp", "", "timestamptz"),
            ("date_part", "text, timestamptz", "double precision"),
            ("nextval", "regclass", "bigint"),
            ("hashtextextended", "text, bigint", "bigint"),
            ("convert_to", "text, name", "bytea"),
            ("getdatabaseencoding", "", "name"),
            ("pg_notify", "text, text", "void"),
            ("joined", "text, text", "text"),
            ("joined", "bigint, text", "text"),
            ("joined", "text, bigint", "text"),
            ("joined", "integer, text", "text"),
            ("compared", "integer, integer", "boolean"),
            ("compared", "bigint, bigint", "boolean"),
            ("compared", "text, text", "boolean"),
            ("compared", "double precision, numeric", "boolean"),
        )
    ),
    *(
        f"CREATE OPERATOR evil.|| (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = evil.joined)"
        for left, right in (("text", "text"), ("bigint", "text"), ("text", "bigint"))
    ),
    *(
        f"CREATE OPERATOR evil.{sign} (LEFTARG = {of}, RIGHTARG = {of}, FUNCTION = evil.compared)"
        for sign in ("=", "<>", ">", "<", "<=")
        for of in ("integer", "bigint", "text")
    ),
    "CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false)",
    "CREATE COLLATION evil.\"C\" (LOCALE = 'C')",
]


@pytest.fixture
def typed(desk):
    for statement in TYPES.split(";\n"):
        desk.legacy.execute(statement)
    return desk


def shown(connection: psycopg.Connection, row: int) -> dict[str, str | None]:
    """Give each column's text as a session of the usual settings sees it."""
    described = connection.execute("SELECT * FROM legacy.every LIMIT 0").description
    names = [column.name for column in described]
    # As the types' own output functions write it; a cast to text would say more, or less.
    field = "CASE WHEN num_nulls({0}) = 0 THEN format('%s', {0}{1}) END"
    listed = sql.SQL(", ").join(
        sql.SQL(field).format(sql.Identifier(name), sql.SQL("::numeric" if name == "price" else ""))
        for name in names
    )
    query = sql.SQL("SELECT {} FROM legacy.every WHERE id = {}").format(listed, row)
    found = connection.execute(query).fetchone()
    shown = dict(zip(names, found, strict=True))
    if shown["bytes"] is not None:
        shown["bytes"] = shown["bytes"].removeprefix("\\x").upper()
    return shown


def insert_texts(connection: psycopg.Connection, row: int, values: dict[str, str | None]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, ["id", *values]))
    # As literals of no type: PostgreSQL reads them as the column's.
    literals = sql.SQL(", ").join(
        sql.SQL("NULL") if text is None else sql.SQL("E'" + escaped(text) + "'")
        for text in values.values()
    )
    statement = sql.SQL("INSERT INTO legacy.every ({}) VALUES ({}, {})")
    connection.execute(statement.format(columns, row, literals))


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


@pytest.mark.parametrize("level", ["row", "statement"])
def test_every_type_is_captured_exactly_in_any_session(typed, level):
    typed.installed(table="every", schema="legacy", operations=["insert", "update"], level=level)
    odd = typed.connect()
    rows = max(map(len, VALUES.values())) + 1
    # Written by a usual session, so that all texts are read alike, and touched by an odd one.
    for row in range(rows):
        values = {name: texts[row] if row < len(texts) else None for name, texts in VALUES.items()}
        insert_texts(typed.legacy, row, values)
    for statement in ODD_SESSIONS:
        odd.execute(statement)
    odd.execute("UPDATE legacy.every SET id = id + 0")
    assert typed.gaps() == []
    typed.legacy.execute("SET TimeZone = 'UTC'")
    typed.legacy.execute("SET search_path = pg_catalog")
    seen = 0
    for before, after in typed.ask('SELECT "before", "after" FROM public.fig_event'):
        for image in filter(None, (before, after)):
            read = read_image(image)
            expected = shown(typed.legacy, int(read.values["id"]))
            assert read.values == expected
            kinds = dict(zip(read.values, read.kinds, strict=True))
            for name, value in read.values.items():
                letter = LETTERS.get(name, "t" if name in TEXTS else "o")
                assert kinds[name] == ("n" if value is None else letter)
            seen += 1
    assert seen == 3 * rows


ANY_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    text=st.none() | ANY_TEXT,
    blob=st.none() | st.binary(),
    number=st.none()
    | st.decimals(allow_nan=False, allow_infinity=False, places=5, max_value=1e20, min_value=-1e20),
    real=st.none() | st.floats(),
    texts=st.none() | st.lists(ANY_TEXT, max_size=3),
)
def test_any_value_comes_back(any_row, text, blob, number, real, texts):
    desk = any_row
    desk.legacy.execute("TRUNCATE anything, fig_event")
    desk.legacy.execute(
        "INSERT INTO anything VALUES (1, %s, %s, %s, %s, %s)", (text, blob, number, real, texts)
    )
    assert desk.gaps() == []
    (image,) = desk.afters()
    ((count, real_text, texts_text),) = desk.ask("SELECT n::text, r::text, ts::text FROM anything")
    assert image.values == {
        "id": "1",
        "t": text,
        "b": None if blob is None else blob.hex().upper(),
        "n": count,
        "r": real_text,
        "ts": texts_text,
    }


@pytest.fixture
def any_row(desk):
    desk.legacy.execute(
        "CREATE TABLE anything (id int PRIMARY KEY, t text, b bytea, n numeric, r float8, ts text[])"
    )
    desk.installed(table="anything")
    return desk


NAMES = [
    'weird "name"',
    "Größe",
    "MiXeD",
    "select",
    "with space",
    "a'b",
    "back\\slash",
    "50%",
    "%s",
    "a,b](",
]


def test_names_of_any_kind(desk):
    columns = ", ".join('"' + name.replace('"', '""') + '" text' for name in NAMES)
    desk.legacy.execute(
        f'CREATE SCHEMA "Old Sché%ma"; CREATE TABLE "Old Sché%ma"."Ta""ble" ({columns}, PRIMARY KEY ("select", "MiXeD"))'
    )
    source = desk.installed(
        name="weird-ö" * 9,
        table='Ta"ble',
        schema="Old Sché%ma",
        operations=["insert", "update", "delete", "truncate"],
        when="new.\"with space\" is distinct from '%s'",
    )
    assert source.install_plan() == []
    row = {name: f"v{at} {name}" for at, name in enumerate(NAMES)}
    literals = ", ".join("E'" + escaped(value) + "'" for value in row.values())
    desk.legacy.execute(f'INSERT INTO "Old Sché%ma"."Ta""ble" VALUES ({literals})')
    assert desk.gaps() == []
    (image,) = desk.afters()
    assert image.values == row
    assert desk.events("key") == [('("v3 select","v2 MiXeD")',)]
    source.remove(discard=True)


def test_long_names_are_cut_and_stay_apart():
    one, other = short("fig_" + "ü" * 60 + "_insert"), short("fig_" + "ü" * 60 + "_update")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= 63


# Keys


@pytest.mark.parametrize(
    ("columns", "key", "rows", "keys"),
    [
        ("id int PRIMARY KEY, a text", [], "(1, 'x'), (2, 'y')", ["1", "2"]),
        ("id int, a text, PRIMARY KEY (a, id)", [], "(1, 'x,y'), (2, '')", ['("x,y",1)', '("",2)']),
        ("id int, a text", ["a"], "(1, 'x'), (2, NULL)", ["x", ""]),
        ("id int, a date", ["a"], "(1, '2024-01-02')", ["2024-01-02"]),
        ("id int, a bytea", ["a"], "(1, '\\x01')", ["\\x01"]),
    ],
)
def test_keys(desk, columns, key, rows, keys):
    desk.legacy.execute(f"CREATE TABLE keyed ({columns})")
    desk.installed(table="keyed", key=key)
    desk.legacy.execute("SET DateStyle = 'German'")
    desk.legacy.execute(f"INSERT INTO keyed VALUES {rows}")
    assert desk.events("key") == [(key,) for key in keys]


def test_a_table_without_a_key_keeps_equal_rows_in_order(desk):
    desk.legacy.execute("CREATE TABLE keyless (a text, b text)")
    desk.installed(table="keyless", operations=["insert", "delete"], large=1000)
    desk.legacy.execute("INSERT INTO keyless VALUES ('x', 'y'), ('x', 'z')")
    desk.legacy.execute("INSERT INTO keyless VALUES ('x', repeat('y', 5000))")
    desk.legacy.execute("DELETE FROM keyless")
    keys = [key for (key,) in desk.events("key")]
    assert len(set(keys)) == 3
    assert sorted(keys[:3]) == sorted(keys[3:])


def test_a_long_key_is_cut_and_told_apart(desk):
    desk.legacy.execute("CREATE TABLE keyed (a text PRIMARY KEY)")
    desk.installed(table="keyed")
    long = [character * 2600 for character in ("x", "ü")] + ["x" * 2599 + "y"]
    with desk.legacy.cursor() as cursor:
        for value in long:
            # Too long for an index of ours, and short enough for theirs, compressed.
            cursor.execute("INSERT INTO keyed VALUES (%s)", (value,))
    keys = [key for (key,) in desk.events("key")]
    assert len(set(keys)) == 3
    assert max(map(len, keys)) < 600
    assert desk.gaps() == []


# Operations


ALL = ["insert", "update", "delete", "truncate"]


@pytest.mark.parametrize("level", ["row", "statement"])
def test_many_rows_in_a_statement(desk, level):
    desk.installed(operations=ALL, level=level)
    desk.legacy.execute("INSERT INTO tickets SELECT n, 'a' || n, '' FROM generate_series(1, 5) n")
    desk.legacy.execute(
        "UPDATE tickets SET id = 10 - id, text = 'u' || id WHERE id <= 4 AND id <> 5"
    )
    desk.legacy.execute("DELETE FROM tickets WHERE id = 5")
    desk.legacy.execute("UPDATE tickets SET text = '' WHERE false")
    desk.legacy.execute("TRUNCATE tickets")
    events = desk.events("op", "key", '"before"', '"after"')
    assert [event[:2] for event in events[:5]] == [("insert", str(n)) for n in range(1, 6)]
    updates = [event for event in events if event[0] == "update"]
    # A changed key: before and after are of the same row all the same.
    for _, key, before, after in updates:
        was, now = read_image(before).values, read_image(after).values
        assert was["account"] == now["account"]
        assert key == now["id"] == str(10 - int(was["id"]))
        assert now["text"] == f"u{was['id']}"
    assert sorted(key for _, key, *_ in updates) == ["6", "7", "8", "9"]
    assert [event[:2] for event in events[9:]] == [("delete", "5"), ("truncate", "")]
    assert (events[10][2], events[10][3]) == (None, None)
    assert desk.gaps() == []


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(12)), divisor=st.integers(1, 13))
def test_updates_of_a_statement_are_paired_whatever_happens_to_keys(moving, order, divisor):
    moving.legacy.execute("TRUNCATE moved, fig_event")
    with moving.legacy.cursor() as cursor:
        cursor.executemany("INSERT INTO moved VALUES (%s, %s)", [(n, str(n)) for n in order])
    moving.legacy.execute(
        f"UPDATE moved SET id = (id * 7) % {divisor}, mark = mark || '>' || (id * 7) % {divisor}"
        " WHERE id % 3 <> 1"
    )
    pairs = moving.events('"before"', '"after"')
    assert len(pairs) == 8
    for before, after in pairs:
        was, now = read_image(before).values, read_image(after).values
        assert now["mark"] == f"{was['mark']}>{now['id']}"


@pytest.fixture
def moving(desk):
    desk.legacy.execute("CREATE TABLE moved (id int, mark text)")
    desk.installed(name="moved", table="moved", operations=["update"], level="statement")
    return desk


@pytest.mark.parametrize("level", ["row", "statement"])
def test_conditions(desk, level):
    desk.installed(
        operations=["insert", "update", "delete"],
        when="old.text is distinct from new.text and coalesce(new.account, old.account) <> 'skip'",
        level=level,
    )
    desk.legacy.execute(
        "INSERT INTO tickets VALUES (1, 'a', 'x'), (2, 'skip', 'x'), (3, 'a', NULL)"
    )
    desk.legacy.execute("UPDATE tickets SET account = account || ''")
    desk.legacy.execute("UPDATE tickets SET text = 'y' WHERE id IN (1, 2)")
    desk.legacy.execute("DELETE FROM tickets")
    assert desk.events() == [("insert", "1"), ("update", "1"), ("delete", "1")]
    assert desk.gaps() == []


@pytest.mark.parametrize("level", ["row", "statement"])
def test_large_values_stand_apart(desk, level):
    desk.legacy.execute(
        "CREATE TABLE big (id int PRIMARY KEY, t text, b bytea, j jsonb, a int[], v varchar(9))"
    )
    desk.installed(table="big", operations=["insert", "update", "delete"], large=100, level=level)
    desk.legacy.execute(
        """INSERT INTO big VALUES (1, repeat('ü', 60), decode(repeat('ab', 101), 'hex'),
           to_jsonb(repeat('j', 99)), array_fill(7, ARRAY[60]), 'v'),
           (2, repeat('t', 100), NULL, '{}', '{1}', NULL)"""
    )
    desk.legacy.execute("UPDATE big SET t = 'short' WHERE id = 1")
    desk.legacy.execute("DELETE FROM big")
    first, second, *rest = desk.events("event_id", '"before"', '"after"')
    image = read_image(first[2])
    assert image.kinds == "illllt"
    assert image.values == {"id": "1", "t": 120, "b": 101, "j": 101, "a": 121, "v": "v"}
    assert image.large == {name: f"{first[0]}-{at}" for at, name in enumerate("tbja", 1)}
    kept = dict(desk.ask("SELECT ref, (kind, bytes, value)::text FROM fig_large"))
    assert kept[image.large["t"]].startswith('(t,120,"\\\\xc3bc')
    assert kept[image.large["b"]] == '(b,101,"\\\\x' + "ab" * 101 + '")'
    assert kept[image.large["j"]].startswith("(o,101,")
    assert read_image(second[2]).kinds == "itnoon"
    before, after = read_image(rest[0][1]), read_image(rest[0][2])
    assert (before.kinds, after.kinds) == ("illllt", "itlllt")
    # What did not change is kept once; each event has its own.
    assert {name: before.large[name] for name in "bja"} == after.large
    assert len(kept) == 4 + (3 + 1) + 3
    assert desk.gaps() == []


def test_a_legacy_trigger_that_changes_the_row_again_does_not_turn_the_order(desk):
    desk.legacy.execute(
        """CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           UPDATE tickets SET text = 'numbered' WHERE id = NEW.id; RETURN NULL; END $$"""
    )
    desk.legacy.execute(
        'CREATE TRIGGER "A first" AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION again()'
    )
    desk.installed(operations=["insert", "update"])
    desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'new')")
    assert [
        (op, read_image(after).values["text"]) for op, after in desk.events("op", '"after"')
    ] == [
        ("insert", "new"),
        ("update", "numbered"),
    ]


def test_partitions_upserts_and_cascades(desk):
    desk.legacy.execute(
        """CREATE TABLE parent (id int PRIMARY KEY);
           CREATE TABLE child (id int, parent int REFERENCES parent ON DELETE CASCADE,
             PRIMARY KEY (id, parent)) PARTITION BY RANGE (id);
           CREATE TABLE child_low PARTITION OF child FOR VALUES FROM (0) TO (10);
           CREATE TABLE child_high PARTITION OF child FOR VALUES FROM (10) TO (99)"""
    )
    desk.installed(name="child", table="child", operations=["insert", "update", "delete"])
    desk.legacy.execute("INSERT INTO parent VALUES (1), (2)")
    desk.legacy.execute("INSERT INTO child VALUES (1, 1), (11, 1)")
    desk.legacy.execute("UPDATE child SET id = 12 WHERE id = 1")
    desk.legacy.execute(
        "INSERT INTO child VALUES (12, 1) ON CONFLICT (id, parent) DO UPDATE SET parent = 2"
    )
    desk.legacy.execute("DELETE FROM parent WHERE id = 1")
    assert desk.events() == [
        ("insert", "(1,1)"),
        ("insert", "(11,1)"),
        ("delete", "(1,1)"),
        ("insert", "(12,1)"),  # moved to another partition
        ("update", "(12,2)"),
        ("delete", "(11,1)"),
    ]


def test_what_comes_by_replication_is_captured_where_it_is_wished(desk):
    source = desk.installed(replicated=True)
    assert source.install_plan() == []
    desk.legacy.execute("SET session_replication_role = replica")
    desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    assert desk.events() == [("insert", "1")]
    desk.source(replicated=False).install()
    desk.legacy.execute("INSERT INTO tickets VALUES (2, 'a', '')")
    assert desk.events() == [("insert", "1")]


def test_backfill_writes_what_triggers_write(typed):
    typed.installed(table="every", schema="legacy", key=["day", "short"])
    for row in range(5):
        values = {name: texts[row] if row < len(texts) else None for name, texts in VALUES.items()}
        insert_texts(typed.legacy, row, values)
    source = typed.source(table="every", schema="legacy", key=["day", "short"])
    ground = source.ground()
    shape: Shape = ground.capture.shape
    dialect = ground.dialect
    assert isinstance(dialect, PostgreSqlCapture)
    with ground.connected() as connection:
        image, key = dialect.row_image(shape, "new"), dialect.row_key(shape, "new")
        rows = connection.exec_driver_sql(
            f"SELECT {key}, {image} FROM legacy.every new ORDER BY id"
        ).fetchall()
    assert [tuple(row) for row in rows] == typed.events('"key"', '"after"')


# Images


@given(
    st.lists(
        st.tuples(st.text(string.printable + "ü", min_size=1), st.none() | ANY_TEXT),
        unique_by=lambda it: it[0],
        min_size=1,
    )
)
def test_images_are_read_back(pairs):
    def field(value: str | None) -> str:
        if value is None:
            return ""
        plain = value and not set(value) & set('"\\(), \t\n\r\v\f')
        return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '""') + '"'

    names = json.dumps([name for name, _ in pairs], ensure_ascii=False)
    text = "t" * len(pairs) + names + "(" + ",".join(field(value) for _, value in pairs) + ")"
    assert read_image(text).values == dict(pairs)


@given(st.text('it[]"(),\\:x1l', max_size=30))
def test_what_is_no_image_is_refused(text):
    try:
        image = read_image(text)
    except ValueError:
        return
    assert len(image.values) <= len(image.kinds)


def test_an_id_of_an_event_is_random_in_each_transaction_and_its_number_in_one(desk):
    """After a remove and an install numbers begin anew, and the inbox remembers the old ids."""
    desk.installed(operations=["insert", "update"])
    for _ in range(2):
        with desk.legacy.transaction():
            desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', ''), (2, 'a', '')")
            desk.legacy.execute("UPDATE tickets SET text = 'b'")
        desk.legacy.execute("DELETE FROM tickets")
    ids = desk.events("event_id", "id")
    drawn = [event_id.removesuffix(str(number)) for event_id, number in ids]
    assert all(re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-", one) for one in drawn)
    assert [len(set(some)) for some in (drawn[:4], drawn[4:], drawn)] == [1, 1, 2]


@pytest.mark.parametrize("level", ["row", "statement"])
@pytest.mark.parametrize("table", ["tickets", "keyless", "pairs"])
def test_what_a_session_finds_first_is_not_what_a_function_of_ours_calls(desk, level, table):
    """They run with their owner's rights and set no search path: all in them has its schema."""
    for statement in SHADOWS:
        desk.legacy.execute(statement)
    desk.legacy.execute("CREATE TABLE keyless (account text, text text, at timestamptz, doc json)")
    desk.legacy.execute(
        "CREATE TABLE pairs (name text, part text, bytes bytea, text text, PRIMARY KEY (name, part))"
    )
    desk.installed(table=table, operations=["insert", "update", "delete", "truncate"], level=level)
    columns = {
        "tickets": ("id", "1"),
        "keyless": ("account", "'a'"),
        "pairs": ("name, part", "'1', repeat('k', 600)"),
    }[table]
    evil = desk.connect()
    for ours in ("fig_event", "fig_gap", "fig_large", "fig_new", "fig_old", "fig_rows"):
        evil.execute(f"CREATE TEMPORARY TABLE {ours} (id bigint)")
    evil.execute("SET search_path = evil, pg_temp, pg_catalog")
    for size in (1, 70_000):
        text = "x" * size
        into = f"INSERT INTO public.{table} ({columns[0]}, text) VALUES ({columns[1]}, '{text}')"
        evil.execute(into)
        evil.execute(f"UPDATE public.{table} SET text = 'y'")
        evil.execute(f"DELETE FROM public.{table}")
    evil.execute(f"TRUNCATE public.{table}")
    assert desk.gaps() == []
    assert [op for op, _ in desk.events()] == ["insert", "update", "delete"] * 2 + ["truncate"]
    assert desk.ask("SELECT called FROM evil.called") == []
    # The shadows do shadow.
    with pytest.raises(psycopg.errors.RaiseException):
        evil.execute("SELECT 'a'::pg_catalog.text || 'b'::pg_catalog.text")


@pytest.mark.parametrize("level", ["row", "statement"])
def test_all_in_a_function_is_named_with_its_schema(level):
    """But for what is no name: words of the language, and our own variables and aliases."""
    shape = Shape(
        table="t",
        columns=(("id", "bigint"), ("n", "text"), ("d", "json"), ("m", "money"), ("b", "bytea")),
        key=("id", "n"),
        all_columns=("id", "n", "d", "m", "b"),
    )
    operations = ("insert", "update", "delete", "truncate")
    capture = Capture(source="t", shape=shape, operations=operations, level=level)
    pieces = PostgreSqlCapture("home", notify="always").pieces(capture)
    for piece in (one for one in pieces if one.kind == "function"):
        body = re.sub("'(?:[^']|'')*'", "''", piece.create[piece.create.index("#variable") :])
        assert "search_path" not in piece.create
        called = set(re.findall(r"(?<![\w.\"])([a-z_]\w*)\(", body.replace("VALUES (", "")))
        assert called <= {"coalesce"}
        assert set(re.findall(r"::([\w.]+)", body)) <= {
            "pg_catalog.text",
            "pg_catalog.regclass",
            "numeric",
        }
        plain = re.sub(
            r"OPERATOR\(pg_catalog\.[^)]+\)|:=|::|#variable_conflict|\.\*|[A-Z]+ = ''", "", body
        )
        assert not re.search(r"[-+*/<>=~!@#%^&|`?]", plain.replace("$fig$", ""))
