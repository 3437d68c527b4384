"""Mappings of lists, keyed entries, parts, constants and conditions, over JSON documents."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ConfigError, MappingError
from stranglerfig.model import Record

OPERATION = """
name = "order.check"
version = 1
effect = "read"
[input]
id = { type = "integer" }
"name.family" = { type = "text", tag = "pii.name" }
"name.given" = { type = "text", required = false, tag = "pii.name" }
address = { type = "group", required = false }
"address.city" = { type = "text" }
"address.zip" = { type = "text", required = false }
"lines[]" = { type = "group", max_items = 50 }
"lines[].sku" = { type = "text" }
"lines[].price" = { type = "decimal", required = false }
"lines[].currency" = { type = "text" }
"lines[].parts[].no" = { type = "integer" }
"tags[]" = { type = "text", required = false }
colour = { type = "text", required = false }
size = { type = "integer", required = false }
opened = { type = "timestamp", zone = "none", required = false }
kind = { type = "text", enum = ["person", "company"] }
person = { type = "text", required = false }
company = { type = "text", required = false }
[output]
decision = { type = "text" }
"notes[].text" = { type = "text" }
weight = { type = "integer", required = false }
"""

MAPPING = """
operation = "order.check@1"
[from]
kind = "json"
fields = [
  "ID", "NAME", "ADR.CITY?", "ADR.ZIP?", "ORDER.LINE[].SKU", "ORDER.LINE[].PRICE?: decimal",
  "ORDER.LINE[].PART[].NO: integer", "ORDER.LINE[].MEMO?", "TAG[]?", "ATTR[].K", "ATTR[].V?",
  "OPEN-DATE?", "OPEN-TIME?", "TYPE", "NAME-P?", "NAME-C?",
]
answer = ["CD", "TXT", "LINES[].T", "EXTRA[].K?", "EXTRA[].V?"]

[[fields]]
src = "ID"
dst = "id"
as = "integer"
[[fields]]
src = "NAME"
dst = ["name.family", "name.given"]
as = "split(', ')"
[[fields]]
src = "ADR.CITY"
dst = "address.city"
[[fields]]
src = "ADR.ZIP"
dst = "address.zip"
[[fields]]
src = "ORDER.LINE[].SKU"
dst = "lines[].sku"
as = "text(trim) | text(upper)"
[[fields]]
src = "ORDER.LINE[].PRICE"
dst = "lines[].price"
as = "decimal(2)"
[[fields]]
value = "EUR"
dst = "lines[].currency"
[[fields]]
src = "ORDER.LINE[].PART[].NO"
dst = "lines[].parts[].no"
as = "integer"
[[fields]]
src = "TAG[]"
dst = "tags[]"
null = ["-"]
[[fields]]
src = "ATTR[K=COLOUR].V"
dst = "colour"
[[fields]]
src = "ATTR[K=SIZE].V"
dst = "size"
as = "integer"
null = ["", "none"]
[[fields]]
src = ["OPEN-DATE", "OPEN-TIME"]
dst = "opened"
as = "join(T) | timestamp(YYYYMMDDTHHmm)"
null = ["0"]
[[fields]]
value = "person"
dst = "kind"
when = { TYPE = ["P", "E"] }
[[fields]]
value = "company"
dst = "kind"
when = { TYPE = "C" }
[[fields]]
src = "NAME-P"
dst = "person"
when = { TYPE = ["P", "E"] }
[[fields]]
src = "NAME-C"
dst = "company"
when = { TYPE = "C" }

[ignore]
"ORDER.LINE[].MEMO" = "for people"
"ATTR[K=OLD]" = "no longer used"

[[reply]]
src = "decision"
dst = "CD"
as = "code(decision)"
else = "90"
[[reply]]
value = "00"
dst = "TXT"
[[reply]]
src = "notes[].text"
dst = "LINES[].T"
as = "text(max=5)"
[[reply]]
src = "weight"
dst = "EXTRA[K=W].V"
as = "integer"

