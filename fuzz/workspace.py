"""The files of a workspace: operations, mappings, steps, policies, fixtures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from stranglerfig.acl.converters import find_converter
from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.masking.policy import load_policy
from stranglerfig.acl.operations.change import changes
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.openapi import document
from stranglerfig.acl.operations.operation import Operation, load_operation, parse_operation
from stranglerfig.acl.operations.schema import json_schema
from stranglerfig.acl.operations.structured import restore, structured_schema
from stranglerfig.acl.operations.tools import tool
from stranglerfig.acl.path import parse_path
from stranglerfig.acl.rows import parse_forms
from stranglerfig.acl.versions.step import load_step
from stranglerfig.errors import ConfigError, ContractError, FigError, InputError
from stranglerfig.fixtures.fixture import read_fixture
from stranglerfig.fuzz.target import Target, folder
from stranglerfig.model import Record
from stranglerfig.options import read_toml

__all__ = [
    "codes",
    "converters",
    "fixtures",
    "mappings",
    "operations",
    "payloads",
    "policies",
    "steps",
]

_HELPDESK: Final = Path(__file__).parents[1] / "examples" / "helpdesk"
_OPERATION: Final = """name = "order.check"
version = 1
effect = "read"
owner = "o"
description = "d"
[input]
id = { type = "integer", min = 1, max = 99999, unit = "no", description = "d" }
"name.family" = { type = "text", tag = "pii.name", max_length = 40 }
"name.given" = { type = "text", required = false }
address = { type = "group", required = false }
"address.city" = { type = "text" }
"lines[]" = { type = "group", min_items = 1, max_items = 50 }
"lines[].sku" = { type = "text", enum = ["A", "B"] }
"lines[].price" = { type = "decimal", required = false, min = "0.01" }
"lines[].parts[].no" = { type = "integer" }
"tags[]" = { type = "text", required = false, max_items = 3 }
opened = { type = "timestamp", zone = "none", required = false, max = "2030-01-01T00:00:00" }
day = { type = "date", required = false, min = 1990-01-01 }
at = { type = "time", required = false }
took = { type = "duration", required = false, max = "P30D" }
raw = { type = "bytes", required = false }
extra = { type = "json", required = false }
kind = { type = "text", enum = ["person", "company"] }
[output.decision]
type = "text"
[output."notes[].text"]
type = "text"
[output.sure]
type = "boolean"
required = false
"""
_MAPPING: Final = """operation = "order.check@1"
unmapped = "report"
fields = [
  { src = "ID", dst = "id", as = "integer" },
  { src = "NAME", dst = ["name.family", "name.given"], as = "split(', ')" },
  { src = "ADR.CITY", dst = "address.city" },
  { src = "LINE[].SKU", dst = "lines[].sku", as = "text(trim) | text(upper)" },
  { src = "LINE[].PRICE", dst = "lines[].price", as = "decimal(2)", null = ["-"] },
  { src = "LINE[].PART[].NO", dst = "lines[].parts[].no", as = "integer" },
  { src = "TAG[]", dst = "tags[]" },
  { src = ["OPEN-DATE", "OPEN-TIME"], dst = "opened", as = "join(T) | timestamp(YYYYMMDDTHHmm)", null = ["0"] },
  { src = "ATTR[K=SIZE].V", dst = "took", as = "duration(iso)", one_way = "legacy's own", null = ["", "none"] },
  { value = "person", dst = "kind", when = { TYPE = ["P", "E"] } },
  { value = "company", dst = "kind", when = { TYPE = "C" } },
  { src = "RAW", dst = "raw", as = "bytes(base64)", optional = true },
]
[from]
kind = "json"
fields = ["ID", "NAME", "ADR.CITY?", "LINE[].SKU", "LINE[].PRICE?: decimal", "LINE[].PART[].NO: integer", "TAG[]?",
  "ATTR[].K", "ATTR[].V?", "OPEN-DATE?", "OPEN-TIME?", "TYPE", "RAW?", "MEMO?"]
