"""A schema with all that XML messages are made of, and its messages."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from lxml import etree

from stranglerfig.acl.envelope import SOAP11
from stranglerfig.acl.formats.soap import soap
from stranglerfig.acl.formats.xml import xml
from stranglerfig.model import Record

ORDER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:o"
    xmlns:p="urn:p" targetNamespace="urn:o" elementFormDefault="qualified">
  <xs:import namespace="urn:p" schemaLocation="party.xsd"/>
  <xs:import namespace="http://www.w3.org/XML/1998/namespace"
    schemaLocation="http://www.w3.org/2001/xml.xsd"/>
  <xs:simpleType name="Channel"><xs:restriction base="xs:string">
    <xs:enumeration value="web"/><xs:enumeration value="phone"/>
  </xs:restriction></xs:simpleType>
  <xs:complexType name="Part"><xs:sequence>
    <xs:element name="serial" type="xs:token" maxOccurs="unbounded" minOccurs="0"/>
    <xs:element name="weight" type="xs:decimal" nillable="true"/>
  </xs:sequence><xs:attribute name="no" type="xs:int" use="required"/></xs:complexType>
  <xs:complexType name="Line"><xs:sequence>
    <xs:element name="sku" type="xs:string"/>
    <xs:element name="quantity" type="xs:int" minOccurs="0"/>
    <xs:element name="part" type="o:Part" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="gift" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="card" type="xs:string" minOccurs="0"/>
      <xs:element name="paper" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="id" type="xs:string"/></xs:complexType>
  <xs:element name="Order"><xs:complexType><xs:sequence>
    <xs:element name="number" type="xs:string"/>
    <xs:element name="channel" type="o:Channel" default="web"/>
    <xs:element name="total"><xs:complexType><xs:simpleContent>
      <xs:extension base="xs:decimal">
        <xs:attribute name="currency" type="xs:string" default="EUR"/>
      </xs:extension>
    </xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="closed" type="xs:date" nillable="true" minOccurs="0"/>
    <xs:element ref="p:buyer"/>
    <xs:element name="tag" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="note" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:simpleContent><xs:extension base="xs:string">
        <xs:attribute ref="xml:lang" use="required"/>
      </xs:extension></xs:simpleContent>
    </xs:complexType></xs:element>
    <xs:element name="mark" type="xs:int" nillable="true" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="lines" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="line" type="o:Line" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="extra" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:any processContents="skip" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="up" type="xs:int"/>
      <xs:element name="down" type="xs:int"/>
    </xs:choice>
    <xs:element name="urgent" minOccurs="0"><xs:complexType/></xs:element>
  </xs:sequence>
  <xs:attribute name="version" type="xs:string" fixed="1.0" use="required"/>
  <xs:attribute name="source" type="xs:string"/>
  </xs:complexType></xs:element>
</xs:schema>"""

PARTY = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:p">
  <xs:element name="buyer"><xs:complexType><xs:all>
    <xs:element name="name" type="xs:string"/>
    <xs:element name="born" type="xs:date" minOccurs="0"/>
  </xs:all></xs:complexType></xs:element>
</xs:schema>"""

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES = f'xmlns="urn:o" xmlns:p="urn:p" xmlns:xsi="{XSI}"'

MESSAGE = f"""<Order {NAMESPACES} version="1.0">
  <number>17</number>
  <channel/>
  <total>12.50</total>
  <closed xsi:nil="true"/>
  <p:buyer xmlns=""><born> 1980-02-29 </born><name>Ann &amp; Bo</name></p:buyer>
  <tag>a</tag>
  <tag/>
  <note xml:lang="de">gut</note>
  <mark>1</mark><mark xsi:nil="1"/>
  <lines>
    <!-- the first -->
    <line id="x"><sku>A</sku><quantity>2</quantity></line>
    <line>
      <sku>B</sku>
      <part no="1"><serial>s 1</serial><serial>s2</serial><weight xsi:nil="true"/></part>
      <part no="2"><weight>0.5</weight></part>
    </line>
  </lines>
  <extra><anything/></extra>
  <up>1</up><down>2</down><up>3</up>
  <urgent/>
</Order>"""

VALUES = {
    "@version": "1.0",
    "number": "17",
    "channel": "web",
    "total": "12.50",
    "total.@currency": "EUR",
    "closed": None,
    "buyer.born": "1980-02-29",
    "buyer.name": "Ann & Bo",
    "tag[]": ["a", ""],
    "note[]": [{"@lang": "de", "#text": "gut"}],
    "mark[]": ["1", None],
    "lines.line[]": [
        {"@id": "x", "sku": "A", "quantity": "2"},
        {
            "sku": "B",
            "part[]": [
                {"@no": "1", "serial[]": ["s 1", "s2"], "weight": None},
                {"@no": "2", "weight": "0.5"},
            ],
        },
    ],
    "up[]": ["1", "3"],
    "down[]": ["2"],
    "urgent": "",
}


def wrapped(inner: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    """Put an element into an envelope."""
    return f'{head}<s:Envelope xmlns:s="{SOAP11}"><s:Body>{inner}</s:Body></s:Envelope>'


def record(body: str | bytes, **parts: object) -> Record:
    data = body if isinstance(body, bytes) else body.encode()
    return Record(source="t", position="1", kind="xml", body=data, **parts)


@pytest.fixture(scope="session")
def order(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Give the shapes of the order, and a validator that is not ours."""
    folder = tmp_path_factory.mktemp("order")
    (folder / "order.xsd").write_text(ORDER)
    (folder / "party.xsd").write_text(PARTY)

    def shape(kind: str = "xml", **options: object):
        table = {"kind": kind, "schema": "order.xsd", "element": "{urn:o}Order", **options}
        return (soap if kind == "soap" else xml)(table, folder, "m.toml: from").request

    # One that most messages fit: no attributes on its own element, nothing before its values.
    plain = ORDER.replace(
        '<xs:attribute name="version" type="xs:string" fixed="1.0" use="required"/>', ""
    )
    plain = plain.replace('<xs:attribute name="source" type="xs:string"/>', "")
    assert plain.count("xs:attribute ") == ORDER.count("xs:attribute ") - 2
    (folder / "plain.xsd").write_text(plain)
    # libxml2 must not fetch xml.xsd: beside ours it reads a copy without it.
    (folder / "own.xsd").write_text(ORDER.replace("http://www.w3.org/2001/xml.xsd", "xml.xsd"))
    (folder / "xml.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' targetNamespace="http://www.w3.org/XML/1998/namespace">'
        '<xs:attribute name="lang" type="xs:string"/></xs:schema>'
    )
    validator = etree.XMLSchema(etree.parse(folder / "own.xsd"))
    return SimpleNamespace(
        folder=folder,
        shape=shape,
        xml=shape(),
        soap=shape("soap"),
        checked=shape(validate=True),
        plain=shape("soap", schema="plain.xsd"),
        valid=lambda body: validator.validate(etree.fromstring(body)),
        why=validator,
        message=MESSAGE,
        values=VALUES,
        record=record,
        wrapped=wrapped,
    )
