"""Every value of every type comes out of a trigger as it went in."""

from __future__ import annotations

import math
import sqlite3
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stranglerfig.adapters.capture.dialect import Capture, Image, Shape
from stranglerfig.adapters.capture.sqlite.dialect import SqliteCapture
from stranglerfig.adapters.capture.sqlite.image import read_image
from stranglerfig.adapters.capture.sqlite.trigger import trigger
from stranglerfig.adapters.tables import TableSource


def shape(
    columns: list[str], key: tuple[str, ...] = (), table: str = "t", declared: str = ""
) -> Shape:
    named = tuple((name, declared) for name in columns)
    return Shape(table=table, columns=named, key=key, all_columns=tuple(columns))


def capture(shaped: Shape, **options) -> Capture:
    return Capture(source="s", shape=shaped, operations=("insert",), **options)


def database(
    columns: list[str], key: tuple[str, ...] = (), table: str = "t", declared: str = ""
) -> sqlite3.Connection:
    """Give one whose triggers take the columns for ``declared``; they hold whatever is put in."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    connection.execute('CREATE TABLE "' + table.replace('"', '""') + f'" ({quoted})')
    for piece in SqliteCapture().shared():
        connection.execute(piece.create)
    shaped = shape(columns, key, table, declared)
    connection.execute(trigger(capture(shaped), "insert").create)
    return connection


values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(max_size=200),
    st.sampled_from(["", "'", '"', "\\", "\0", "\r\n", "a\0b", "}", "{", "},{", b"", b"\0", -0.0]),
)


def captured(connection: sqlite3.Connection) -> list[Image]:
    rows = connection.execute('SELECT "after" FROM fig_event')
    return [read_image(image, "utf-8") for (image,) in rows]


def back(kind: str, value: str | int | None) -> object:
    """Undo what capture does to a value, by its kind."""
    if kind == "n":
        return value
    assert isinstance(value, str)
    return {"i": int, "r": float, "t": str, "b": bytes.fromhex}[kind](value)


shared = database(["a", "b"])
declared_as = {name: database(["a", "b"], declared=name) for name in ("", "TEXT", "BIGINT", "REAL")}


@pytest.mark.parametrize("declared", declared_as)
@given(a=values, b=values)
def test_any_value_comes_back_exactly_whatever_its_column_was_declared_for(declared, a, b):
    connection = declared_as[declared]
    connection.execute("DELETE FROM fig_event")
    connection.execute("INSERT INTO t VALUES (?, ?)", (a, b))
    (image,) = captured(connection)
    for put, kind, name in zip((a, b), image.kinds, ("a", "b"), strict=True):
        got = back(kind, image.values[name])
        assert type(got) is type(put)
        assert got == put


@given(
    value=st.one_of(
        st.floats(allow_nan=False),
        st.floats(-(2.0**31), 2.0**31),
        st.tuples(st.integers(-12, 32), st.sampled_from([-1.0, 0.0, 1.0])).map(
            lambda edge: math.nextafter(2.0 ** edge[0], edge[1] * math.inf if edge[1] else 0.0)
        ),
        st.integers(-12, 32).map(lambda power: -(2.0**power)),
    )
)
def test_reals_are_told_exactly_in_the_fewest_digits(value):
    shared.execute("DELETE FROM fig_event")
    shared.execute("INSERT INTO t VALUES (?, NULL)", (value,))
    text = captured(shared)[0].values["a"]
    assert isinstance(text, str)
    assert float(text) == value
    assert Decimal(text) == Decimal(repr(value))


def folded(text: str) -> str:
    """Fold as SQLite does: ASCII only."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


name = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@pytest.mark.parametrize("declared", ["", "TEXT"])
@given(columns=st.lists(name, min_size=1, max_size=6, unique_by=folded), table=name)
@example(columns=["%s", "100%", "%%Q"], table="%s")
def test_any_names_can_be_captured(declared, columns, table):
    if table.lower().startswith(("sqlite_", "fig_event")):
        return
    connection = database(columns, (columns[0],), table, declared)
    marks = ", ".join("?" * len(columns))
    quoted = '"' + table.replace('"', '""') + '"'
    connection.execute(f"INSERT INTO {quoted} VALUES ({marks})", columns)
    assert captured(connection)[0].values == {column: column for column in columns}
    assert connection.execute('SELECT "key" FROM fig_event').fetchone() == (columns[0],)
    connection.close()


@pytest.mark.parametrize("declared", ["", "INTEGER", "VARCHAR(20)"])
@pytest.mark.parametrize("count", [1, 8, 9, 300, 1_500])
def test_wide_tables_are_one_image(count, declared):
    columns = [f"c{at}" for at in range(count)]
    connection = database(columns, declared=declared)
    row = ["}" if at % 3 == 0 else None if at % 3 == 1 else at for at in range(count)]
    connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * count)})", row)
    (image,) = captured(connection)
    assert [back(*pair) for pair in zip(image.kinds, image.values.values(), strict=True)] == row
    assert list(image.values) == columns
    connection.close()