answer = ["CD", "TXT", "LINES[].T"]
[ignore]
MEMO = "for people"
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
[codes.decision]
"10" = "refer"
"20" = "pay"
"""
_TINY: Final = """name = "tiny"
version = 1
effect = "read"
[input]
a = { type = "text" }
n = { type = "integer", required = false }
"l[].x" = { type = "text", required = false }
[output]
b = { type = "text", required = false }
"""
_SMALL: Final = (
    (
        'operation = "tiny@1"\nfrom = { kind = "json", fields = ["A", "N?: integer", "L[].X?"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "N", dst = "n", as = "integer" },'
        ' { src = "L[].X", dst = "l[].x", as = "text(trim)" }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "delimited", columns = ["A", "B?"], delimiter = ";" }\n'
        'fields = [{ src = "A", dst = "a" }]\nreply = [{ src = "b", dst = "B", null = [""] }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "form", fields = ["A", "X[]"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "X[]", dst = "l[].x" }]\n'
    ),
    (
        'operation = "tiny@1"\nfields = [{ src = "A", dst = "a", as = "code(c)" }, { value = 7, dst = "n" }]\n'
        '[from]\nkind = "headers"\nheaders = ["A", "Z?"]\n[ignore]\nZ = "no use"\n[codes.c]\n1 = "one"\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "xml", root = "r", leaves = ["A", "L[].@X"], answer_root = "s", answer_leaves = ["B"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "L[].@X", dst = "l[].x", one_way = "no" }]\nreply = [{ src = "b", dst = "B" }]\n'
    ),
    (
        'operation = "tiny@1"\nfrom = { kind = "copybook", schema = "c.cpy", headers = ["h?"] }\n'
        'fields = [{ src = "A", dst = "a" }, { src = "N", dst = "n", as = "integer(lax)" }]\n'
        'ignore = { "header:h" = "no use" }\n'
    ),
)
_DOCUMENT: Final = (
    json.dumps(
        {
            "ID": "7",
            "NAME": "Meier, Anna",
            "ADR": {"CITY": "Bonn"},
            "TYPE": "P",
            "MEMO": "m",
            "LINE": [{"SKU": "a", "PRICE": 1.5, "PART": [{"NO": 1}]}, {"SKU": "b", "PART": []}],
            "TAG": ["x"],
            "ATTR": [{"K": "SIZE", "V": "P1D"}, {"K": "OTHER", "V": ""}],
            "OPEN-DATE": "20240131",
            "OPEN-TIME": "1259",
            "RAW": "AAE=",
        }
    )
    .replace("1.5,", "1.50,")
    .encode()
)
_REPLY: Final = {"decision": "refer", "notes": [{"text": "abc"}], "sure": True}
_TOML_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            "[",
            "]",
            "{",
            "}",
            "[[",
            "]]",
            "=",
            ",",
            "\n",
            '"',
            "'",
            '"""',
            "'''",
            "#",
            ".",
            "\\u0000",
            "\\",
        ),
        *(
            "1979-05-27T07:32:00Z",
            "07:32:00",
            "inf",
            "nan",
            "0xff",
            "1e9",
            "true",
            "[]",
            "{}",
            '""',
            "a.b = 1",
        ),
    )
)
_MAPPING_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            'as = "text"',
            'as = "integer"',
            'as = "decimal(2)"',
            'as = "date(YYYYMMDD)"',
            'as = "list(;, integer)"',
        ),
        *(
            'as = "code(decision)"',
            "as = \"split(', ')\"",
            'as = "join(T)"',
            'as = "py:os.path:join"',
            "else = ",
        ),
        *(
            'null = [""]',
            "one_way = ",
            "optional = true",
            'src = "LINE[].SKU"',
            'dst = "lines[].sku"',
            "when = ",
        ),
        *(
            'kind = "soap"',
            'kind = "xml"',
            'kind = "row"',
            'kind = "form"',
            'kind = "headers"',
            'kind = "delimited"',
        ),
        *(
            "columns = ",
            "headers = ",
            "schema = ",
            "leaves = ",
            "[[fields]]",
            "[codes.decision]",
            "[ignore]",
            "[]",
        ),
        *(
            "ATTR[K=SIZE].V",
            "ATTR[K=]",
            "LINE[].PART[]",
            "tag = ",
            "unit = ",
            "value = ",
            "file = ",
            '"error"',
        ),
    )
)


