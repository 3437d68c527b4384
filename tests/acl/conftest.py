"""A small legacy of our own: a WSDL, an operation and a mapping of each kind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.model import Record

# Machines are shared: how long an example takes says nothing about the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

WSDL = """<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions targetNamespace="urn:t:desk" xmlns:tns="urn:t:desk"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xs:schema targetNamespace="urn:t:desk" elementFormDefault="qualified">
      <xs:simpleType name="Channel">
        <xs:restriction base="xs:string"><xs:enumeration value="P"/></xs:restriction>
      </xs:simpleType>
      <xs:complexType name="Person">
        <xs:sequence>
          <xs:element name="name" type="xs:string"/>
          <xs:element name="phone" type="xs:string" minOccurs="0"/>
        </xs:sequence>
        <xs:attribute name="id" type="xs:int" use="required"/>
      </xs:complexType>
      <xs:element name="Ask">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="person" type="tns:Person"/>
            <xs:element name="channel" type="tns:Channel"/>
            <xs:element name="opened" type="xs:string"/>
            <xs:element name="amount" type="xs:decimal" nillable="true"/>
            <xs:element name="note" type="xs:string" minOccurs="0"/>
            <xs:element name="trace" type="xs:string" minOccurs="0"/>
            <xs:element name="line" minOccurs="0" maxOccurs="unbounded">
              <xs:complexType><xs:sequence>
                <xs:element name="sku" type="xs:string"/>
              </xs:sequence></xs:complexType>
            </xs:element>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="AskResponse">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="category" type="xs:string"/>
            <xs:element name="priority" type="xs:int"/>
            <xs:element name="score" type="xs:decimal"/>
            <xs:element name="due" type="xs:string"/>
            <xs:element name="remark" type="xs:string" minOccurs="0"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:schema>
  </wsdl:types>
</wsdl:definitions>
"""

OPERATION = """
name = "desk.ask"
version = 1
effect = "read"
owner = "desk"
domain = "tickets"
description = "What is this about?"

[input."person.id"]
type = "integer"
min = 1
[input."person.name"]
type = "text"
max_length = 60
tag = "pii.name"
[input."person.phone"]
type = "text"
required = false
tag = "pii.phone"
[input.channel]
type = "text"
enum = ["phone", "mail"]
[input.opened]
type = "date"
required = false
[input.amount]
type = "decimal"
unit = "EUR"
required = false
[input.note]
type = "text"
required = false
tag = "none"

[output.category]
type = "text"
enum = ["claim", "question", "other"]
[output.priority]
type = "integer"
min = 1
max = 3
[output.score]
type = "decimal"
min = "0.00"
max = "1.00"
[output.due]
type = "date"
required = false
[output.remark]
type = "text"
required = false
"""

SOAP = """
operation = "desk.ask@1"
from.kind = "soap"
from.schema = "legacy/desk.wsdl"
from.element = "{urn:t:desk}Ask"
from.answer = "{urn:t:desk}AskResponse"
fields = [
  { src = "person.@id", dst = "person.id", as = "integer" },
  { src = "person.name", dst = "person.name", as = "text" },
  { src = "person.phone", dst = "person.phone" },
  { src = "channel", dst = "channel", as = "code(channel)" },
  { src = "opened", dst = "opened", as = "date(YYYYMMDD)", null = ["00000000", ""] },
  { src = "amount", dst = "amount", as = "decimal(2)", unit = "EUR" },
  { src = "note", dst = "note", as = "text" },
]
ignore = { trace = "of the old gateway", "line[]" = "not needed to decide" }
reply = [
  { src = "category", dst = "category", as = "code(category)", else = "C99" },
  { src = "priority", dst = "priority", as = "integer" },
  { src = "score", dst = "score", as = "decimal(2, half_even)" },
  { src = "due", dst = "due", as = "date(DD.MM.YYYY)", null = ["-"] },
  { src = "remark", dst = "remark", as = "text" },
]
[codes]
channel = { P = "phone", M = "mail" }
category = { C01 = "claim", C02 = "question" }
"""

ROW = """
operation = "desk.ask@1"
unmapped = "report"
from.kind = "row"
from.columns = [
  "id", "name", "phone", "channel", "opened", "amount", "note",
  "category", "priority", "score", "due", "remark", "status",
]
fields = [
  { src = "id", dst = "person.id", as = "integer" },
  { src = "name", dst = "person.name" },
  { src = "phone", dst = "person.phone" },
  { src = "channel", dst = "channel", as = "code(channel)" },
  { src = "opened", dst = "opened", as = "date(YYYYMMDD)", null = ["00000000"] },
  { src = "amount", dst = "amount", as = "decimal(2, lax)" },
  { src = "note", dst = "note" },
]
ignore = { status = "ours decides nothing about it" }
reply = [
  { src = "category", dst = "category", as = "code(category)" },
  { src = "priority", dst = "priority", as = "integer" },
  { src = "score", dst = "score", as = "decimal(2)" },
  { src = "due", dst = "due", as = "date(DD.MM.YYYY)" },
  { src = "remark", dst = "remark" },
]
[codes]
channel = { P = "phone", M = "mail" }
category = { C01 = "claim", C02 = "question", C99 = "other" }
"""

ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    "<s:Header><h:old xmlns:h='urn:h'>x</h:old></s:Header><s:Body>{}</s:Body></s:Envelope>"
)

ASK = (
    '<d:Ask xmlns:d="urn:t:desk" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    "  <!-- by hand --><d:person id = '7' ><d:name>Ann &amp; Bo</d:name></d:person>\n"
    "  <d:channel>P</d:channel><d:opened>20240229</d:opened>\n"
    "  <d:amount> 12.50 </d:amount><d:trace>t-1</d:trace>"
    "<d:line><d:sku>1</d:sku></d:line><d:line><d:sku>2</d:sku></d:line>\n"
    "</d:Ask>"
)


def record(body: str | bytes, **parts: object) -> Record:
    """Wrap bytes as an adapter would."""
    data = body if isinstance(body, bytes) else body.encode()
    return Record(source="desk", position="1", kind="soap", body=data, **parts)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Lay the files of a workspace out."""
    for name in ("operations", "legacy", "acl"):
        (tmp_path / name).mkdir()
    (tmp_path / "legacy/desk.wsdl").write_text(WSDL)
    (tmp_path / "operations/desk.ask@1.toml").write_text(OPERATION)
    (tmp_path / "acl/soap.toml").write_text(SOAP)
    (tmp_path / "acl/row.toml").write_text(ROW)
    return tmp_path


@pytest.fixture
def desk(workspace: Path) -> SimpleNamespace:
    """Give the texts above, and doors to load them, as they are or with a part replaced."""

    def load(kind: str, *changes: tuple[str, str], operation: tuple[tuple[str, str], ...] = ()):
        for name, pairs in (
            (f"acl/{kind}.toml", changes),
            ("operations/desk.ask@1.toml", operation),
        ):
            text = (workspace / name).read_text()
            for old, new in pairs:
                assert old in text, old
                text = text.replace(old, new)
            (workspace / name).write_text(text)
        loaded = load_operation(workspace, "desk.ask@1")
        return load_mapping(workspace / f"acl/{kind}.toml", loaded, workspace)

    return SimpleNamespace(
        root=workspace, load=load, record=record, envelope=ENVELOPE.format, ask=ASK, wsdl=WSDL
    )
