"""OpenAPI documents and MCP tools of operations."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

from stranglerfig.acl.operations.openapi import document, path_of
from stranglerfig.acl.operations.operation import Operation, parse_operation
from stranglerfig.acl.operations.tools import HINTS, tool, tools
from stranglerfig.errors import ConfigError, ContractError

TEXT = """
name = "claim.sort"
version = 2
effect = "read"
owner = "claims-desk"
domain = "claims"
description = "Say what a claim is about."
[input.text]
type = "text"
tag = "pii.text"
[input."lines[].amount"]
type = "decimal"
unit = "EUR"
[output.kind]
type = "text"
enum = ["car", "house"]
"""


def parse(*changes: tuple[str, str]) -> Operation:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_operation(tomllib.loads(text), "claim.sort@2.toml")


OPERATION = parse()


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def test_a_document_is_complete_and_refers_to_what_it_holds():
    other = parse(("claim.sort", "claim.pay"), ('"read"', '"irreversible"'))
    found = document([OPERATION, other], title="Claims", version="7", servers=["https://c.example"])
    assert json.loads(json.dumps(found)) == found
    assert found["openapi"].startswith("3.1.")
    assert found["info"] == {"title": "Claims", "version": "7"}
    assert set(found["paths"]) == {"/claim.sort/2", "/claim.pay/2"}
    held = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert set(references(found["paths"])) == held
    for name, schema in found["components"]["schemas"].items():
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)
        Draft202012Validator.check_schema(schema)
    assert found["jsonSchemaDialect"] == Draft202012Validator.META_SCHEMA["$id"]


def test_an_operation_says_its_effect_owner_and_domain():
    post = document([OPERATION], title="C", version="1")["paths"][path_of(OPERATION)]["post"]
    assert post["operationId"] == "claim.sort.v2"
    assert (post["x-effect"], post["x-owner"], post["tags"]) == ("read", "claims-desk", ["claims"])
    assert post["requestBody"]["required"] is True
    assert set(post["responses"]) == {"200", "400", "422", "default"}
    assert all(one["description"] for one in post["responses"].values())


def test_a_tool_takes_the_input_and_answers_with_a_result_or_an_error():
    made = tool(OPERATION)
    assert json.loads(json.dumps(made)) == made
    assert made["name"] == "claim_sort"
    assert made["description"] == "Say what a claim is about."
    for key in ("inputSchema", "outputSchema"):
        Draft202012Validator.check_schema(made[key])
        assert made[key]["type"] == "object"
        assert made[key]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    asked = Draft202012Validator(made["inputSchema"])
    assert asked.is_valid({"text": "x", "lines": [{"amount": 1.5}]})
    assert not asked.is_valid({"text": "x"})
    answered = Draft202012Validator(made["outputSchema"])
    refusal = ContractError("does not fit", place="lines[0].amount").as_dict()
    assert answered.is_valid({"result": {"kind": "car"}})
    assert answered.is_valid({"error": refusal})
    assert not answered.is_valid({"result": {"kind": "boat"}})
    assert not answered.is_valid({"result": {"kind": "car"}, "error": refusal})
    assert not answered.is_valid({})
    assert not answered.is_valid({"error": {**refusal, "stack": "…"}})


@pytest.mark.parametrize(
    ("effect", "read_only", "destructive", "idempotent"),
    [
        ("read", True, False, True),
        ("idempotent", False, True, True),
        ("compensable", False, False, False),
        ("irreversible", False, True, False),
    ],
)
def test_hints_come_from_the_declared_effect_whatever_the_name(
    effect, read_only, destructive, idempotent
):
    for name in ("claim.sort", "claim.delete-all"):
        made = tool(parse(('"read"', f'"{effect}"'), ("claim.sort", name)))
        assert made["annotations"] == {
            "title": f"{name}@2",
            "readOnlyHint": read_only,
            "destructiveHint": destructive,
            "idempotentHint": idempotent,
        }
    assert len(HINTS) == 4


def test_what_nobody_described_is_not_served():
    silent = parse(('description = "Say what a claim is about."', ""))
    with pytest.raises(ConfigError, match="no description"):
        tool(silent)
    with pytest.raises(ConfigError, match="no description"):
        document([silent], title="C", version="1")


def test_names_clash_or_are_too_long():
    with pytest.raises(ConfigError, match="another tool"):
        tools([OPERATION, parse(("claim.sort", "claim_sort"))])
    with pytest.raises(ConfigError, match="no name for a tool"):
        tool(parse(("claim.sort", "c" * 65)))
    with pytest.raises(ConfigError, match="twice"):
        document([OPERATION, OPERATION], title="C", version="1")
    assert [one["name"] for one in tools([OPERATION])] == ["claim_sort"]
