"""Real interfaces: Grants.gov's WSDL with its schemas, and zeep reading what we write."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

from stranglerfig.acl.formats.soap import soap
from stranglerfig.acl.xml.schema import load_schema
from stranglerfig.acl.xml.tree import message
from stranglerfig.model import Record

DATA = os.environ.get("FIG_DATA", "")
WSDL = Path(DATA) / "grants-gov/applicants.wsdl"
needs_data = pytest.mark.skipif(
    not DATA or not WSDL.exists(), reason="FIG_DATA names no folder with grants-gov in it"
)
SPACE = "http://apply.grants.gov/services/ApplicantWebServices-V2.0"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"


def operations() -> list[tuple[str, str, str]]:
    """Give name, element and answer of each operation, as the WSDL's own port says."""
    root = etree.parse(WSDL).getroot()
    elements = {
        node.get("name"): (part := node.find(f"{_WSDL}part"), part.get("element"))
        for node in root.iterfind(f"{_WSDL}message")
    }

    def named(way) -> str:
        part, name = elements[way.get("message").rpartition(":")[2]]
        prefix, _, local = name.partition(":")
        return f"{{{part.nsmap[prefix]}}}{local}"

    return [
        (one.get("name"), named(one.find(f"{_WSDL}input")), named(one.find(f"{_WSDL}output")))
        for port in root.iterfind(f"{_WSDL}portType")
        for one in port.iterfind(f"{_WSDL}operation")
    ]


def example(shape) -> dict[str, object]:
    """Give a value for every leaf, and two entries for every list."""
    values: dict[str, object] = {}
    for leaf in shape.leaves:
        if leaf.opaque:
            continue
        at = [values]
        *lists, last = leaf.path.split("[]")
        for place, name in enumerate(lists):
            key = f"{name.removeprefix('.')}[]"
            plain = place == len(lists) - 1 and not last
            for one in at:
                one.setdefault(key, ["a", "b"] if plain else [{}, {}])
            at = [] if plain else [entry for one in at for entry in one[key]]
        for number, one in enumerate(at):
            one[last.removeprefix(".")] = f"v{number}"
    return values


@needs_data
def test_every_operation_reads_what_it_writes():
    found = operations()
    assert len(found) >= 14
    for name, element, answer in found:
        table = {"kind": "soap", "schema": WSDL.name, "element": element, "answer": answer}
        sides = soap(table, WSDL.parent, "acl/grants.toml: from")
        for shape in (sides.request, sides.reply):
            assert [leaf.path for leaf in shape.leaves if leaf.opaque] == [], name
            values = example(shape)
            asked = Record(source="t", position="1", kind="soap", body=b"")
            written = Record(source="t", position="2", kind="soap", body=shape.write(values, asked))
            for _ in range(2):
                again, strays = shape.read(written)
                assert (again, list(strays)) == (values, []), name
            assert shape.patch(values, written) == written.body, name


@needs_data
def test_the_recorded_request_is_read_and_kept():
    body = (WSDL.parent / "get_opportunity_list_request.xml").read_bytes()
    element = f"{{{SPACE}}}GetOpportunityListRequest"
    table = {"kind": "soap", "schema": WSDL.name, "element": element, "validate": True}
    shape = soap(table, WSDL.parent, "acl/grants.toml: from").request
    original = Record(source="t", position="1", kind="soap", body=body)
    values, strays = shape.read(original)
    assert list(strays) == []
    path = "OpportunityFilter.FundingOpportunityNumber"
    assert values == {path: "O-BJA-2025-202930-STG"}
    assert shape.patch(values, original) == body
    changed = shape.patch({path: "X", "OpportunityFilter.CFDANumber": "1"}, original)
    number = b"<gran:FundingOpportunityNumber>X</gran:FundingOpportunityNumber>"
    added = number + b"\n            <gran:CFDANumber>1</gran:CFDANumber>"
    whole = b"<gran:FundingOpportunityNumber>O-BJA-2025-202930-STG</gran:FundingOpportunityNumber>"
    assert changed == body.replace(whole, added)
    assert [
        one.path
        for one in shape.read(Record(source="t", position="1", kind="soap", body=changed))[1]
    ] == ["CFDANumber"]


@needs_data
def test_imports_across_schemas_are_followed():
    schema = load_schema(WSDL)
    assert len({document.namespace for document in schema.documents}) == 6
    names = [name for name in schema.names("element") if name.startswith(f"{{{SPACE}}}")]
    assert all(message(schema, name, "m").children for name in names)


def test_zeep_reads_what_is_written(order: SimpleNamespace):
    zeep = pytest.importorskip("zeep", reason="zeep comes with the extra soap")
    schema = etree.parse(order.folder / "own.xsd")
    loaded = zeep.xsd.Schema(
        schema.getroot(), zeep.transports.Transport(), location=str(order.folder / "own.xsd")
    )
    element = loaded.get_element("{urn:o}Order")
    written = order.xml.write(order.values, order.record(""))
    found = element.parse(etree.fromstring(written), loaded)
    assert [line.sku for line in found.lines.line] == ["A", "B"]
    assert [part.no for part in found.lines.line[1].part] == [1, 2]
    assert found.lines.line[1].part[0].weight is None
    assert found.buyer.name == "Ann & Bo"
    assert found.note[0]._value_1 == "gut"
    assert (found.total._value_1, found.total.currency) == (12.5, "EUR")
