"""XML: SOAP messages, documents, and the schemas that draw them."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

from stranglerfig.acl.envelope import read as read_envelope
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.fuzz.shapes import built, recorded, same
from stranglerfig.fuzz.target import Target, folder

__all__ = ["envelopes", "schemas", "soap", "xml"]

_WSDL: Final = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t"><wsdl:types>
<xs:schema targetNamespace="urn:t" elementFormDefault="qualified">
<xs:import namespace="http://www.w3.org/XML/1998/namespace"/><xs:include schemaLocation="more.xsd"/>
<xs:simpleType name="Colour"><xs:restriction base="xs:token"><xs:enumeration value="red"/>
<xs:maxLength value="5"/></xs:restriction></xs:simpleType>
<xs:complexType name="Base"><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence>
<xs:attribute name="kind" type="xs:string" use="required"/><xs:attribute ref="xml:lang"/></xs:complexType>
<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal">
<xs:attribute name="unit" default="EUR"/></xs:extension></xs:simpleContent></xs:complexType>
<xs:complexType name="Order"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
<xs:element name="note" type="xs:string" minOccurs="0" nillable="true"/>
<xs:element name="line" maxOccurs="unbounded" minOccurs="0"><xs:complexType><xs:sequence>
<xs:element name="sku" type="t:Colour"/><xs:element name="part" type="xs:string" maxOccurs="9" minOccurs="0"/>
</xs:sequence><xs:attribute name="no" type="xs:int"/></xs:complexType></xs:element>
<xs:choice><xs:element name="a" type="xs:date"/><xs:element ref="t:b"/></xs:choice>
<xs:element name="total" type="t:Money"/><xs:group ref="t:Rest"/><xs:element name="inner" type="t:Order" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:element name="b" type="xs:boolean" default="true"/>
<xs:element name="order" type="t:Order"/><xs:element name="answer"><xs:complexType><xs:all>
<xs:element name="ok" type="xs:string"/><xs:element name="why" type="xs:string" minOccurs="0"/>
</xs:all></xs:complexType></xs:element></xs:schema></wsdl:types></wsdl:definitions>"""


_MORE: Final = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:group name="Rest"><xs:sequence><xs:element name="tail" type="xs:string"/></xs:sequence></xs:group>
<xs:attributeGroup name="G"><xs:attribute name="g"/></xs:attributeGroup></xs:schema>"""


_ORDER: Final = """<t:order xmlns:t="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" kind="k" xml:lang="de">
 <t:id> 7 </t:id><t:note xsi:nil="true"/><t:line no="1"><t:sku>red</t:sku><t:part>x</t:part><t:part/></t:line>
 <t:line><t:sku>&#x72;ed</t:sku></t:line><!-- r --><t:b>1</t:b><t:total unit="USD">1.50</t:total>
 <t:tail><![CDATA[a<b]]> &amp; &#228;</t:tail></t:order>"""


_ANSWER: Final = '<answer xmlns="urn:t"><why>w</why><ok>yes</ok></answer>'


_SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"


_SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"


_FAULT: Final = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>"


_XML_WORDS: Final = tuple(
    word.encode()
    for word in (
        *("<", ">", "</", "/>", "<!--", "-->", "<![CDATA[", "]]>", "<?pi ?>", "&#0;", "&#x1F600;"),
        *('<!DOCTYPE a [<!ENTITY e "x">]>', "&e;", '<!DOCTYPE a SYSTEM "file:///etc/hostname">'),
        *('<?xml version="1.0" encoding="utf-16"?>', '<?xml version="1.1"?>', ' xmlns="urn:x"'),
        *(
            '<?xml version="1.0" encoding="latin-1"?>',
            'encoding="utf-7"',
            ' xmlns:t=""',
            "t:",
            "xsi:",
        ),
        *(
            ' xsi:nil="true"',
            ' xsi:type="t:Order"',
            ' xml:space="preserve"',
            "<t:line/>",
            "<a>",
            "</a>",
        ),
        *("<t:sku>red</t:sku>", "<t:id>", "</t:id>", " no='2'", "&amp;", "&lt;", "\t", "\r\n", " "),
    )
)


