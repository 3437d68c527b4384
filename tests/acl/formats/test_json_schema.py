"""Places from a JSON Schema."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.formats.json_schema import load_places
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.errors import ConfigError
from stranglerfig.model import Record

SCHEMA: dict[str, Any] = {
    "$defs": {
        "line": {
            "type": "object",
            "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "qty": {"type": ["integer", "null"]}},
        },
        "tree": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/tree"}},
        },
    },
    "type": "object",
    "required": ["id", "cust", "lines"],
    "properties": {
        "id": {"type": "string"},
        "cust": {
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "vip": {"type": "boolean"}},
        },
        "amount": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "kind": {"enum": ["a", "b"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "any": {},
        "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "tree": {"$ref": "#/$defs/tree"},
        "open": {"type": "object"},
    },
}


def written(folder: Path, schema: Any) -> Path:
    file = folder / "x.schema.json"
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return file


def test_places(tmp_path: Path):
    found = {one.path: one for one in load_places(written(tmp_path, SCHEMA))}
    assert {path: one.type for path, one in found.items()} == {
        "id": "text",
        "cust.name": "text",
        "cust.vip": "boolean",
        "amount": "decimal",
        "kind": "text",
        "lines[].sku": "text",
        "lines[].qty": "integer",
        "tags[]": "text",
        "grid": "json",
        "any": "json",
        "either": "json",
        "tree.name": "text",
        "tree.child": "json",
        "open": "json",
    }
    needed = {path for path, one in found.items() if one.required}
    assert needed == {"id", "cust.name", "lines[].sku"}
    assert {path for path, one in found.items() if one.nullable} == {"amount", "lines[].qty"}


def test_a_document_of_the_schema_is_read(tmp_path: Path):
    written(tmp_path, SCHEMA)
    shape = sides({"kind": "json", "schema": "x.schema.json"}, tmp_path, "x").request
    body = b'{"id":"7","cust":{"name":"A"},"lines":[{"sku":"s","qty":null}],"grid":[[1],[2.50]]}'
    values, strays = shape.read(Record(source="s", position="1", kind="x", body=body))
    assert not strays
    assert values == {
        "id": "7",
        "cust.name": "A",
        "lines[]": [{"sku": "s", "qty": None}],
        "grid": "[[1],[2.50]]",
    }


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ({"type": "string"}, "not an object"),
        ({"type": "object"}, "not an object"),
        (_deep(400), "nested too deeply"),
        ({"properties": {"a.b": {}}}, "no path can hold"),
        ({"properties": {"": {}}}, "no path can hold"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "refers to other.json"),
        ({"properties": {"a": {"$ref": "#/nothing"}}}, "refers to #/nothing"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}},
            "itself",
        ),
    ],
)
def test_what_cannot_be_taken_is_named(tmp_path: Path, schema: Any, words: str):
    with pytest.raises(ConfigError, match=words) as caught:
        load_places(written(tmp_path, schema))
    assert "x.schema.json" in caught.value.place


def test_a_schema_that_doubles_ends(tmp_path: Path):
    """Each definition holds the next one twice: 2 to the power of 40 places."""
    defs: dict[str, Any] = {
        f"d{number}": {
            "type": "object",
            "properties": {side: {"$ref": f"#/$defs/d{number + 1}"} for side in "ab"},
        }
        for number in range(40)
    }
    defs["d40"] = {"type": "string"}
    with pytest.raises(ConfigError, match="too large"):
        load_places(written(tmp_path, {**defs["d0"], "$defs": defs}))


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.sampled_from(["string", "object", "#", "#/properties/a"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "anyOf", "$ref", "required", "a", "enum"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["properties", "type", "a", "$defs"]), ANY))
def test_whatever_is_written_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, schema: Mapping[str, Any]
):
    file = tmp_path_factory.getbasetemp() / "any.schema.json"
    file.write_text(json.dumps(schema))
    with contextlib.suppress(ConfigError):
        assert load_places(file)
