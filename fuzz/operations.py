"""Operations, steps between their versions, and the payloads that fit them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.change import changes
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.openapi import document
from stranglerfig.acl.operations.operation import Operation, parse_operation
from stranglerfig.acl.operations.schema import json_schema
from stranglerfig.acl.operations.structured import restore, structured_schema
from stranglerfig.acl.operations.tools import tool
from stranglerfig.acl.versions.step import load_step
from stranglerfig.errors import ConfigError, ContractError, FigError
from stranglerfig.fuzz.seeds import (
    DOCUMENT,
    HELPDESK,
    MAPPING,
    MAPPING_WORDS,
    OPERATION,
    TOML_WORDS,
    toml,
    unproblematic,
)
from stranglerfig.fuzz.target import Target, folder
from stranglerfig.model import Record
from stranglerfig.options import read_toml

__all__ = ["operations", "payloads", "steps"]


def payloads() -> Target:
    """Messages of a mapping with all that rows can say, and JSON for its operation's contract."""
    place = folder()
    operation = parse_operation(toml(place, OPERATION), "order.check@1.toml")
    file = place / "m.toml"
    file.write_text(MAPPING, "utf-8")
    mapping = load_mapping(file, operation, place)
    payload = mapping.decode_request(Record(source="f", position="1", kind="json", body=DOCUMENT))
    own = operation.input.encode(payload)
    words = (
        *(
            b'"LINE":[',
            b'"PART":[]',
            b'"SKU":',
            b'"K":"SIZE"',
            b'"V":',
            b'"TYPE":"C"',
            b'"0"',
            b"null",
            b"{}",
        ),
        *(
            b'"Meier"',
            b'", "',
            b"Zz",
            b"20241301",
            b"9999999999",
            b'"lines":[{',
            b'"sku":"A"',
            b'"id":',
            b"1.0",
        ),
    )

    def read(case: bytes) -> None:
        if b'"ID"' in case or b'"LINE"' in case:
            unproblematic(mapping, case)
        else:
            _contracted(operation.input, case)

    return Target((DOCUMENT, own), words, read)


def _contracted(contract: Contract, case: bytes) -> None:
    try:
        restored: Mapping[str, object] | None = restore(contract, case)
    except FigError:
        restored = None
    payload = contract.decode(case)
    assert contract.decode(contract.encode(payload)) == payload
    if restored is not None:
        contract.problems(restored)


_OPERATION_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            'type = "text"',
            'type = "group"',
            'type = "json"',
            'type = "bytes"',
            'type = "timestamp"',
        ),
        *(
            'type = "duration"',
            'type = "decimal"',
            'type = "date"',
            'type = "time"',
            'zone = "required"',
        ),
        *(
            "min = ",
            "max = ",
            'enum = ["a"]',
            "enum = []",
            "required = false",
            "max_items = 0",
            "min_items = 9",
        ),
        *(
            "[input]",
            "[output.x]",
            '"lines[]"',
            '"lines[].a.b"',
            '"[]"',
            'tag = "pii.id"',
            'effect = "idempotent"',
        ),
        *(
            "max_length = -1",
            "unit = ",
            '"P1D"',
            '"1e5"',
            "1e400",
            "9999-12-31",
            '"0.5"',
            'type = "decimal"',
            '"' + "9" * 400 + '.5"',
            "nan",
            "-inf",
            '"class"',
            '"__"',
        ),
    )
)


def operations() -> Target:
    """Operation files, with every schema that is made of them, and how they differ from another."""
    place = folder()
    file = place / "case.toml"
    known = parse_operation(toml(place, OPERATION), "order.check@1.toml")

    def read(case: bytes) -> None:
        file.write_bytes(case)
        operation = parse_operation(read_toml(file), "case.toml")
        _made_of(operation)
        for old, new in ((known, operation), (operation, known), (operation, operation)):
            found = changes(old, new)
            assert old is not new or not found

    seeds = [
        OPERATION.encode(),
        *(one.read_bytes() for one in sorted(HELPDESK.glob("operations/*.toml"))),
    ]
    return Target(seeds, (*TOML_WORDS, *_OPERATION_WORDS), read)


def _made_of(operation: Operation) -> None:
    for contract in (operation.input, operation.output):
        json.dumps(json_schema(contract), allow_nan=False)
        with suppress(ConfigError):  # more than vendors take
            json.dumps(structured_schema(contract), allow_nan=False)
        assert contract.struct
        for payload in ({}, {field.name: None for field in contract.fields}):
            contract.problems(payload)
        with suppress(ContractError):
            contract.decode(b"{}")
    json.dumps(tool(operation), allow_nan=False)
    json.dumps(document([operation], title="t", version="1"))


_STEP: Final = """operation = "order.check"
same = true
fields = [
  { src = "id", dst = "id" },
  { src = "kind", dst = "sort", as = "code(sort)", else = "other" },
  { value = 7, dst = "count" },
]
ignore = { "extra" = "gone", raw = "gone" }
reply = [ { src = "decision", dst = "decision" }, { src = "sure", dst = "sure" } ]
[codes.sort]
person = "p"
company = "c"
"""


_NEWER: Final = (
    OPERATION.replace("version = 1", "version = 2")
    .replace(
        'kind = { type = "text", enum = ["person", "company"] }',
        'sort = { type = "text" }\ncount = { type = "integer" }',
    )
    .replace('raw = { type = "bytes", required = false }\n', "")
    .replace('extra = { type = "json", required = false }\n', "")
)


def steps() -> Target:
    """Files between two versions of an operation, each tried on a payload."""
    place = folder()
    old = parse_operation(toml(place, OPERATION), "order.check@1.toml")
    new = parse_operation(toml(place, _NEWER), "order.check@2.toml")
    file = place / "order.check@1-2.toml"
    payload: dict[str, Any] = {
        field.name: None for field in old.input.fields if "." not in field.name
    }
    payload |= {
        "id": 1,
        "kind": "person",
        "name": {"family": "x", "given": None},
        "address": None,
        "lines": [],
    }

    def read(case: bytes) -> None:
        file.write_bytes(case)
        step = load_step(file, old, new, place)
        step.up(payload)
        step.down({"decision": "a", "notes": [], "sure": None})

    return Target(
        (_STEP.encode(),), (*TOML_WORDS, *MAPPING_WORDS, b"same = true", b"sort", b"count"), read
    )