def test_what_is_too_large_stands_as_its_length_and_is_kept_apart():
    connection = database(["a", "b", "c"])
    large = 5_000_000
    connection.execute("INSERT INTO t VALUES (zeroblob(?), ?, 'x')", (large, "\0é" * large))
    connection.execute("INSERT INTO t VALUES (1, 'small', 'x')")
    images = captured(connection)
    assert images[0].values == {"a": large, "b": 3 * large, "c": "x"}
    assert (images[0].kinds, images[0].large) == ("llt", {"a": "-0", "b": "-1"})
    assert (images[1].kinds, images[1].large) == ("itt", {})
    (event,) = connection.execute("SELECT event_id FROM fig_event ORDER BY id LIMIT 1").fetchone()
    kept = connection.execute("SELECT ref, source, bytes, kind, value FROM fig_large").fetchall()
    assert kept == [
        (f"{event}-0", "s", large, "b", b"\0" * large),
        (f"{event}-1", "s", 3 * large, "t", ("\0é" * large).encode()),
    ]
    connection.close()


def test_large_values_of_wide_tables_are_kept():
    columns = [f"c{at}" for at in range(250)]
    connection = database(columns)
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO t VALUES ({marks})", ["x" * 70_000] * len(columns))
    (event,) = connection.execute("SELECT event_id FROM fig_event").fetchone()
    kept = {ref for (ref,) in connection.execute("SELECT ref FROM fig_large")}
    assert kept == {f"{event}{ref}" for ref in captured(connection)[0].large.values()}
    assert len(kept) == len(columns)
    connection.close()


def test_text_that_is_no_utf8_keeps_its_bytes():
    connection = database(["a"])
    connection.execute("INSERT INTO t VALUES (CAST(x'41FF42' AS TEXT))")
    text = captured(connection)[0].values["a"]
    assert isinstance(text, str)
    assert text.encode("utf-8", "surrogateescape") == b"A\xffB"
    connection.close()


def test_keys_tell_rows_apart():
    connection = database(["a", "b"], ("a", "b"))
    rows = [("1", "2"), ("1,", "2"), ('1"', "2"), (None, "2"), ("1", None), (b"\x01", 2)]
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    keys = [key for (key,) in connection.execute('SELECT "key" FROM fig_event')]
    assert len(set(keys)) == len(rows)
    assert keys[0] == "'1','2'"
    connection.close()


def test_without_a_primary_key_a_row_is_told_by_its_address():
    connection = database(["rowid", "b"])
    connection.execute("INSERT INTO t VALUES ('mine', 1)")
    connection.execute("INSERT INTO t VALUES ('mine', 1)")
    keys = connection.execute('SELECT "key" FROM fig_event').fetchall()
    assert keys == [("1",), ("2",)]
    connection.close()


async def test_a_utf16_database_gives_the_same_bytes(tmp_path):
    path = tmp_path / "legacy.db"
    legacy = sqlite3.connect(path)
    legacy.execute("PRAGMA encoding = 'UTF-16le'")
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    options = {"url": "sqlite:///legacy.db", "table": "t"}
    source = TableSource(name="s", options=options, place="fig.toml: legacy.s", root=tmp_path)
    source.install()
    legacy.execute("INSERT INTO t VALUES (1, 'ключ'), (2, 'a' || char(0) || 'ю')")
    legacy.commit()
    await source.open()
    first, second = await source.receive(2, 2.0)
    assert first.record.body == '{"id":"1","a":"ключ"}'.encode()
    assert second.record.body == '{"id":"2","a":"a\\u0000ю"}'.encode()
    await source.close()
    legacy.close()


@pytest.mark.parametrize("text", ["{}", '"a"', '"a"=', '"a"=\'b', '"a"=1;', '"a"=1,,"b"=2'])
def test_what_is_no_image_is_refused_with_its_place(text):
    with pytest.raises(ValueError, match="not a row image at character"):
        read_image(text, "utf-8")


def test_text_that_is_no_utf_8_comes_back_as_its_bytes():
    connection = database(["a", "b"], declared="TEXT")
    connection.execute("INSERT INTO t VALUES (CAST(X'61FF62' AS TEXT), 'it''s')")
    (image,) = captured(connection)
    assert image.values == {"a": "a\udcffb", "b": "it's"}
    connection.close()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1/0", "1.0"), ("-3/62", "-6.505213034913027e-19"), ("9007199254740993/52", "2.0")],
)
def test_parts_of_a_power_of_two_are_read(text, value):
    assert read_image(f'"a"={text}', "utf-8") == Image(values={"a": value}, kinds="r")


@pytest.mark.parametrize("text", ["1/", "/2", "1/-2", "1" * 400 + "/2", "1/222", "1.5/2"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ValueError, match="not a row image"):
        read_image(f'"a"={text}', "utf-8")
