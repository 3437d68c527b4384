"""Converters of somebody's own, with further places that they read; and what explains a record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from stranglerfig.acl.mapping.exercise import Exercise
from stranglerfig.acl.mapping.explain import explain
from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ConfigError, MappingError
from stranglerfig.model import Record

OWN = '''
from decimal import Decimal


class Money:
    """Minor units, as many as the currency has."""

    reads = {"currency": "LINE[].CUR"}

    def decode(self, text, currency):
        return Decimal(int(text)).scaleb(-PLACES[currency])

    def encode(self, value, currency):
        minor = value.scaleb(PLACES[currency])
        if minor != int(minor):
            raise ValueError("an amount of the currency")
        return str(int(minor))


PLACES = {"EUR": 2, "JPY": 0}
money = Money()


class Shout:
    def decode(self, text):
        return text + "!"

    def encode(self, value):
        if not value.endswith("!"):
            raise ValueError("an exclamation mark")
        return value[:-1]


def shout(arguments, codes):
    return Shout()


class Broken(Shout):
    reads = "CUR-RENCY"


broken = Broken()
'''
OPERATION = """
name = "own.try"
version = 1
effect = "read"
[input]
name = { type = "text", tag = "pii.name" }
kind = { type = "text", required = false }
"lines[].amount" = { type = "decimal" }
"lines[].currency" = { type = "text" }
"""
MAPPING = """
operation = "own.try@1"
from = { kind = "json", fields = ["NAME", "KIND?", "LINE[].AMT", "LINE[].CUR"] }
fields = [
  { src = "NAME", dst = "name", as = "text(trim) | py:%(module)s:shout" },
  { src = "KIND", dst = "kind", as = "code(kind)", null = ["-"], else = "other" },
  { src = "LINE[].AMT", dst = "lines[].amount", as = "py:%(module)s:money" },
  { src = "LINE[].CUR", dst = "lines[].currency" },
]
[codes]
kind = { A = "first", B = "second" }
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"own_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def load(root: Path, module: str, *changes: tuple[str, str]) -> CompiledMapping:
    text = MAPPING % {"module": module}
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (root / "operations").mkdir(exist_ok=True)
    (root / "operations/own.try@1.toml").write_text(OPERATION)
    (root / "own.toml").write_text(text)
    return load_mapping(root / "own.toml", load_operation(root, "own.try@1"), root)


def record(**changes: object) -> Record:
    document = {
        "NAME": "ANN",
        "KIND": "B",
        "LINE": [{"AMT": "1250", "CUR": "EUR"}, {"AMT": "70", "CUR": "JPY"}],
        **changes,
    }
    return Record(source="s", position="1", kind="json", body=json.dumps(document).encode())


def test_a_converter_reads_what_stands_beside_its_text(tmp_path: Path, module: str):
    mapping = load(tmp_path, module)
    original = record()
    payload = mapping.decode_request(original)
    assert payload == {
        "name": "ANN!",
        "kind": "second",
        "lines": [
            {"amount": Decimal("12.50"), "currency": "EUR"},
            {"amount": Decimal(70), "currency": "JPY"},
        ],
    }
    assert mapping.encode_request(payload, original) == original.body
    lines = [{"amount": Decimal("3.10"), "currency": "EUR"}]
    changed = json.loads(mapping.encode_request({**payload, "lines": lines}, original))
    assert changed["LINE"] == [{"AMT": "310", "CUR": "EUR"}]
    same = [{"amount": Decimal("12.50"), "currency": "JPY"}]
    with pytest.raises(MappingError, match="LINE"):
        mapping.encode_request({**payload, "lines": same}, original)
    same = [*payload["lines"][:1], {"amount": Decimal(70), "currency": "EUR"}]  # type: ignore[index]
    changed = json.loads(mapping.encode_request({**payload, "lines": same}, original))
    assert changed["LINE"][1] == {"AMT": "7000", "CUR": "EUR"}
    swapped = [{"amount": Decimal(5), "currency": "JPY"}, {"amount": Decimal(6), "currency": "EUR"}]
    changed = json.loads(mapping.encode_request({**payload, "lines": swapped}, original))
    assert changed["LINE"] == [{"AMT": "5", "CUR": "JPY"}, {"AMT": "600", "CUR": "EUR"}]