[codes.decision]
"10" = "refer"
"""

DOCUMENT = {
    "ID": "7",
    "NAME": "Meier, Anna",
    "ADR": {"CITY": "Bonn"},
    "ORDER": {
        "LINE": [
            {"SKU": "AB", "PRICE": 12.50, "PART": [{"NO": 1}, {"NO": 2}], "MEMO": "m0"},
            {"SKU": "CD", "PART": [], "MEMO": "m1"},
        ]
    },
    "TAG": ["x", "y"],
    "ATTR": [{"K": "SIZE", "V": "42"}, {"K": "OLD", "V": "!"}, {"K": "COLOUR", "V": "red"}],
    "OPEN-DATE": "20240229",
    "OPEN-TIME": "1230",
    "TYPE": "E",
    "NAME-P": "Anna",
    "NAME-C": "of old",
}
PAYLOAD = {
    "id": 7,
    "name": {"family": "Meier", "given": "Anna"},
    "address": {"city": "Bonn", "zip": None},
    "lines": [
        {
            "sku": "AB",
            "price": Decimal("12.50"),
            "currency": "EUR",
            "parts": [{"no": 1}, {"no": 2}],
        },
        {"sku": "CD", "price": None, "currency": "EUR", "parts": []},
    ],
    "tags": ["x", "y"],
    "colour": "red",
    "size": 42,
    "opened": datetime(2024, 2, 29, 12, 30),  # noqa: DTZ001
    "kind": "person",
    "person": "Anna",
    "company": None,
}


def load(root: Path, *changes: tuple[str, str], operation: str = OPERATION) -> CompiledMapping:
    text = MAPPING
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (root / "operations").mkdir(exist_ok=True)
    (root / "operations/order.check@1.toml").write_text(operation)
    (root / "order.toml").write_text(text)
    return load_mapping(root / "order.toml", load_operation(root, "order.check@1"), root)


@pytest.fixture
def mapping(tmp_path: Path) -> CompiledMapping:
    return load(tmp_path)


def record(document: object = DOCUMENT, **changes: object) -> Record:
    if isinstance(document, dict):
        document = {**document, **changes}
        document = {name: value for name, value in document.items() if value is not ...}
    body = json.dumps(document).replace("12.5,", "12.50,").encode()
    return Record(source="s", position="1", kind="json", body=body)


def refused(mapping: CompiledMapping, *parts: Any, **changes: object) -> list[tuple[str, str, str]]:
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(record(*parts, **changes))
    return [(p.src, p.dst, p.message) for p in caught.value.problems]  # type: ignore[attr-defined]


def written(mapping: CompiledMapping, original: Record, **changes: object) -> dict[str, Any]:
    payload = {**mapping.decode_request(original), **changes}
    body = mapping.encode_request(payload, original)
    again = Record(source="s", position="1", kind="json", body=body)
    assert mapping.decode_request(again) == payload
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_whole_document_is_decoded_and_comes_back(mapping: CompiledMapping):
    original = record()
    payload = mapping.decode_request(original)
    assert payload == PAYLOAD
    assert mapping.encode_request(payload, original) == original.body


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"NAME": "Meier"}, {"name": {"family": "Meier", "given": None}}),
        ({"NAME": "Meier, "}, {"name": {"family": "Meier", "given": ""}}),
        ({"NAME": "Meier, Anna, geb. X"}, {"name": {"family": "Meier", "given": "Anna, geb. X"}}),
        ({"ADR": {}}, {"address": None}),
        ({"ADR": {"CITY": None}}, {"address": None}),
        ({"ORDER": {"LINE": []}}, {"lines": []}),
        ({"ORDER": {}}, {"lines": []}),
        ({"TAG": ...}, {"tags": None}),
        ({"TAG": []}, {"tags": []}),
        ({"ATTR": []}, {"colour": None, "size": None}),
        ({"ATTR": [{"K": "SIZE", "V": "none"}]}, {"colour": None, "size": None}),
        ({"ATTR": [{"K": "COLOUR", "V": None}]}, {"colour": None, "size": None}),
        ({"OPEN-DATE": "0", "OPEN-TIME": "0"}, {"opened": None}),
        ({"OPEN-DATE": ..., "OPEN-TIME": None}, {"opened": None}),
        ({"TYPE": "C"}, {"kind": "company", "person": None, "company": "of old"}),
        ({"TYPE": "P", "NAME-P": None}, {"kind": "person", "person": None}),
    ],
)
def test_what_is_there_in_part(
    mapping: CompiledMapping, changes: dict[str, object], expected: dict[str, object]
):
    original = record(**changes)
    payload = mapping.decode_request(original)
    assert payload == {**PAYLOAD, **payload, **expected}
    assert mapping.encode_request(payload, original) == original.body


LINE = {"SKU": "A", "PART": []}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"ORDER": {"LINE": [LINE, {"PART": [{"NO": 1}, {"NO": None}]}]}},
            [
                ("ORDER.LINE[1].SKU", "lines[1].sku", "is missing"),
                ("ORDER.LINE[1].PART[1].NO", "lines[1].parts[1].no", "holds nothing"),
            ],
        ),
        (
            {"ORDER": {"LINE": [{**LINE, "PRICE": 1.5}, {**LINE, "PRICE": 1.25}]}},
            [("ORDER.LINE[0].PRICE", "lines[0].price", "cannot be read")],
        ),
        ({"TAG": ["x", None]}, [("TAG[1]", "tags[1]", "holds nothing")]),
        ({"TAG": ["x", "-"]}, [("TAG[1]", "tags[1]", "holds nothing")]),
        ({"ADR": {"ZIP": "1"}}, [("ADR.CITY", "address.city", "is missing")]),
        (
            {"OPEN-TIME": "0"},
            [("OPEN-DATE, OPEN-TIME", "opened", "cannot be read")],
        ),
        (
            {"TYPE": "X"},
            [("value 'person'", "kind", "no row applies")],
        ),
        (
            {"ATTR": [{"K": "HUE", "V": "1"}]},
            [("ATTR[K=HUE]", "", "is an entry that no row chooses")],
        ),
        (
            {"ATTR": [{"K": "SIZE", "V": "1"}, {"K": "SIZE", "V": "2"}]},
            [("ATTR[K=SIZE]", "", "stands twice")],
        ),
        ({"ATTR": [{"V": "1"}]}, [("ATTR[0].K", "", "has no key")]),
        ({"ATTR": [{"K": "SIZE", "V": "x"}]}, [("ATTR[K=SIZE].V", "size", "cannot be read")]),
    ],
)
def test_all_problems_have_their_place(
    mapping: CompiledMapping, changes: dict[str, object], expected: list[tuple[str, str, str]]
):
    assert refused(mapping, **changes) == expected


def test_problems_say_all_they_know(mapping: CompiledMapping):
    body = record(TYPE="C", **{"NAME-C": None}).body.replace(b"12.50", b'"x"')
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(Record(source="s", position="1", kind="json", body=body))
    assert caught.value.problems
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(record(ID="x7", NAME=""))
    (problem,) = caught.value.problems
    parts = problem.as_dict()
    assert parts["mapping"] == f"order.toml@{mapping.digest[:12]}"
    assert parts["row"] == "fields 1"
    assert (parts["src"], parts["dst"], parts["value"]) == ("ID", "id", "'x7'")
    assert parts["at"] == "offset 7"
    assert "whole number" in parts["expected"]
    assert "mend the record" in parts["remedy"]


def test_unknown_keys_are_counted_where_they_may_pass(tmp_path: Path):
    mapping = (
        load(tmp_path, ('version@1"', 'version@1"'))
        if False
        else load(
            tmp_path,
            ('operation = "order.check@1"', 'operation = "order.check@1"\nunmapped = "report"'),
        )
    )
    original = record(ATTR=[{"K": "HUE", "V": "1"}, {"K": "SIZE", "V": "1"}])
    assert mapping.decode_request(original)["size"] == 1
    assert mapping.unmapped() == {"ATTR[K=HUE]": 1}
    assert written(mapping, original, size=2)["ATTR"] == [
        {"K": "HUE", "V": "1"},
        {"K": "SIZE", "V": "2"},
    ]


def test_an_entry_is_found_made_and_taken_away(mapping: CompiledMapping):
    original = record()
    attributes = written(mapping, original, size=None, colour="blue")["ATTR"]
    assert attributes == [{"K": "OLD", "V": "!"}, {"K": "COLOUR", "V": "blue"}]
    empty = record(ATTR=[])
    assert written(mapping, empty, size=1)["ATTR"] == [{"K": "SIZE", "V": "1"}]


def test_what_a_list_holds_besides_survives(mapping: CompiledMapping):
    original = record()
    lines = [dict(line) for line in PAYLOAD["lines"]]
    lines[1]["sku"] = "EF"
    found = written(mapping, original, lines=lines)["ORDER"]["LINE"]
    assert [(one["SKU"], one["MEMO"]) for one in found] == [("AB", "m0"), ("EF", "m1")]
    fewer = written(mapping, original, lines=PAYLOAD["lines"][1:])["ORDER"]["LINE"]
    assert [(one["SKU"], one["MEMO"]) for one in fewer] == [("CD", "m1")]
    new = {**PAYLOAD["lines"][1], "sku": "NEW"}
    more = written(mapping, original, lines=[PAYLOAD["lines"][0], new, PAYLOAD["lines"][1]])
    assert [(one["SKU"], one.get("MEMO")) for one in more["ORDER"]["LINE"]] == [
        ("AB", "m0"),
        ("NEW", None),
        ("CD", "m1"),
    ]


def test_an_optional_group_goes_and_comes(mapping: CompiledMapping):
    assert not written(mapping, record(), address=None)["ADR"].get("CITY")
    found = written(mapping, record(ADR={}), address={"city": "Köln", "zip": "5"})
    assert found["ADR"] == {"CITY": "Köln", "ZIP": "5"}


def test_the_place_that_rows_depend_on_follows_the_values(mapping: CompiledMapping):
    changed = written(mapping, record(), kind="company", person=None, company="AG")
    assert (changed["TYPE"], changed["NAME-C"]) == ("C", "AG")
    same = written(mapping, record(), person="Eva")
    assert (same["TYPE"], same["NAME-P"], same["NAME-C"]) == ("E", "Eva", "of old")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"company": "AG"}, ("NAME-C", "has a value that no row writes")),
        ({"kind": "robot"}, ("value 'person'", "has a value that no row writes")),
        ({"name": {"family": "A, B", "given": "C"}}, ("NAME", "cannot be written")),
        ({"tags": ["-"]}, ("TAG[0]", "cannot be written")),
        ({"tags": "no list"}, ("TAG[]", "is not a list")),
        ({"lines": ["no group"]}, ("ORDER.LINE[0].SKU", "is not a group")),
        ({"lines": None}, ("ORDER.LINE[].SKU", "has no value")),
        (
            {"lines": [{**PAYLOAD["lines"][1], "currency": "USD"}]},
            ("value 'EUR'", "is another constant"),
        ),
        (
            {"lines": [PAYLOAD["lines"][1], {**PAYLOAD["lines"][0], "parts": [{"no": "x"}]}]},
            ("ORDER.LINE[1].PART[0].NO", "cannot be written"),
        ),
        ({"address": {"city": None, "zip": "1"}}, ("ADR.CITY", "has no value")),
    ],
)
def test_what_cannot_be_written_is_named(
    mapping: CompiledMapping, changes: dict[str, object], expected: tuple[str, str]
):
    with pytest.raises(MappingError) as caught:
        mapping.encode_request({**PAYLOAD, **changes}, record())
    assert [(p.src, p.message) for p in caught.value.problems] == [expected]  # type: ignore[attr-defined]


ANSWER = {"decision": "refer", "notes": [{"text": "a"}, {"text": "b"}], "weight": 3}


def test_an_answer_is_written_and_read(mapping: CompiledMapping):
    body = mapping.encode_reply(ANSWER, record())
    assert json.loads(body) == {
        "CD": "10",
        "TXT": "00",
        "LINES": [{"T": "a"}, {"T": "b"}],
        "EXTRA": [{"K": "W", "V": "3"}],
    }
    assert mapping.decode_reply(Record(source="s", position="1", kind="json", body=body)) == ANSWER
    light = {**ANSWER, "weight": None, "notes": []}
    found = json.loads(mapping.encode_reply(light, record()))
    assert found == {"CD": "10", "TXT": "00", "LINES": []}
    other = json.loads(mapping.encode_reply({**ANSWER, "decision": "?"}, record()))
    assert other["CD"] == "90"


def test_a_constant_is_held_against_what_came(mapping: CompiledMapping):
    body = mapping.encode_reply(ANSWER, record()).replace(b'"00"', b'"01"')
    with pytest.raises(MappingError) as caught:
        mapping.decode_reply(Record(source="s", position="1", kind="json", body=body))
    (problem,) = caught.value.problems
    assert (problem.message, problem.value, problem.expected) == (
        "is another constant",
        "'01'",
        "'00'",
    )


def test_problems_of_an_answer_are_all_named(mapping: CompiledMapping):
    answer = {"notes": [{"text": "a"}, {"text": "much too long"}, {}], "weight": "x"}
    with pytest.raises(MappingError) as caught:
        mapping.encode_reply(answer, record())
    assert [(p.src, p.message) for p in caught.value.problems] == [  # type: ignore[attr-defined]
        ("decision", "has no value"),
        ("weight", "cannot be written"),
        ("notes[1].text", "cannot be written"),
        ("notes[2].text", "has no value"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('dst = "lines[].sku"', 'dst = "colour"', "1 lists on legacy's side, 0 on ours"),
        ('src = "ORDER.LINE[].PRICE"', 'src = "ORDER.LINE[].PRIZE"', "did you mean"),
        ('src = "ATTR[K=SIZE].V"', 'src = "ATTR[KEY=SIZE].V"', "legacy has no 'ATTR[].KEY'"),
        ('src = "ATTR[K=SIZE].V"', 'src = "ATTR[K=SIZE"', "not a path"),
        ("as = \"split(', ')\"", 'as = "text"', "2 places in one row without split"),
        ("as = \"split(', ')\"", "as = \"join(', ')\"", "2 places in one row without split"),
        ("as = \"split(', ')\"", 'as = "split(3)| text | integer"', "gives integer"),
        ("as = \"split(', ')\"", 'as = "split(3, 4, 5)"', "widths of the 2 parts"),
        ('as = "integer"', "as = \"split(',')\"", "need several places"),
        ('src = "TAG[]"', 'src = ["TAG[]", "ID"]', "without join"),
        ('when = { TYPE = "C" }', 'when = { TYPE = "P" }', "is written by row 13 already"),
        ('when = { TYPE = "C" }', 'when = { TIPE = "C" }', "did you mean 'TYPE'?"),
        ('when = { TYPE = "C" }', "when = { TYPE = [] }", "no texts"),
        ('when = { TYPE = "C" }', 'when = { "TAG[]" = "C" }', "stands in another list"),
        ('value = "EUR"', 'value = "EUR"\nsrc = "ID"', "a constant has no src"),
        ('value = "EUR"', "value = 3", "value does not fit the field"),
        ('value = "EUR"\n', "", "no source"),
        ('src = "ORDER.LINE[].PART[].NO"', 'src = "ORDER.LINE[].PART[].N"', "PART[].NO"),
        ('"ATTR[K=OLD]" = "no longer used"', '"ATR[K=OLD]" = "x"', "legacy has no 'ATR[K=OLD]'"),
        ('"ORDER.LINE[].MEMO" = "for people"', "", "ORDER.LINE[].MEMO is neither mapped nor"),
        ('value = "00"', "value = 0", "value is not text"),
        ('src = "ADR.CITY"\ndst = "address.city"', 'value = "x"\ndst = "address.city"', "ADR.CITY"),
        ('dst = "lines[].sku"', 'dst = "lines[].skew"', "did you mean 'lines[].sku'?"),
        (
            'src = "ORDER.LINE[].PRICE"',
            'src = "ATTR[].V"',
            "is fed from ATTR[] and from ORDER.LINE[]",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, old: str, new: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, (old, new))
    assert expected in str(caught.value)


def test_each_problem_shows_its_line(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        load(
            tmp_path,
            ('dst = "lines[].sku"', 'dst = "lines[].skew"'),
            ('as = "code(decision)"', 'as = "code(decisions)"'),
        )
    shown = {(p.source, p.source[p.column - 1 :]) for p in caught.value.problems}
    assert ('dst = "lines[].skew"', '"lines[].skew"') in shown
    assert ('as = "code(decisions)"', '"code(decisions)"') in shown
    lines = (tmp_path / "order.toml").read_text().splitlines()
    for problem in caught.value.problems:
        if problem.source:
            assert lines[problem.line - 1] == problem.source  # type: ignore[attr-defined]


def test_only_constants_make_no_list(tmp_path: Path):
    operation = OPERATION.replace("[output]", '"more[].x" = { type = "text" }\n[output]')
    more = ("[ignore]", '[[fields]]\nvalue = "y"\ndst = "more[].x"\n[ignore]')
    with pytest.raises(ConfigError, match="only constants feed more"):
        load(tmp_path, more, operation=operation)
