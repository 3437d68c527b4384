"""Messages without a schema, by their leaves; and kind xml in a mapping."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from stranglerfig.acl.formats.xml import xml
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ConfigError, EnvelopeError, MappingError
from stranglerfig.model import Record

LEAVES = [
    "@id", "@{urn:q}seen", "customer.name", "{}loose.value", "line[].@no", "line[].sku",
    "line[].part[].code[]", "tag[]", "note[].@lang", "note[].#text", "{urn:x}ext.flag",
]  # fmt: skip
MESSAGE = """<?xml version="1.0"?>
<o:order xmlns:o="urn:o" xmlns:q="urn:q" id="7" q:seen="yes">
  <o:customer><o:name>Ann</o:name></o:customer>
  <loose><value>v</value></loose>
  <o:line no="1"><o:sku>A</o:sku></o:line>
  <o:line no="2"><o:sku>B</o:sku><o:part><o:code>x</o:code><o:code>y</o:code></o:part></o:line>
  <o:tag>t</o:tag>
  <o:note lang="de">n</o:note>
  <e:ext xmlns:e="urn:x"><e:flag/></e:ext>
</o:order>
"""
VALUES = {
    "@id": "7",
    "@seen": "yes",
    "customer.name": "Ann",
    "loose.value": "v",
    "line[]": [
        {"@no": "1", "sku": "A"},
        {"@no": "2", "sku": "B", "part[]": [{"code[]": ["x", "y"]}]},
    ],
    "tag[]": ["t"],
    "note[]": [{"@lang": "de", "#text": "n"}],
    "ext.flag": "",
}


def record(body: str, **parts: object) -> Record:
    return Record(source="t", position="1", kind="xml", body=body.encode(), **parts)


def sides(**options: object):
    table = {"kind": "xml", "root": "{urn:o}order", "leaves": LEAVES, **options}
    return xml({key: value for key, value in table.items() if value}, Path(), "m.toml: from")


def test_leaves_are_enough_to_read_and_write():
    shape = sides().request
    values, strays = shape.read(record(MESSAGE))
    assert (values, list(strays)) == (VALUES, [])
    written = shape.write(VALUES, record("")).decode()
    assert written.startswith('<?xml version="1.0" encoding="utf-8"?>\n<n1:order ')
    assert shape.read(record(written))[0] == VALUES
    # Nothing must be there, but an entry that is one text is one.
    required = {leaf.path for leaf in shape.leaves if leaf.required}
    assert required == {"line[].part[].code[]", "tag[]", "note[].#text"}
    assert {leaf.path for leaf in shape.leaves} == {
        leaf.replace("{urn:q}", "").replace("{urn:x}", "").replace("{}", "") for leaf in LEAVES
    }


def test_what_is_not_listed_has_no_place():
    text = MESSAGE.replace("<o:tag>", "<o:more/><o:tag>")
    _, strays = sides().request.read(record(text))
    assert [stray.path for stray in strays] == ["{urn:o}more"]


def test_it_is_patched_as_well():
    shape = sides().request
    lines = [{**VALUES["line[]"][0], "sku": "Z"}, VALUES["line[]"][1]]
    after = shape.patch({"line[]": lines, "@id": "8"}, record(MESSAGE)).decode()
    assert after == MESSAGE.replace(">A<", ">Z<").replace(
        ' id="7" q:seen="yes"', ' q:seen="yes" id="8"'
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"leaves": None}, "no leaves"),
        ({"root": None}, "not an element"),
        ({"root": "a b"}, "not an element"),
        ({"leaves": ["a..b"]}, "not a leaf"),
        ({"leaves": ["a b"]}, "not a leaf"),
        ({"leaves": ["a[b=c].d"]}, "not a leaf"),
        ({"leaves": ["@a.b"]}, "holds a text only"),
        ({"leaves": ["a", "a.b"]}, "holds elements as well"),
        ({"leaves": ["a.b", "a[].c"]}, "once a list and once not"),
        ({"leaves": ["a[]", "a[].@b"]}, "#text"),
        ({"leaves": ["a[].#text"]}, "#text"),
        ({"leaves": ["{urn:x}a", "a"]}, "one name"),
        ({"validate": True}, "needs a schema"),
        ({"schema": "x.xsd"}, "both a schema and leaves"),
        ({"answer_root": "b"}, "no leaves"),
        ({"leafs": ["a"]}, "leaves"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, object], expected: str):
    with pytest.raises(ConfigError) as caught:
        sides(**options)
    assert expected in str(caught.value)
    assert "m.toml: from" in caught.value.place


def test_another_document_is_refused():
    shape = sides().request
    with pytest.raises(MappingError, match="another message"):
        shape.read(record("<order/>"))
    with pytest.raises(EnvelopeError):
        shape.read(record("<order>"))
    with pytest.raises(EnvelopeError, match="not allowed"):
        shape.read(record("<!DOCTYPE order><order/>"))


def test_an_encoding_that_is_declared_is_kept():
    shape = sides().request
    text = MESSAGE.replace('"1.0"', '"1.0" encoding="iso-8859-1"').replace("Ann", "J\xf6rg")
    original = Record(source="t", position="1", kind="xml", body=text.encode("latin-1"))
    assert shape.read(original)[0]["customer.name"] == "J\xf6rg"
    after = shape.patch({"customer.name": "\xc4nn\u20ac"}, original)
    assert after == text.encode("latin-1").replace(b"J\xf6rg", b"\xc4nn&#8364;")


OPERATION = """
name = "order.take"
version = 1
effect = "read"
owner = "shop"
domain = "orders"
description = "Take an order."
[input.id]
type = "integer"
[input."lines[].sku"]
type = "text"
[input."lines[].price"]
type = "decimal"
required = false
[input."tags[]"]
type = "text"
[output.state]
type = "text"
[output."lines[].sku"]
type = "text"
"""
MAPPING = """
operation = "order.take@1"
from.kind = "xml"
from.root = "{urn:o}order"
from.leaves = ["@id", "trace", "line[].sku", "line[].price", "line[].memo", "tag[]"]
from.answer_root = "{urn:o}taken"
from.answer_leaves = ["@state", "line[].sku"]
fields = [
  { src = "@id", dst = "id", as = "integer" },
  { src = "line[].sku", dst = "lines[].sku" },
  { src = "line[].price", dst = "lines[].price", as = "decimal(2)" },
  { src = "tag[]", dst = "tags[]" },
]
ignore = { trace = "of the gateway", "line[].memo" = "for people" }
reply = [
  { src = "state", dst = "@state" },
  { src = "lines[].sku", dst = "line[].sku" },
]
"""
ORDER = """<order xmlns="urn:o" id="7">
  <trace>t</trace>
  <line><sku>A</sku><memo>one</memo></line>
  <line><sku>B</sku><price>1.50</price></line>
  <tag>x</tag>