def test_what_it_raises_is_a_problem_with_its_place(tmp_path: Path, module: str):
    mapping = load(tmp_path, module)
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(record(LINE=[{"AMT": "1", "CUR": "EUR"}, {"AMT": "1", "CUR": "?"}]))
    (problem,) = caught.value.problems
    assert problem.src == "LINE[1].AMT"  # type: ignore[attr-defined]
    assert "raises ValueError only, not KeyError" in problem.expected
    with pytest.raises(MappingError) as caught:
        mapping.encode_request({**mapping.decode_request(record()), "name": "ANN"}, record())
    (problem,) = caught.value.problems
    assert (problem.value, problem.expected) == ("<masked>", "an exclamation mark")


def test_what_it_repeats_of_tagged_places_is_masked(tmp_path: Path, module: str):
    file = tmp_path / f"{module}.py"
    raised = 'raise ValueError(f"not {currency}")\n        return Decimal(int(text))'
    file.write_text(file.read_text().replace("return Decimal(int(text))", raised))
    tagged = ('dst = "lines[].currency"', 'dst = "lines[].currency", tag = "pii.x"')
    mapping = load(tmp_path, module, tagged)
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(record(LINE=[{"AMT": "1", "CUR": "SECRET"}]))
    assert "SECRET" not in str(caught.value.problems)
    assert "SECRET" not in str(caught.value)


def test_a_place_that_is_read_counts_as_mapped(tmp_path: Path, module: str):
    without = '  { src = "LINE[].CUR", dst = "lines[].currency" },\n'
    with pytest.raises(ConfigError, match="needs lines"):
        load(tmp_path, module, (without, ""))
    constant = '  { value = "EUR", dst = "lines[].currency" },\n'
    mapping = load(tmp_path, module, (without, constant))
    assert mapping.decode_request(record())["lines"][1]["amount"] == 70  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (":money", ":broken", "reads as"),
        (":money", ":nothing", "cannot import"),
        (":money", ":PLACES", "a converter, or a factory"),
        ('dst = "lines[].amount"', 'dst = "lines[].amount", tag = "x"', ""),
        ('"text(trim) | py', '"integer | py', ""),
    ],
)
def test_what_is_no_converter_is_refused(
    tmp_path: Path, module: str, old: str, new: str, expected: str
):
    if expected:
        with pytest.raises(ConfigError, match=expected):
            load(tmp_path, module, (old, new))
        return
    mapping = load(tmp_path, module, (old, new))
    if "integer" in new:
        with pytest.raises(MappingError) as caught:
            mapping.decode_request(record(NAME="7"))
        assert "text from every converter before |" in caught.value.problems[0].expected


def test_the_digest_follows_the_converters_source(tmp_path: Path, module: str):
    first = load(tmp_path, module).digest
    assert load(tmp_path, module).digest == first
    file = tmp_path / f"{module}.py"
    file.write_text(file.read_text() + "\n# changed\n")
    assert load(tmp_path, module).digest != first


def test_every_field_is_explained(tmp_path: Path, module: str):
    mapping = load(tmp_path, module)
    original = record(KIND="Z")
    fields, problems = explain(mapping.request, original)
    assert problems == ()
    assert [(one.dst, one.value, one.how, one.row, one.src, one.text) for one in fields] == [
        ("name", "<masked>", "value", 1, "NAME", "<masked>"),
        ("kind", "'other'", "else", 2, "KIND", "'Z'"),
        ("lines[0].amount", "12.50", "value", 3, "LINE[0].AMT", "'1250'"),
        ("lines[0].currency", "'EUR'", "value", 4, "LINE[0].CUR", "'EUR'"),
        ("lines[1].amount", "70", "value", 3, "LINE[1].AMT", "'70'"),
        ("lines[1].currency", "'JPY'", "value", 4, "LINE[1].CUR", "'JPY'"),
    ]
    at = original.body.index(b'"JPY"')
    assert fields[-1].at == f"offset {at}"
    assert fields[0].converter.startswith("text(trim) | py:")
    assert "ANN" not in repr(fields)
    _, problems = explain(mapping.request, record(LINE=[{"AMT": "x"}]))
    assert len(problems) == 2


def test_what_records_never_showed_is_named(tmp_path: Path, module: str):
    exercise = Exercise(load(tmp_path, module).request)
    exercise.add(record(LINE=[]))
    exercise.add(record(KIND="-", LINE=[]))
    assert {row.number: row.missing for row in exercise.idle_rows()} == {
        2: ("else",),
        3: ("a value",),
        4: ("a value",),
    }
    assert exercise.idle_codes() == {"kind": ("A",)}
    exercise.add(record(KIND="A"))
    exercise.add(record(KIND="?"))
    assert exercise.idle_rows() == ()
    assert exercise.idle_codes() == {}
    assert exercise.rows[3].values == 4
