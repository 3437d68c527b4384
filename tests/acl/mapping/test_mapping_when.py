"""Rows that hold for some records only: both sides, in lists, and in entries chosen by a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ConfigError, MappingError
from stranglerfig.model import Record

FIELDS = """
shape = { type = "text", enum = ["circle", "square"] }
"size.radius" = { type = "integer", required = false }
"size.side" = { type = "integer", required = false }
note = { type = "text", required = false }
"items[].kind" = { type = "text" }
"items[].price" = { type = "integer", required = false }
"items[].gift" = { type = "text", required = false }
"extras[]" = { type = "group", required = false }
"extras[].name" = { type = "text" }
"""
OPERATION = f"""
name = "shape.check"
version = 1
effect = "read"
[input]
{FIELDS}
[output]
{FIELDS}
"""
ROWS = [
    ("SHAPE", "shape", 'as = "code(shape)"'),
    ("A", "size.radius", 'as = "integer", when = { SHAPE = "C" }'),
    ("A", "size.side", 'as = "integer", when = { SHAPE = "S" }'),
    ("NOTE-C", "note", 'when = { SHAPE = ["C"] }'),
    ("NOTE-S", "note", 'when = { SHAPE = ["S"] }'),
    ("ITEM[].P", "items[].price", 'as = "integer", when = { "ITEM[].K" = ["1", "2"] }'),
    ("ITEM[].G", "items[].gift", 'when = { "ITEM[].K" = "9", SHAPE = "C" }'),
    ("BAG[K=MORE].EXTRA[].NAME", "extras[].name", ""),
]
CONSTANTS = [("sold", '["1", "2"]'), ("gift", '"9"')]


def text(**changes: str) -> str:
    def row(src: str, dst: str, rest: str) -> str:
        return f'  {{ src = "{src}", dst = "{dst}"{", " if rest else ""}{rest} }},'

    places = (
        '["SHAPE", "A?", "NOTE-C?", "NOTE-S?", "ITEM[].K", "ITEM[].P?", "ITEM[].G?", '
        '"BAG[].K?", "BAG[].EXTRA[].NAME"]'
    )
    constants = [
        f'  {{ value = "{word}", dst = "items[].kind", when = {{ "ITEM[].K" = {texts} }} }},'
        for word, texts in CONSTANTS
    ]
    lines = [
        'operation = "shape.check@1"',
        f'from = {{ kind = "json", fields = {places}, answer = {places} }}',
        "fields = [",
        *(row(*one) for one in ROWS),
        *constants,
        "]",
        "reply = [",
        *(row(ours, theirs, rest) for theirs, ours, rest in ROWS),
        '  { src = "items[].kind", dst = "ITEM[].K", as = "code(kind)" },',
        "]",
        "[codes]",
        'shape = { C = "circle", S = "square" }',
        'kind = { 1 = "sold", 9 = "gift" }',
    ]
    found = "\n".join(lines)
    for old, new in changes.items():
        assert old in found
        found = found.replace(old, new)
    return found


def load(root: Path, content: str) -> CompiledMapping:
    (root / "operations").mkdir(exist_ok=True)
    (root / "operations/shape.check@1.toml").write_text(OPERATION)
    (root / "shape.toml").write_text(content)
    return load_mapping(root / "shape.toml", load_operation(root, "shape.check@1"), root)


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> CompiledMapping:
    return load(tmp_path_factory.mktemp("shape"), text())


def record(document: object) -> Record:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Record(source="s", position="1", kind="json", body=body)


CIRCLE = {
    "SHAPE": "C",
    "A": "7",
    "NOTE-C": "round",
    "NOTE-S": "of old",
    "ITEM": [{"K": "2", "P": "5"}, {"K": "9", "G": "card"}],
    "BAG": [{"K": "MORE", "EXTRA": [{"NAME": "x"}, {"NAME": "y"}]}],
}
MEANS = {
    "shape": "circle",
    "size": {"radius": 7, "side": None},
    "note": "round",
    "items": [
        {"kind": "sold", "price": 5, "gift": None},
        {"kind": "gift", "price": None, "gift": "card"},
    ],
    "extras": [{"name": "x"}, {"name": "y"}],
}


def test_rows_hold_where_their_condition_does(mapping: CompiledMapping):
    one = record(CIRCLE)
    payload = mapping.decode_request(one)
    assert payload == MEANS
    assert mapping.encode_request(payload, one) == one.body
    square = mapping.decode_request(record({**CIRCLE, "SHAPE": "S", "ITEM": []}))
    assert square == {
        **MEANS,
        "shape": "square",
        "size": {"radius": None, "side": 7},
        "note": "of old",
        "items": [],
    }


def test_what_is_written_follows(mapping: CompiledMapping):
    changed = {
        **MEANS,
        "shape": "square",
        "size": {"radius": None, "side": 8},
        "note": "edgy",
        "items": [{"kind": "sold", "price": 6, "gift": None}],
        "extras": [{"name": "z"}],
    }
    found = json.loads(mapping.encode_request(changed, record(CIRCLE)))
    assert found == {
        "SHAPE": "S",
        "A": "8",
        "NOTE-C": "round",
        "NOTE-S": "edgy",
        "ITEM": [{"K": "1", "P": "6"}],
        "BAG": [{"K": "MORE", "EXTRA": [{"NAME": "z"}]}],
    }


@pytest.mark.parametrize(
    ("change", "src"),
    [
        ({"size": {"radius": 7, "side": 7}}, "A"),
        ({"shape": "square"}, "A"),
        ({"items": [{"kind": "gift", "price": 3, "gift": None}]}, "ITEM[0].P"),
        ({"shape": "square", "size": None, "note": None, "items": MEANS["items"][1:]}, "ITEM[0].G"),
        ({"items": [{"kind": "robbed", "price": None, "gift": None}]}, "value 'sold'"),
    ],
)
def test_a_value_that_no_row_writes_is_refused(
    mapping: CompiledMapping, change: dict[str, Any], src: str
):
    with pytest.raises(MappingError) as caught:
        mapping.encode_request({**MEANS, **change}, record(CIRCLE))
    found = [(p.src, p.message) for p in caught.value.problems]  # type: ignore[attr-defined]
    assert (src, "has a value that no row writes") in found


WORDS = st.one_of(st.none(), st.text("ab", max_size=3))
NUMBERS = st.one_of(st.none(), st.integers(0, 99))


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    circle = draw(st.booleans())

    def item() -> dict[str, Any]:
        sold = draw(st.booleans())
        return {
            "kind": "sold" if sold else "gift",
            "price": draw(NUMBERS) if sold else None,
            "gift": draw(WORDS) if not sold and circle else None,
        }

    return {
        "shape": "circle" if circle else "square",
        "size": {
            "radius": draw(NUMBERS) if circle else None,
            "side": None if circle else draw(NUMBERS),
        },
        "note": draw(WORDS),
        "items": [item() for _ in range(draw(st.integers(0, 3)))],
        "extras": draw(
            st.one_of(
                st.none(),
                st.lists(st.fixed_dictionaries({"name": st.text("x", max_size=2)}), min_size=1),
            )
        ),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads(), payloads())
def test_every_payload_goes_both_ways(
    mapping: CompiledMapping, payload: dict[str, Any], other: dict[str, Any]
):
    assert mapping.reply is not None
    quick = mapping.reply._encode(payload)
    assert mapping.reply._writer.write(payload, None) == (quick, [])
    answer = record(mapping.encode_reply(payload, record({})))
    assert mapping.decode_reply(answer) == payload
    assert mapping.decode_request(answer) == payload
    changed = record(mapping.encode_request(other, answer))
    assert mapping.decode_request(changed) == other
    assert mapping.encode_request(other, changed) == changed.body


@pytest.mark.parametrize(
    "change",
    [
        {"size": {"radius": 7, "side": 7}},
        {"shape": "square"},
        {"items": [{"kind": "gift", "price": 3, "gift": None}]},
        {"items": [{"kind": "sold"}, "x"]},
        {"items": None},
        {"extras": [None]},
        {"shape": None},
        {"extras": [{"name": None}]},
    ],
)
def test_both_ways_to_write_refuse_the_same(mapping: CompiledMapping, change: dict[str, Any]):
    assert mapping.reply is not None
    _, problems = mapping.reply._writer.write({**MEANS, **change}, None)
    assert problems
    with pytest.raises(Exception):  # noqa: B017
        mapping.reply._encode({**MEANS, **change})


def test_what_nothing_decides_is_refused_when_loading(tmp_path: Path):
    both = [
        '  { src = "note", dst = "NOTE-C", when = { A = "1" } },\n',
        '  { src = "note", dst = "NOTE-S", when = { A = "2" } },\n',
    ]
    changed = text()
    for row in (
        'dst = "NOTE-C", when = { SHAPE = ["C"] }',
        'dst = "NOTE-S", when = { SHAPE = ["S"] }',
    ):
        changed = changed.replace(f'  {{ src = "note", {row} }},\n', both.pop(0))
    for name in ("size.radius", "size.side"):
        where = "C" if name == "size.radius" else "S"
        row = f'dst = "A", as = "integer", when = {{ SHAPE = "{where}" }}'
        assert f'  {{ src = "{name}", {row} }},\n' in changed
        changed = changed.replace(f'  {{ src = "{name}", {row} }},\n', "")
    with pytest.raises(ConfigError, match="nothing says what A is when note is written"):
        load(tmp_path, changed)


def test_a_text_that_no_row_knows_is_refused(mapping: CompiledMapping):
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(record({**CIRCLE, "ITEM": [{"K": "5"}]}))
    (problem,) = caught.value.problems
    assert (problem.message, problem.value) == ("no row applies", "'5'")
    assert problem.expected == "ITEM[].K one of '1', '2', '9'"
    assert problem.at.startswith("offset")  # type: ignore[attr-defined]