</order>"""


def test_a_mapping_goes_there_and_back(tmp_path: Path):
    (tmp_path / "operations").mkdir()
    (tmp_path / "operations/order.take@1.toml").write_text(OPERATION)
    (tmp_path / "m.toml").write_text(MAPPING)
    mapping = load_mapping(tmp_path / "m.toml", load_operation(tmp_path, "order.take@1"), tmp_path)
    payload = mapping.decode_request(record(ORDER))
    lines = [{"sku": "A", "price": None}, {"sku": "B", "price": Decimal("1.50")}]
    assert payload == {"id": 7, "lines": lines, "tags": ["x"]}
    assert mapping.encode_request(payload, record(ORDER)) == ORDER.encode()
    changed = {**payload, "lines": [lines[0], {"sku": "B", "price": Decimal("1.75")}]}
    expected = ORDER.replace("1.50", "1.75")
    assert mapping.encode_request(changed, record(ORDER)).decode() == expected
    fewer = {**payload, "lines": lines[:1]}
    expected = ORDER.replace("\n  <line><sku>B</sku><price>1.50</price></line>", "")
    assert mapping.encode_request(fewer, record(ORDER)).decode() == expected
    more = {**payload, "lines": [{"sku": "N", "price": None}, *lines]}
    expected = ORDER.replace("<line><sku>A", "<line>\n    <sku>N</sku>\n  </line>\n  <line><sku>A")
    assert mapping.encode_request(more, record(ORDER)).decode() == expected
    answer = mapping.encode_reply({"state": "ok", "lines": [{"sku": "A"}]}, record(ORDER))
    assert answer == (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        b'<taken xmlns="urn:o" state="ok"><line><sku>A</sku></line></taken>\n'
    )