_MESSAGES: Final = {
    "json": b'{"A":"x","N":1,"L":[{"X":"y"},{}]}',
    "delimited": b"x;y\n",
    "form": b"A=x&X=1&X=2",
    "r": b'<r><A>x</A><L X="1"/></r>',
    "R": b"\xa7\x40\xf7",
}


def _unproblematic(mapping: CompiledMapping, body: bytes) -> None:
    """Carry a message there and back."""
    headers = (("A", "1"),)
    record = Record(source="fuzz", position="1", kind="json", body=body, headers=headers)
    payload = mapping.decode_request(record)
    back = mapping.encode_request(payload, record)
    again = mapping.decode_request(msgspec.structs.replace(record, body=back))
    assert again == payload, "there and back is another payload"
    if mapping.reply is not None:
        mapping.encode_reply(_REPLY, record)
        mapping.unmapped()


def mappings() -> Target:
    """Mapping files of an operation, each tried on a message."""
    place = folder()
    (place / "acl").mkdir()
    (place / "legacy").mkdir()
    (place / "legacy" / "helpdesk.wsdl").write_bytes(
        (_HELPDESK / "legacy" / "helpdesk.wsdl").read_bytes()
    )
    order = parse_operation(_toml(place, _OPERATION), "order.check@1.toml")
    (place / "c.cpy").write_text(
        "       01 R.\n          05 A PIC X(2).\n          05 N PIC 9.\n", "utf-8"
    )
    ticket = load_operation(_HELPDESK, "ticket.triage@1")
    tiny = parse_operation(_toml(place, _TINY), "tiny@1.toml")
    file = place / "acl" / "case.toml"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        operation = ticket if b"ticket.triage@1" in case else tiny if b"tiny@1" in case else order
        mapping = load_mapping(file, operation, place)
        assert len(mapping.digest) == 64
        if operation is order:
            _unproblematic(mapping, _DOCUMENT)
        elif operation is tiny:
            _unproblematic(mapping, _MESSAGES.get(mapping.request.shape.name, b'{"A":"x"}'))

    seeds = [
        *(text.encode() for text in _SMALL),
        _MAPPING.encode(),
        *(one.read_bytes() for one in sorted(_HELPDESK.glob("acl/*.toml"))),
    ]
    return Target(seeds, (*_TOML_WORDS, *_MAPPING_WORDS), read)


def _toml(place: Path, text: str) -> Mapping[str, object]:
    file = place / "read.toml"
    file.write_text(text, "utf-8")
    return read_toml(file)


def payloads() -> Target:
    """Messages of a mapping with all that rows can say, and JSON for its operation's contract."""
    place = folder()
    operation = parse_operation(_toml(place, _OPERATION), "order.check@1.toml")
    file = place / "m.toml"
    file.write_text(_MAPPING, "utf-8")
    mapping = load_mapping(file, operation, place)
    payload = mapping.decode_request(Record(source="f", position="1", kind="json", body=_DOCUMENT))
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
            _unproblematic(mapping, case)
        else:
            _contracted(operation.input, case)

    return Target((_DOCUMENT, own), words, read)


def _contracted(contract: Contract, case: bytes) -> None:
    try:
        restored: Mapping[str, object] | None = restore(contract, case)
    except FigError:
        restored = None
    payload = contract.decode(case)
    assert contract.decode(contract.encode(payload)) == payload
    if restored is not None:
        contract.problems(restored)


