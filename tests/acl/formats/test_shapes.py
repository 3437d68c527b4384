"""What every kind of record must do, held to all of them with the same tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.formats.json_patch import as_written
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.acl.formats.shape import Shape, Sides
from stranglerfig.errors import ConfigError, EnvelopeError, FigError, MappingError
from stranglerfig.model import Record

SOME = settings(max_examples=50)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
LINE = st.text(st.characters(codec="latin-1"), max_size=6)
NUMBER = st.decimals(-999, 999, places=2).map(str)
ENTRY = st.fixed_dictionaries(
    {"sku": TEXT},
    optional={"qty": st.integers(-9, 99).map(str), "parts[]": st.lists(TEXT, max_size=3)},
)


class Case(NamedTuple):
    """A kind: its table, a record with every place filled, and texts for some of the places.

    ``stray`` and ``twice`` are records with something unknown, and with a value twice.
    """

    table: Mapping[str, Any]
    body: bytes
    texts: Mapping[str, st.SearchStrategy[Any]]
    stray: bytes | None
    twice: bytes | None
    encoding: str = "utf-8"
    headers: tuple[tuple[str, str], ...] = ()


NESTED = (
    "id",
    "cust.name",
    "cust.note?",
    "amount: decimal",
    "count: integer",
    "active: boolean",
    "extra: json",
    "lines[].sku",
    "lines[].qty?: integer",
    "lines[].parts[]",
    "tags[]",
)
DOCUMENT = (
    b'{ "id" : "7",\n  "cust":{"note":"x\\n", "name":"J\\u00fcrg"},"amount":12.50,"count": 3 ,'
    b'"active":true,"extra":{"a":[1.0,{}]},\n"lines":[ {"sku":"a","qty":1,"parts":["p"]} ,'
    b'{"sku":"b","parts":[]}],"tags":["x","y"]}\n'
)
TAGS = st.lists(TEXT, max_size=3)
CASES = {
    "json": Case(
        {"kind": "json", "fields": NESTED},
        DOCUMENT,
        {
            "id": TEXT,
            "cust.name": st.one_of(TEXT, st.none()),
            "cust.note": TEXT,
            "amount": NUMBER,
            "count": st.integers().map(str),
            "active": st.sampled_from(["true", "false"]),
            "extra": st.sampled_from(['[1.20,"x"]', '"t"', "1.50", "{}"]),
            "lines[]": st.lists(ENTRY, max_size=4),
            "tags[]": TAGS,
        },
        DOCUMENT.replace(b'"amount"', b'"new":[{"x":"y"}],"amount"'),
        DOCUMENT.replace(b'"count"', b'"id" :"8","count"'),
    ),
    "json, flat": Case(
        {"kind": "json", "fields": ["a", "b?", "n: decimal"]},
        b'{"a":"1","b":"2","n":1.50}',
        {"a": st.one_of(TEXT, st.none()), "b": TEXT, "n": NUMBER},
        b'{"a":"1","b":"2","n":1,"c":1}',
        b'{"a":"1","b":"2","\\u0061":"2"}',
    ),
    "json, latin-1": Case(
        {"kind": "json", "fields": ["a", "b"], "encoding": "latin-1"},
        '{"a":"ü","b":""}'.encode("latin-1"),
        {"a": LINE, "b": LINE},
        b'{"a":"","b":"","c":1}',
        b'{"a":"","a":""}',
    ),
    "json, marked": Case(
        {"kind": "json", "fields": ["a"]}, b'\xef\xbb\xbf{"a":"1"}\r\n', {"a": TEXT}, None, None
    ),
    "row": Case(
        {"kind": "row", "columns": ["id", "na.me", "amount"]},
        b'{"id": 7, "na.me": null, "amount": 12.5}',
        {"id": st.integers().map(str), "na.me": st.one_of(TEXT, st.none()), "amount": NUMBER},
        b'{"id":7,"na.me":null,"amount":1,"new":{}}',
        b'{"id":7,"na.me":null,"amount":1,"id":7}',
    ),
    "delimited": Case(
        {"kind": "delimited", "columns": ["id", "name", "note?"], "delimiter": ";"},
        b'7;"Ann ""A""; x";n\r\n',
        {"id": TEXT, "name": TEXT, "note": TEXT},
        b"7;a;b;c\r\n",
        None,
    ),
    "delimited, latin-1, bare": Case(
        {"kind": "delimited", "columns": ["id", "name"], "delimiter": "|", "quote": ""},
        '7|"Jürg"'.encode("latin-1"),
        {"id": st.text("ab\"'ü", max_size=4), "name": st.text("ab;,ö", max_size=4)},
        b"7|8|9",
        None,
        encoding="latin-1",
    ),
    "form": Case(
        {"kind": "form", "fields": ["name", "note?", "tag[]"]},
        b"tag=a+b&name=J%c3%BCrg&tag=c&note=",
        {"name": TEXT, "note": TEXT, "tag[]": st.lists(TEXT, min_size=1, max_size=3)},
        b"name=a&new=1&tag=",
        b"name=a&name=b&tag=",
    ),
    "form, json": Case(
        {"kind": "form", "fields": ["name", "note?", "tag[]"]},
        b'{"name": "a", "note": "b", "tag": ["c"]}',
        {"name": TEXT, "note": TEXT, "tag[]": st.lists(TEXT, min_size=1, max_size=3)},
        b'{"name":"a","tag":[],"new":"1"}',
        b'{"name":"a","tag":[],"name":"a"}',
    ),
    "headers": Case(
        {
            "kind": "headers",
            "headers": ["X-Tenant", "x-tag[]", "x-note?"],
            "transport": ["host", "content-*"],
        },
        b"anything",
        {},
        None,
        None,
        headers=(
            ("x-tenant", "t"),
            ("X-TAG", "a"),
            ("x-tag", "b"),
            ("X-Note", ""),
            ("Content-Length", "8"),
        ),
    ),
    "json, headers": Case(
        {"kind": "json", "fields": ["a"], "headers": ["x-tenant"]},
        b'{"a": "1"}',
        {"a": TEXT},
        b'{"a":"1","b":1}',
        b'{"a":"1","a":1}',
        headers=(("X-Tenant", "t"), ("host", "h")),
    ),
}


def made(case: Case) -> Sides:
    return sides(case.table, Path(), "acl/x.toml: from")


def record(case: Case, body: bytes | None = None) -> Record:
    return Record(
        source="s",
        position="1",
        kind="x",
        body=case.body if body is None else body,
        encoding=case.encoding,
        headers=case.headers,
    )


def texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {path: as_written(value) for path, value in values.items()}


def outer(shape: Shape) -> set[str]:
    """Give the paths at the top: those of lists end with their first brackets."""
    return {leaf.path.partition("[]")[0] + "[]" * ("[]" in leaf.path) for leaf in shape.leaves}


every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
writable = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.texts],
    ids=[n for n in CASES if CASES[n].texts],
)


@every
def test_every_place_is_read(case: Case):
    shape = made(case).request
    values, strays = shape.read(record(case))
    assert set(values) == outer(shape)
    assert not list(strays)
    assert {leaf.path for leaf in shape.leaves if leaf.opaque} == set()


@every
def test_types_are_what_the_leaves_say(case: Case):
    shape = made(case).request
    values, _ = shape.read(record(case))
    names = {"str": "text", "int": "integer", "Decimal": "decimal", "bool": "boolean"}
    for leaf in shape.leaves:
        value = values[leaf.path] if "[]" not in leaf.path else None
        assert value is None or names[type(value).__name__] == leaf.type


@every
def test_no_change_is_no_change(case: Case):
    shape = made(case).request
    assert shape.patch({}, record(case)) == case.body


@writable
def test_the_same_values_give_the_same_bytes(case: Case):
    shape = made(case).request
    values = texts(shape.read(record(case))[0])
    for path in case.texts:
        if values[path] is not None:
            assert shape.patch({path: values[path]}, record(case)) == case.body


@SOME
@given(st.data())
@writable
def test_what_is_patched_is_read_and_the_rest_stays(case: Case, data: st.DataObject):
    shape = made(case).request
    before = texts(shape.read(record(case))[0])
    changes = data.draw(st.fixed_dictionaries({}, optional=dict(case.texts)))
    after, strays = shape.read(record(case, shape.patch(changes, record(case))))
    assert not list(strays)
    assert texts(after) == before | {path: as_written(value) for path, value in changes.items()}


@every
def test_places_are_named(case: Case):
    shape = made(case).request
    places = shape.places(record(case))
    plain = {leaf.path for leaf in shape.leaves if "[]" not in leaf.path}
    assert plain <= places.keys()
    assert all(any(letter.isdigit() for letter in at) for at in places.values())


@every
def test_what_is_unknown_is_a_stray(case: Case):
    if case.stray is not None:
        strays = made(case).request.read(record(case, case.stray))[1]
        assert [stray.broken for stray in strays] == [False]
        assert strays[0].path
        assert strays[0].expected


@every
def test_a_value_twice_is_broken(case: Case):
    if case.twice is not None:
        strays = made(case).request.read(record(case, case.twice))[1]
        assert any(stray.broken and "twice" in stray.message for stray in strays)


@every
def test_the_description_is_that_of_the_table(case: Case):
    assert made(case).request.describe() == made(case).request.describe()
    key = next(key for key in ("fields", "columns", "headers") if key in case.table)
    other = {**case.table, key: [*case.table[key][:-1], "other?"]}
    assert made(case._replace(table=other)).request.describe() != made(case).request.describe()


@settings(max_examples=150)
@given(st.data())
@every
def test_any_bytes_are_read_or_refused(case: Case, data: st.DataObject):
    shape = made(case).request
    body = data.draw(st.one_of(st.binary(max_size=40), broken(case.body)))
    given_ = record(case, body)
    try:
        values, strays = shape.read(given_)
    except (EnvelopeError, MappingError):
        return
    assert values.keys() <= outer(shape)
    assert shape.patch({}, given_) == body
    if any(stray.broken for stray in strays):
        return
    changes = {path: data.draw(texts_) for path, texts_ in case.texts.items()}
    try:
        patched = shape.patch(changes, given_)
    except ValueError:
        return
    again, strays = shape.read(record(case, patched))
    assert not any(stray.broken for stray in strays)
    for path, value in changes.items():
        assert as_written(again.get(path)) == as_written(value)


@st.composite
def broken(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw the record with a few bytes of it otherwise."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        new = draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b'"', b"\\", b"{", b"]", b",", b"&", b";", b"null", b"\n"]),
            )
        )
        body = body[:at] + new + body[at + draw(st.integers(0, 6)) :]
    return body


ANSWERS: dict[str, tuple[Mapping[str, Any], bytes, Mapping[str, st.SearchStrategy[Any]]]] = {
    "json": (
        {"kind": "json", "fields": ["q"], "answer": NESTED},
        b"{}",
        {
            "id": st.one_of(st.none(), TEXT),
            "cust.name": TEXT,
            "amount": NUMBER,
            "active": st.sampled_from(["true", "false"]),
            "extra": st.just("[1.20]"),
            "lines[]": st.lists(ENTRY, max_size=3),
            "tags[]": TAGS,
            "count": st.integers().map(str),
        },
    ),
    "delimited": (
        {"kind": "delimited", "columns": ["q"], "answer": ["a", "b", "c?"]},
        b"q\r\n",
        {"a": TEXT, "b": TEXT, "c": TEXT},
    ),
    "form": (
        {"kind": "form", "fields": ["q"], "answer": ["a", "b[]"]},
        b"q=1",
        {"a": TEXT, "b[]": st.lists(TEXT, min_size=1)},
    ),
    "form, json": (
        {"kind": "form", "fields": ["q"], "answer": ["a", "b[]"]},
        b' {"q":"1"}',
        {"a": TEXT, "b[]": TAGS},
    ),
}


@SOME
@given(st.data())
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_its_own_is_written_and_read(name: str, data: st.DataObject):
    table, asked, known = ANSWERS[name]
    shape = sides(table, Path(), "x").reply
    assert shape is not None
    values = data.draw(st.fixed_dictionaries(dict(known)))
    request = Record(source="s", position="1", kind="x", body=asked)
    written = shape.write(values, request)
    again, strays = shape.read(Record(source="s", position="2", kind="x", body=written))
    assert not list(strays)
    assert texts(again) == texts(values)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "json"}, "nothing says"),
        ({"kind": "json", "fields": ["a"], "schema": "x"}, "fields and schema"),
        ({"kind": "json", "fields": ["a", "a"]}, "twice"),
        ({"kind": "json", "fields": ["a", "a.b"]}, "more than that"),
        ({"kind": "json", "fields": ["a[].b", "a.b"]}, "more than that"),
        ({"kind": "json", "fields": ["a: money"]}, "not a field"),
        ({"kind": "json", "fields": ["a..b"]}, "not a path"),
        ({"kind": "json", "fields": ["a[][]"]}, "not a path"),
        ({"kind": "json", "fields": ["a"], "encoding": "klingon"}, "no such encoding"),
        ({"kind": "json", "fields": [{"path": "a", "typ": "text"}]}, "unknown key"),
        ({"kind": "json", "schema": "none.json"}, "cannot be read"),
        ({"kind": "delimited", "columns": []}, "no fields"),
        ({"kind": "delimited", "columns": ["a?", "b"]}, "not a column"),
        ({"kind": "delimited", "columns": ["a[]"]}, "not a column"),
        ({"kind": "delimited", "columns": ["a"], "delimiter": "::"}, "not a mark"),
        ({"kind": "delimited", "columns": ["a"], "delimiter": '"'}, "same mark"),
        ({"kind": "form", "fields": ["a.b"]}, "not a field of a form"),
        ({"kind": "form", "fields": ["a: integer"]}, "not a field of a form"),
        ({"kind": "headers", "headers": ["a", "A"]}, "twice"),
        ({"kind": "headers", "headers": ["a[].b"]}, "not a header"),
        ({"kind": "row", "columns": ["a"], "headers": "x"}, "array"),
        ({"kind": "jsn"}, "no such kind"),
    ],
)
def test_wrong_tables_are_refused(table: Mapping[str, Any], words: str):
    with pytest.raises(ConfigError, match=words) as caught:
        sides(table, Path(), "acl/x.toml: from")
    assert "acl/x.toml" in caught.value.place or "none.json" in caught.value.place


@pytest.mark.parametrize(
    "body",
    [
        b"{" * 200_000,
        b'{"a":' * 200_000,
        b"[" * 200_000,
        b'{"a":1e400000000}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"null",
        b"",
        b'{"a":1} {}',
    ],
)
def test_bombs_are_refused(body: bytes):
    shape = sides({"kind": "json", "fields": ["a: decimal", "b: json"]}, Path(), "x").request
    try:
        strays = shape.read(Record(source="s", position="1", kind="x", body=body))[1]
    except FigError as error:
        assert len(str(error)) < 400
    else:
        assert any(stray.broken for stray in strays)


def test_numbers_in_texts_keep_their_digits():
    shape = sides({"kind": "json", "fields": ["a", "b", "c", "d"]}, Path(), "x").request
    body = b'{"a":12345678901234567890.10,"b":123456789012345678901234567890,"c":1E5,"d":true}'
    values = shape.read(Record(source="s", position="1", kind="x", body=body))[0]
    assert values == {
        "a": "12345678901234567890.10",
        "b": "123456789012345678901234567890",
        "c": "1E5",
        "d": "true",
    }


def test_an_exponent_beyond_all_numbers_is_told():
    shape = sides({"kind": "json", "fields": ["a: decimal"]}, Path(), "x").request
    body = b'{"a": 1.5e' + b"9" * 4000 + b"}"
    (stray,) = shape.read(Record(source="s", position="1", kind="x", body=body))[1]
    assert stray.broken
    assert "digits" in stray.expected


def test_entries_of_a_list_keep_what_nobody_named():
    shape = sides({"kind": "json", "fields": ["l[].a", "l[].b?"]}, Path(), "x").request
    body = b'{"l": [ {"a":"1", "k":"one"} , {"a":"2","k":"two"} , {"a":"3","k":"three"} ]}'
    given_ = Record(source="s", position="1", kind="x", body=body)
    moved = shape.patch({"l[]": [{"a": "3"}, {"a": "1"}]}, given_)
    assert moved == b'{"l": [{"a":"3","k":"three"} , {"a":"1", "k":"one"}]}'
    changed = shape.patch({"l[]": [{"a": "1"}, {"a": "x", "b": "y"}, {"a": "3"}]}, given_)
    assert changed == body.replace(b'{"a":"2","k":"two"}', b'{"a":"x","k":"two","b":"y"}')
    added = json.loads(
        shape.patch({"l[]": [{"a": "1"}, {"a": "2"}, {"a": "3"}, {"a": "4"}]}, given_)
    )
    assert added["l"][2:] == [{"a": "3", "k": "three"}, {"a": "4"}]


def test_null_and_absent_are_not_the_same():
    shape = sides({"kind": "json", "fields": ["g.a?", "g.b?", "t[]"]}, Path(), "x").request

    def read(body: bytes) -> Mapping[str, Any]:
        return shape.read(Record(source="s", position="1", kind="x", body=body))[0]

    assert read(b'{"g":{"a":null}}') == {"g.a": None}
    assert read(b'{"g":null,"t":null}') == {"g.a": None, "g.b": None, "t[]": None}
    assert read(b'{"g":{},"t":[]}') == {"t[]": []}
    assert read(b"{}") == {}


def test_a_member_that_cannot_be_null_is_taken_away():
    table = {
        "kind": "json",
        "fields": [{"path": name, "nullable": False, "required": False} for name in "abc"],
    }
    shape = sides(table, Path(), "x").request
    given_ = Record(source="s", position="1", kind="x", body=b'{ "a":"1" , "b":"2", "c":"3" }')
    assert shape.patch({"a": None}, given_) == b'{ "b":"2", "c":"3" }'
    assert shape.patch({"b": None}, given_) == b'{ "a":"1", "c":"3" }'
    assert shape.patch({"a": None, "c": None}, given_) == b'{ "b":"2" }'
    assert shape.patch({"a": None, "b": None, "c": None}, given_) == b"{  }"


def test_headers_are_not_ours_to_write():
    shape = made(CASES["json, headers"]).request
    given_ = record(CASES["json, headers"])
    with pytest.raises(ValueError, match="header"):
        shape.patch({"header:x-tenant": "u"}, given_)
    strays = made(CASES["headers"]).request.read(
        record(
            CASES["headers"]._replace(headers=(("x-tenant", "t"), ("x-tenant", "u"), ("X-New", "")))
        )
    )[1]
    assert {(stray.path, stray.broken) for stray in strays} == {
        ("X-Tenant", True),
        ("x-new", False),
    }


def test_a_null_does_not_hide_what_is_unknown():
    shape = sides({"kind": "json", "fields": ["a", "b"]}, Path(), "x").request

    def read(body: bytes) -> list[str]:
        given_ = Record(source="s", position="1", kind="x", body=body)
        return [stray.path for stray in shape.read(given_)[1]]

    assert read(b'{"a":null,"b":"1"}') == []
    assert read(b'{"a":null,"b":"1","c":1}') == ["c"]
    assert read(b'{"a":null,"b":"1","b":2}') == ["b"]
    with pytest.raises(EnvelopeError):
        read(b'{"a":null,"b":"1","c\xbd":1}')