_SCHEMA_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            'type="t:Order"',
            'type="xs:int"',
            'ref="t:b"',
            'base="t:Base"',
            'base="t:Order"',
            "t:Order",
        ),
        *(
            'minOccurs="0"',
            'maxOccurs="unbounded"',
            'maxOccurs="99999"',
            'mixed="true"',
            'form="qualified"',
        ),
        *(
            'abstract="true"',
            'nillable="true"',
            'fixed="1"',
            'default=""',
            'use="prohibited"',
            "xs:any",
        ),
        *(
            '<xs:any processContents="skip"/>',
            "<xs:sequence>",
            "</xs:sequence>",
            "<xs:union>",
            "xs:list",
        ),
        *(
            '<xs:include schemaLocation="more.xsd"/>',
            '<xs:include schemaLocation="case.xsd"/>',
            '"t:Rest"',
        ),
        *(
            '<xs:redefine schemaLocation="more.xsd"/>',
            "xs:extension",
            "xs:restriction",
            "xs:pattern",
        ),
        *(
            '<xs:pattern value="(a+)+b"/>',
            'value="[\\p{L}-[a-z]]"',
            "xs:all",
            "xs:choice",
            "xs:group",
        ),
        *(
            'schemaLocation="http://localhost/x.xsd"',
            'targetNamespace="urn:{t}"',
            'name=""',
            "a.b",
            "a[]",
        ),
    )
)


def _drawn() -> Path:
    place = folder()
    (place / "t.wsdl").write_text(_WSDL, "utf-8")
    (place / "more.xsd").write_text(_MORE, "utf-8")
    return place


def _enveloped(body: str, space: str = _SOAP11, head: str = "") -> bytes:
    return f'<s:Envelope xmlns:s="{space}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


_ENVELOPES: Final = (
    _enveloped(_ORDER),
    _enveloped(_ORDER, _SOAP12, '<s:Header><h s:mustUnderstand="1"/></s:Header>'),
    _enveloped(_FAULT),
    b'<?xml version="1.0" encoding="iso-8859-1"?>\n' + _enveloped(_ORDER.replace("&#228;", "a")),
    ('<?xml version="1.0"?>' + _enveloped(_ORDER).decode()).encode("utf-16"),
)


def soap() -> Target:
    """Envelopes whose Body a WSDL draws; the schema is checked too."""
    place = _drawn()
    table = {
        "kind": "soap",
        "schema": "t.wsdl",
        "element": "{urn:t}order",
        "answer": "{urn:t}answer",
    }
    plain = built(table, _ENVELOPES, _XML_WORDS, place)
    checked = built({**table, "validate": True}, _ENVELOPES, _XML_WORDS, place)

    def read(case: bytes) -> None:
        (checked if crc32(case) % 4 == 0 else plain).read(case)

    return plain._replace(read=read)


def envelopes() -> Target:
    """Envelopes with any Body."""

    def read(case: bytes) -> None:
        charset = ("", "", "", "utf-8", "iso-8859-1", "utf-16", "utf-7")[crc32(case) % 7]
        found = read_envelope(case, charset)
        assert found.version in ("1.1", "1.2")
        assert found.is_fault or not (found.fault_code or found.fault_string)
        assert isinstance(found.must_understand, tuple)

    return Target(_ENVELOPES, _XML_WORDS, read)


def xml() -> Target:
    """Documents whose leaves are listed, or drawn."""
    listed = {
        "kind": "xml",
        "root": "{urn:t}order",
        "leaves": [
            "@kind",
            "id",
            "note",
            "line[].@no",
            "line[].sku",
            "line[].part[]",
            "total.@unit",
            "total",
            "tail",
            "b",
        ],
        "answer_root": "{urn:t}answer",
        "answer_leaves": ["ok", "why"],
    }
    drawn = {
        "kind": "xml",
        "schema": "t.wsdl",
        "element": "{urn:t}order",
        "answer": "{urn:t}answer",
    }
    seeds = [
        _ORDER.encode(),
        _ANSWER.encode(),
        b'<?xml version="1.0"?>\r\n' + _ORDER.encode() + b"\n",
    ]
    place = _drawn()
    both = [built(table, seeds, _XML_WORDS, place) for table in (listed, drawn)]

    def read(case: bytes) -> None:
        both[crc32(case) % 2].read(case)

    return both[0]._replace(read=read)


def schemas() -> Target:
    """Schemas, of which a mapping is made."""
    place = _drawn()
    file = place / "case.xsd"
    inner = _WSDL.partition("<wsdl:types>")[2].partition("</wsdl:types>")[0].strip()
    alone = inner.replace(
        "<xs:schema", '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t"', 1
    )

    def read(case: bytes) -> None:
        file.write_bytes(case)
        table = {"kind": "xml", "schema": "case.xsd", "element": "{urn:t}order"}
        made = sides({**table, "validate": crc32(case) % 4 == 0}, place, "from")
        assert made.request.describe()
        same(made.request, recorded(_ORDER.encode(), "xml"))

    return Target([_WSDL.encode(), alone.encode()], (*_SCHEMA_WORDS, *_XML_WORDS[:12]), read)