def operations() -> Target:
    """Operation files, with every schema that is made of them, and how they differ from another."""
    place = folder()
    file = place / "case.toml"
    known = parse_operation(_toml(place, _OPERATION), "order.check@1.toml")
    words = tuple(
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

    def read(case: bytes) -> None:
        file.write_bytes(case)
        operation = parse_operation(read_toml(file), "case.toml")
        _made_of(operation)
        for old, new in ((known, operation), (operation, known), (operation, operation)):
            found = changes(old, new)
            assert old is not new or not found

    seeds = [
        _OPERATION.encode(),
        *(one.read_bytes() for one in sorted(_HELPDESK.glob("operations/*.toml"))),
    ]
    return Target(seeds, (*_TOML_WORDS, *words), read)


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
    _OPERATION.replace("version = 1", "version = 2")
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
    old = parse_operation(_toml(place, _OPERATION), "order.check@1.toml")
    new = parse_operation(_toml(place, _NEWER), "order.check@2.toml")
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
        (_STEP.encode(),), (*_TOML_WORDS, *_MAPPING_WORDS, b"same = true", b"sort", b"count"), read
    )


_POLICY: Final = b"""[masking]
keys = "masking.keys"
free_text = ["pii.text"]
[masking.provider]
untagged = "redact"
"pii.name" = { action = "token", scope = "conversation" }
pii.id = "pseudonym"
"pii.born" = { action = "generalise", to = "year" }
secret = "drop"
[masking.log]
"pii.amount" = { action = "generalise", band = "100" }
none = "keep"
"pii.zip" = { action = "generalise", prefix = 2 }
"""


def policies() -> Target:
    """Masking policies."""
    place = folder()
    file = place / "masking.toml"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        policy = load_policy(place)
        for tag in ("pii.name", "pii.text", "secret", "x", ""):
            policy.rule(tag, "provider")

    words = (
        b'"token"',
        b'"keep"',
        b'"generalise"',
        b"scope",
        b"band = ",
        b"prefix = ",
        b"to = ",
        b"[masking.trace]",
    )
    return Target((_POLICY,), (*_TOML_WORDS, *words), read)


def fixtures() -> Target:
    """Fixture files."""
    place = folder()
    file = place / "case.toml"
    dumped = b"""fixture = 1
id = "a/1"
mapping = "acl/a.toml"
[request]
encoding = "cp037"
dump = '''
0000  F0F0F4F4 F1F1F2F2 F0F0F4F4 F1F1F2F2  |0044112200441122|
0010  C1                                   |A|
'''
[reply]
file = "case.toml"
"""

    def read(case: bytes) -> None:
        file.write_bytes(case)
        found = read_fixture(file)
        assert isinstance(found.request.body, bytes)

    seeds = [dumped, *(one.read_bytes() for one in sorted(_HELPDESK.glob("fixtures/*/*.toml"))[:2])]
    words = (
        b"dump = ",
        b"body = ",
        b"file = ",
        b'encoding = "utf-16"',
        b"0000  ",
        b"headers = ",
        b"recorded = ",
    )
    return Target(seeds, (*_TOML_WORDS, *words), read)


_FORMS: Final = (
    *(
        "text(trim)",
        "text(max=5, pad=right)",
        "integer",
        "integer(width=5)",
        "decimal(2)",
        "decimal(2, comma)",
    ),
    *(
        "decimal(2, round=half_up)",
        "boolean(Y, N)",
        "boolean('1', '0')",
        "date(YYYYMMDD)",
        "date(YYMMDD, pivot=50)",
    ),
    *(
        "date(DD.MM.YYYY, sentinel='99999999')",
        "time(HHmmss)",
        "timestamp(YYYY-MM-DDTHH:mm:ss, zone=Europe/Berlin)",
    ),
    *(
        "duration(iso)",
        "duration(seconds)",
        "code(c)",
        "code(c, pass)",
        "unit(cent)",
        "enum(a, b)",
        "bytes(hex)",
    ),
    *(
        "bytes(base64)",
        "list(;, integer)",
        "list(comma, 'decimal(2)')",
        "json",
        "timestamp(epoch)",
        "text(upper)",
    ),
)
_TEXTS: Final = (
    "12.50",
    "20240131",
    "07",
    "Y",
    "a;b",
    "P1DT2H",
    '{"a":1}',
    "AAE=",
    "2024-01-31T12:59:00",
    "-1",
    "",
)


