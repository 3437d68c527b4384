"""Every value of every type comes out of a trigger, and out of a table, as it went in."""

from __future__ import annotations

import struct
import zlib
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.adapters.capture.mysql.image import read_image
from stranglerfig.adapters.capture.mysql.values import row_image, row_key, value
from stranglerfig.tests.adapters.capture.mysql.conftest import Legacy

FAIR = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
POINT = "E610000001010000000000000000000040000000000000F03F"

# Declared type, the value in SQL, its text in the image, its kind.
TYPES = [
    ("TINYINT", "-128", "-128", "i"),
    ("TINYINT(1)", "TRUE", "1", "i"),
    ("BOOL", "FALSE", "0", "i"),
    ("SMALLINT UNSIGNED", "65535", "65535", "i"),
    ("MEDIUMINT", "-8388608", "-8388608", "i"),
    ("INT(8) ZEROFILL", "42", "00000042", "i"),
    ("BIGINT", "-9223372036854775808", "-9223372036854775808", "i"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615", "i"),
    ("BIT(1)", "b'1'", "1", "i"),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", "18446744073709551615", "i"),
    ("YEAR", "2024", "2024", "i"),
    ("DECIMAL(65,30)", "-12345678901234567890.000000000000000000000000000001", None, "o"),
    ("DECIMAL(5,0)", "7", "7", "o"),
    ("NUMERIC(10,2)", "1.10", "1.10", "o"),
    ("FLOAT", "0.1", "0.1", "r"),
    ("FLOAT", "16777217", "16777216.0", "r"),
    ("FLOAT(7,3)", "1.234", "1.234", "r"),
    ("FLOAT", "3.4028234e38", "3.4028235e+38", "r"),
    ("DOUBLE", "0.1", "0.1", "r"),
    ("DOUBLE", "1.7976931348623157e308", "1.7976931348623157e+308", "r"),
    ("DOUBLE", "2.2250738585072014e-308", "2.2250738585072014e-308", "r"),
    ("DOUBLE", "1e20", "100000000000000000000", "r"),
    ("DOUBLE(10,2)", "1.5", "1.5", "r"),
    ("DATE", "'2024-02-29'", "2024-02-29", "o"),
    ("DATE", "'0000-00-00'", "0000-00-00", "o"),
    ("DATE", "'2024-00-00'", "2024-00-00", "o"),
    ("DATETIME", "'9999-12-31 23:59:59'", "9999-12-31 23:59:59", "o"),
    ("DATETIME(6)", "'0000-00-00'", "0000-00-00 00:00:00.000000", "o"),
    ("DATETIME(3)", "'2024-03-31 02:30:00.5'", "2024-03-31 02:30:00.500", "o"),
    ("TIMESTAMP NULL", "'2024-01-01 12:00:00'", "2024-01-01 12:00:00+00:00", "o"),
    ("TIMESTAMP(6) NULL", "'1970-01-01 00:00:01.000001'", "1970-01-01 00:00:01.000001+00:00", "o"),
    ("TIMESTAMP(2) NULL", "'2038-01-19 03:14:07.99'", "2038-01-19 03:14:07.99+00:00", "o"),
    ("TIMESTAMP NULL", "'0000-00-00'", "0000-00-00 00:00:00", "o"),
    ("TIMESTAMP(3) NULL", "'0000-00-00'", "0000-00-00 00:00:00.000", "o"),
    ("TIME", "'-838:59:59'", "-838:59:59", "o"),
    ("TIME(6)", "'00:00:00.000001'", "00:00:00.000001", "o"),
    ("CHAR(5)", "'a  '", "a", "t"),
    ("VARCHAR(9)", "'a  '", "a  ", "t"),
    ("VARCHAR(9) COLLATE utf8mb4_unicode_ci", "'ñ'", "ñ", "t"),
    ("VARCHAR(9) COLLATE utf8mb4_spanish_ci", "'ñ'", "ñ", "t"),
    ("CHAR(5) CHARACTER SET latin1", "'é€'", "é€", "t"),
    ("VARCHAR(9) CHARACTER SET sjis", "'日本'", "日本", "t"),
    ("VARCHAR(9) CHARACTER SET utf16", "'🔑'", "🔑", "t"),
    ("VARCHAR(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", "'ключ'", "ключ", "t"),
    ("TINYTEXT", r"'it''s \\ \" \0 \Z %'", "it's \\ \" \0 \x1a %", "t"),
    ("TEXT", "'`,`x`=iNULL'", "`,`x`=iNULL", "t"),
    ("MEDIUMTEXT", "''", "", "t"),
    ("LONGTEXT CHARACTER SET cp1251", "'ж'", "ж", "t"),
    ("BINARY(4)", "'a'", "61000000", "b"),
    ("VARBINARY(4)", "x'00FF27'", "00FF27", "b"),
    ("TINYBLOB", "''", "", "b"),
    ("BLOB", "x'5C27'", "5C27", "b"),
    ("MEDIUMBLOB", "x'00'", "00", "b"),
    ("LONGBLOB", "NULL", None, "n"),
    ("ENUM('a','ü','it''s')", "'it''s'", "it's", "t"),
    ("ENUM('a','b')", "'wrong'", "", "t"),
    ("SET('x','y','ü')", "'ü,x'", "x,ü", "t"),
    ("JSON", """'{"a": 1.10}'""", '{"a": 1.10}', "t"),
    ("GEOMETRY", "ST_GeomFromText('POINT(2 1)', 4326)", POINT, "b"),
    ("POINT", "NULL", None, "n"),
    ("INET6", "'::1'", "::1", "o"),
    ("INET4", "'1.2.3.4'", "1.2.3.4", "o"),
    ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", None, "o"),
    ("INT AS (id * 2) VIRTUAL", "", "2", "i"),
    ("VARCHAR(9) AS (CONCAT('x', id)) STORED", "", "x1", "t"),
    ("INT INVISIBLE DEFAULT 5", "", "5", "i"),
    ("INT COMMENT 'it''s, \"x\"'", "NULL", None, "n"),
]


@pytest.fixture(scope="module")
def home(mariadb):
    made = Legacy(mariadb.database())
    yield made
    made.close()


@pytest.fixture(scope="module")
def zoo(home):
    """One table with a column of each type, one row of it, and what its trigger wrote."""
    columns = ", ".join(f"c{at} {declared}" for at, (declared, *_) in enumerate(TYPES))
    home.run(f"CREATE TABLE zoo (id INT PRIMARY KEY, {columns})")
    home.capture("zoo", large=5_000)
    put = {f"c{at}": sql for at, (_, sql, *_) in enumerate(TYPES) if sql}
    session = home.connect("SET SESSION sql_mode = '', time_zone = '+00:00'")
    home.run(
        f"INSERT INTO zoo (id, {', '.join(put)}) VALUES (1, {', '.join(put.values())})",
        session=session,
    )
    home.run("UPDATE zoo SET id = id", session=session)
    home.run("DELETE FROM fig_event WHERE op = 'delete'")
    assert home.gaps() == []
    return home


@pytest.mark.parametrize("at", range(len(TYPES)), ids=[f"{one[0]}-{one[1]}" for one in TYPES])
def test_each_type_is_told_exactly(zoo, at):
    declared, put, text, kind = TYPES[at]
    if text is None and kind != "n":
        text = put.strip("'")
    images = [image for _, _, *both in zoo.events() for image in both if image]
    assert len(images) == 3  # of an insert and of an update
    for image in images:
        assert image.values[f"c{at}"] == text
        assert image.kinds[at + 1] == kind


def test_a_row_that_is_read_gives_the_image_that_the_trigger_wrote(zoo):
    shape = zoo.shape("zoo")
    for zone in ("+00:00", "+05:30"):
        zoo.ours(f"SET SESSION time_zone = '{zone}'")
        ((image, key),) = zoo.ours(
            f"SELECT {row_image(shape, 'x', 5_000)}, {row_key(shape, 'x')} FROM zoo AS x"
        )
        assert zoo.ours("SELECT DISTINCT `after`, `key` FROM fig_event") == [(image, key)]
        assert zoo.ours("SELECT DISTINCT `after` FROM fig_event WHERE op = 'insert'")[0][0] == image


def test_an_hour_that_comes_twice_is_told_apart(home):
    home.run("CREATE TABLE clock (id INT PRIMARY KEY, at TIMESTAMP NULL)")
    home.capture("clock")
    # Summer time ends for this session between the two: 02:30 is there twice.
    home.run("REPLACE INTO mysql.time_zone VALUES (9, 'N')")
    home.run("REPLACE INTO mysql.time_zone_name VALUES ('Test/Autumn', 9)")
    home.run(
        "REPLACE INTO mysql.time_zone_transition_type VALUES (9,0,7200,1,'S'),(9,1,3600,0,'W')"
    )
    home.run("REPLACE INTO mysql.time_zone_transition VALUES (9, 0, 0), (9, 1698541200, 1)")
    session = home.connect("SET SESSION time_zone = 'Test/Autumn'")
    # Written where the hour is there once, and changed where it is there twice.
    utc = home.connect("SET SESSION time_zone = '+00:00'")
    home.run(
        "INSERT INTO clock VALUES (1, '2023-10-29 00:30:00'), (2, '2023-10-29 01:30:00')",
        session=utc,
    )
    assert home.run("SELECT COUNT(DISTINCT CAST(at AS CHAR)) FROM clock", session=session) == (
        (1,),
    )
    home.run("UPDATE clock SET id = id", session=session)
    images = [after for op, _, _, after in home.events() if op == "update" and "at" in after.values]
    assert [image.values["at"] for image in images] == [
        "2023-10-29 00:30:00+00:00",
        "2023-10-29 01:30:00+00:00",
    ]


@pytest.fixture(scope="module")
def random(home):
    home.run(
        "CREATE TABLE random (id INT PRIMARY KEY AUTO_INCREMENT, t LONGTEXT, b LONGBLOB, d DOUBLE,"
        " f FLOAT, n DECIMAL(65,20), u TEXT CHARACTER SET utf16) ENGINE = MyISAM"
    )
    home.capture("random", large=100)
    return home


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@FAIR
@given(
    t=texts | st.sampled_from(["", "'", "\\", "\\'", "`", "\0", "\x1a", "NULL", "#1", "',`"]),
    b=st.binary(max_size=120),
    d=st.floats(allow_nan=False, allow_infinity=False),
    f=st.floats(allow_nan=False, allow_infinity=False, width=32).map(abs),
    n=st.decimals(-(10**40), 10**40, places=20),
    u=texts,
)
def test_any_value_comes_back(random, t, b, d, f, n, u):
    random.run("DELETE FROM fig_event")
    random.run("DELETE FROM fig_large")
    random.run(
        "INSERT INTO random (t, b, d, f, n, u) VALUES (%s, %s, %s, CAST(%s AS DOUBLE), %s, %s)",
        (t, b, d, repr(f), n, u),
    )
    ((_, _, _, after),) = random.events()
    values = after.values
    kept = dict(random.ours("SELECT ref, value FROM fig_large"))
    (event_id,) = random.ours("SELECT event_id FROM fig_event")[0]
    for name, put in (("t", t.encode()), ("u", u.encode())):
        if len(put) > 100:
            assert values[name] == len(put)
            assert kept.pop(event_id + after.large[name]) == put
        else:
            assert values[name].encode() == put
    if len(b) > 100:
        assert values["b"] == len(b)
        assert kept.pop(event_id + after.large["b"]) == b
    else:
        assert bytes.fromhex(values["b"]) == b
    assert kept == {}
    assert float(values["d"]) == d
    assert struct.pack("f", float(values["f"])) == struct.pack("f", f)
    assert len(values["f"].strip("-").partition("e")[0].replace(".", "").strip("0")) <= 9
    assert Decimal(values["n"]) == n
    assert random.gaps() == []


def test_large_values_are_kept_beside_the_event(home):
    home.run("CREATE TABLE big (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB, c TEXT, d INT)")
    home.capture("big")
    text, data = "ü" * 40_000, zlib.compress(b"x") * 10_000
    home.run("INSERT INTO big VALUES (1, %s, %s, %s, 4)", (text, data, "x" * 60_000))
    home.run("UPDATE big SET d = 5")
    home.run("DELETE FROM big")
    rows = home.ours(
        "SELECT e.op, l.ref, l.bytes, l.kind, l.value, e.event_id FROM fig_event e"
        " JOIN fig_large l ON l.ref LIKE CONCAT(e.event_id, '-%') ORDER BY e.id, l.ref"
    )
    assert [(op, ref.removeprefix(event_id), kind) for op, ref, _, kind, _, event_id in rows] == [
        (op, place, kind)
        for op in ("insert", "update", "delete")
        for place, kind in (("-1", "t"), ("-2", "b"))
    ]
    assert {bytes(row[4]) for row in rows} == {text.encode(), data}
    assert all(len(row[1]) <= 36 and row[2] == len(row[4]) for row in rows)
    images = [
        image for _, _, *both in home.events() for image in both if image and "c" in image.values
    ]
    for image in images:
        assert image.kinds == "illti"
        assert (image.values["a"], image.values["b"]) == (80_000, len(data))
        assert image.large == {"a": "-1", "b": "-2"}


@pytest.mark.parametrize(
    ("declared", "large", "expected"),
    [
        ("int", 1, False),
        ("varchar(20)", 65_536, False),
        ("varchar(20)", 79, True),
        ("text", 65_536, True),
        ("text", 196_605, False),
        ("blob", 65_535, False),
        ("blob", 65_534, True),
        ("longtext", 10**9, True),
        ("tinytext", 100, False),
        ("json", 65_536, True),
        ("geometry", 65_536, True),
    ],
)
def test_only_what_can_be_large_is_measured(declared, large, expected):
    assert bool(value("a", declared, "NEW", large).bytes) is expected


@pytest.mark.parametrize(
    "text", ["{}", "`a`", "`a`=", "`a`=i", "`a`=i'1", "`a`=i'1';", "`a`=i'1',,`b`=i'2'", "`a`='1'"]
)
def test_what_is_no_image_is_refused_with_its_place(text):
    with pytest.raises(ValueError, match="not a row image at character"):
        read_image(text)


def test_an_empty_image_has_no_columns():
    assert read_image("").values == {}