def converters() -> Target:
    """What stands behind ``as``, and a text for it: two lines."""
    seeds = [f"{form}\n{text}".encode() for form in _FORMS for text in _TEXTS]
    words = tuple(
        word.encode()
        for word in (
            *(
                "(",
                ")",
                ",",
                "'",
                "''",
                "=",
                "|",
                " | text",
                "YYYY",
                "MM",
                "DD",
                "HH",
                "mm",
                "ss",
                "YY",
                "SSS",
                "JJJ",
            ),
            *(
                "pivot=",
                "zone=",
                "Europe/Berlin",
                "../../etc/passwd",
                "round=",
                "trim",
                "pad",
                "max=",
                "sentinel=",
            ),
            *(
                "2024-02-30",
                "99999999",
                "0001-01-01",
                "9999-12-31",
                '"0.5"',
                'type = "decimal"',
                '"' + "9" * 400 + '.5"',
                "+99:99",
                "P",
                "PT",
                "\u0663",
                "\u2212",
                "1e5",
            ),
            *("py:os:getcwd", "py:nothing:x", "py:json:loads", "true", "null", "ff", "====", "\n"),
        )
    )

    def read(case: bytes) -> None:
        said, _, text = case.decode("utf-8", "replace").partition("\n")
        if "py:" in said and not said.startswith(("py:os:getcwd", "py:nothing:x", "py:json:loads")):
            return  # importing whatever it happens to name is not for here
        try:
            forms = parse_forms(said)
            parse_path(text[:200])
        except ValueError as error:
            raise InputError("refused", expected=str(error)) from error
        _converted([(form.name, form.arguments) for form in forms], text)

    return Target(seeds, words, read)


def _converted(forms: Sequence[tuple[str, Sequence[str]]], text: str) -> None:
    """Take a text through converters; ``ValueError`` is how they refuse."""
    value: object = text
    for name, arguments in forms:
        if name.startswith("py:"):
            find_converter(name)
            return
        factory: Any = find_converter(name)
        try:
            converter = factory(arguments, {"c": {"1": "a", "2": "b"}})
            if not isinstance(value, str):
                return
            value = converter.decode(value)
        except ValueError as error:
            raise InputError("refused", expected=str(error)) from error
        try:
            written = converter.encode(value)
            again = converter.decode(written)
        except ValueError as error:
            raise AssertionError(f"{name} does not write what it read") from error
        assert again == value, f"{name} reads another value than it wrote"


_CODES: Final = b"code,value,preferred,note\n1,general,yes,x\n2,b,yes,\n3,b,no,\n"


def codes() -> Target:
    """Code tables in files."""
    place = folder()
    (place / "acl").mkdir()
    operation = load_operation(_HELPDESK, "ticket.triage@1")
    table = (_HELPDESK / "acl" / "ticket_row.toml").read_text("utf-8")
    head, _, _ = table.partition("[codes.category]")
    file = place / "acl" / "m.toml"
    file.write_text(head + '[codes.category]\nfile = "acl/c.csv"\n', "utf-8")

    def read(case: bytes) -> None:
        (place / "acl" / "c.csv").write_bytes(case)
        load_mapping(file, operation, place)

    return Target(
        (_CODES, b'code,value\r\n1,"a""b"\r\n'),
        (b",", b'"', b"\n", b"\r", b"code", b"value", b"yes"),
        read,
    )
