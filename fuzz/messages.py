"""Messages of legacy systems: what a mapping's kinds read, write and patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from stranglerfig.acl.envelope import read as read_envelope
from stranglerfig.acl.formats.json_patch import as_written
from stranglerfig.acl.formats.kinds import sides
from stranglerfig.acl.formats.shape import Shape, Values
from stranglerfig.fuzz.target import Target, folder
from stranglerfig.model import Record

__all__ = [
    "copybook",
    "delimited",
    "envelopes",
    "forms",
    "headers",
    "json",
    "json_schemas",
    "schemas",
    "soap",
    "xml",
]

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


def _record(body: bytes, kind: str, record: Record | None = None) -> Record:
    headers = () if record is None else record.headers
    return Record(source="fuzz", position="1", kind=kind, body=body, headers=headers)


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values as texts; one that is null is none: where it cannot be null it is taken out."""
    return {path: as_written(value) for path, value in values.items() if value is not None}


def _same(shape: Shape, record: Record, *, apart: bool = True) -> None:
    """Read a message, look at its places, put its own values into it, and read that again.

    ``apart``: no value hangs on another, and each is read as it was written.
    """
    values, strays = shape.read(record)
    shape.places(record)
    if any(stray.broken for stray in strays):
        return
    assert shape.patch({}, record) == record.body
    told = _texts(values)
    try:
        patched = shape.patch(told, record)
    except ValueError:
        return  # it says so of values that its place cannot carry, such as a header's
    again, _ = shape.read(_record(patched, record.kind, record))
    if not apart:
        return
    assert _texts(again) == told, "patching with its own values changed them"
    for path in list(told)[:3]:
        _changed(shape, record, path, told)


def _changed(shape: Shape, record: Record, path: str, told: Values) -> None:
    """Change one value; the others stay."""
    if not isinstance(told[path], str):
        return
    try:
        patched = shape.patch({path: "7"}, record)
    except ValueError:
        return
    again, _ = shape.read(_record(patched, record.kind, record))
    assert _texts(again) == {**told, path: "7"}, f"changing {path} changed more"


def _answered(shape: Shape | None, record: Record) -> None:
    if shape is None:
        return
    texts = {leaf.path: "7" for leaf in shape.leaves if "[]" not in leaf.path and not leaf.opaque}
    try:
        shape.read(_record(shape.write(texts, record), record.kind))
    except ValueError:
        return


def _target(
    table: Mapping[str, object],
    seeds: Sequence[bytes],
    words: Sequence[bytes],
    root: Path | None = None,
    *,
    apart: bool = True,
) -> Target:
    made = sides(table, root or Path(), "from")
    kind = str(table["kind"])

    def read(case: bytes) -> None:
        record = _record(case, kind)
        _same(made.request, record, apart=apart)
        _answered(made.reply, record)

    return Target(seeds, words, read)


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
    plain = _target(table, _ENVELOPES, _XML_WORDS, place)
    checked = _target({**table, "validate": True}, _ENVELOPES, _XML_WORDS, place)

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
    both = [_target(table, seeds, _XML_WORDS, place) for table in (listed, drawn)]

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
        _same(made.request, _record(_ORDER.encode(), "xml"))

    return Target([_WSDL.encode(), alone.encode()], (*_SCHEMA_WORDS, *_XML_WORDS[:12]), read)


_FIELDS: Final = (
    *("id", "cust.name", "cust.note?", "amount: decimal", "count: integer", "active: boolean"),
    *("extra: json", "lines[].sku", "lines[].qty?: integer", "lines[].parts[]", "tags[]"),
)
_DOCUMENT: Final = (
    b'{ "id" : "7",\n  "cust":{"note":"x\\n", "name":"J\\u00fcrg"},"amount":12.50,"count": 3 ,'
    b'"active":true,"extra":{"a":[1.0,{}]},\n"lines":[ {"sku":"a","qty":1,"parts":["p"]} ,'
    b'{"sku":"b","parts":[]}],"tags":["x","y"]}\n'
)
_JSON_WORDS: Final = (
    *(
        b'{"',
        b'":',
        b'"',
        b"{}",
        b"[]",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b"null",
        b"true",
        b"1e400",
        b"-0.0",
    ),
    *(
        b'"\\u0000"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b"1E+5",
        b"0.1e-7",
        b'"id":"8",',
        b"\xef\xbb\xbf",
    ),
    *(
        b'"lines":[]',
        b'"extra":',
        b"\\",
        b'\\"',
        b" ",
        b"\t",
        b'"cust":null',
        b'"":1,',
        b'"a":{"b":[',
    ),
)


def json() -> Target:
    """JSON documents of listed places, and images of rows."""
    document = _target({"kind": "json", "fields": _FIELDS, "answer": ["ok", "lines[].x"]}, (), ())
    row = _target({"kind": "row", "columns": ["id", "na.me", "amount"]}, (), ())
    latin = _target({"kind": "json", "fields": ["a", "b?"], "encoding": "latin-1"}, (), ())
    made = (document, document, row, latin)

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (_DOCUMENT, b'{"id": 7, "na.me": null, "amount": 12.5}', '{"a":"ü"}'.encode("latin-1"))
    return Target(seeds, _JSON_WORDS, read)


_SCHEMA: Final = (
    b'{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/B"},'
    b'"c":{"type":"array","items":{"type":"object","properties":{"d":{"enum":[1,2]},"e":{"type":["null","number"]}}}},'
    b'"f":{"anyOf":[{"type":"null"},{"type":"array","items":{"type":"integer"}}]}},'
    b'"$defs":{"B":{"properties":{"x":{"const":true},"again":{"$ref":"#/$defs/B"}}}}}'
)


def json_schemas() -> Target:
    """JSON Schemas, of which a mapping is made."""
    place = folder()
    file = place / "case.json"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        made = sides({"kind": "json", "schema": "case.json"}, place, "from")
        assert made.request.describe()
        _same(made.request, _record(b'{"a":"1","c":[{"d":1}],"f":[1]}', "json"))

    words = (
        *(
            b'"$ref":"#/$defs/B"',
            b'"$ref":"#"',
            b'"$ref":"http://x"',
            b'"items"',
            b'"type":"array"',
            b"[]",
        ),
        *(
            b'"properties":{',
            b'"anyOf":[',
            b'"enum":[',
            b'"const":',
            b'"required":',
            b'"oneOf"',
            b"null",
        ),
        *(
            b'"type":["string","null"]',
            b'"type":',
            b'{"',
            b"}",
            b'"":{}',
            b'"a.b":{}',
            b'"#/$defs/~1~0"',
        ),
    )
    return Target((_SCHEMA,), (*words, *_JSON_WORDS), read)


def delimited() -> Target:
    """Lines of columns."""
    columns = {"kind": "delimited", "columns": ["id", "name", "note?"]}
    tables: list[dict[str, object]] = [
        {**columns, "delimiter": ";"},
        {**columns, "answer": ["x", "y"]},
        {**columns, "delimiter": "|", "quote": "", "encoding": "latin-1"},
        {**columns, "encoding": "utf-16"},
        {**columns, "encoding": "shift_jis", "quote": "'"},
    ]
    made = [_target(table, (), ()) for table in tables]

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (
        b'7;"Ann ""A""; x";n\r\n',
        b"7,a,b\n",
        b"7|a|",
        "7,ä,'b'".encode("utf-16"),
        b'"7","",""',
    )
    return Target(
        seeds, (b'"', b'""', b";", b",", b"|", b"\r", b"\n", b"'", b"\xa0", b"\x1a"), read
    )


def forms() -> Target:
    """Forms, percent-encoded and as JSON."""
    made = [
        _target({"kind": "form", "fields": ["name", "note?", "tag[]"], **more}, (), ())
        for more in (
            {},
            {"answer": ["ok", "why[]"]},
            {"encoding": "latin-1"},
            {"encoding": "utf-16"},
        )
    ]

    def read(case: bytes) -> None:
        made[crc32(case) % len(made)].read(case)

    seeds = (
        b"tag=a+b&name=J%c3%BCrg&tag=c&note=",
        b'{"name": "a", "note": "b", "tag": ["c"]}',
        b"name=%FF",
    )
    return Target(
        seeds,
        (b"&", b"=", b"%", b"%2", b"+", b"tag=", b"name", b"%00", b"%C3", *_JSON_WORDS[:8]),
        read,
    )


def headers() -> Target:
    """Names and values, one a line, beside a body."""
    shapes = [
        sides(table, Path(), "from").request
        for table in (
            {
                "kind": "headers",
                "headers": ["X-Tenant", "x-tag[]", "x-note?"],
                "transport": ["host", "content-*"],
            },
            {"kind": "json", "fields": ["a"], "headers": ["x-tenant", "content-type?"]},
        )
    ]

    def read(case: bytes) -> None:
        head, _, body = case.partition(b"\n\n")
        lines = head.decode("utf-8", "surrogateescape").split("\n")
        pairs = tuple((name, value) for name, _, value in (line.partition(":") for line in lines))
        record = Record(source="fuzz", position="1", kind="x", body=body, headers=pairs)
        for shape in shapes:
            _same(shape, record)

    seeds = (
        b'x-tenant:t\nX-TAG:a\nx-tag:b\nX-Note:\nContent-Length:8\n\n{"a": "1"}',
        b"X-Tenant:t\n\n{}",
    )
    return Target(
        seeds, (b"\n", b":", b"x-tag", b"Host:h", b"content-*", b"[!a", *_JSON_WORDS[:8]), read
    )


_BOOK: Final = """\
       01  CLAIM.
           05  NO        PIC 9(6).
           05  KIND      PIC X.
           05  AMOUNT    PIC S9(7)V99 COMP-3.
           05  PERSON.
               10  NAME  PIC X(8).
           05  FIRM REDEFINES PERSON.
               10  REG   PIC 9(8).
           05  LINE-CNT  PIC 9.
           05  FILLER    PIC X(2).
           05  LINES OCCURS 0 TO 3 TIMES DEPENDING ON LINE-CNT.
               10  SKU   PIC X(3).
               10  QTY   PIC S9(3) COMP.
"""


def copybook() -> Target:
    """Records of a copybook; the first byte says how they are read."""
    place = folder()
    (place / "c.cpy").write_text(_BOOK, "utf-8")
    plain: dict[str, object] = {"kind": "copybook", "schema": "c.cpy"}
    rules = {"PERSON": "KIND = 'P'", "FIRM": "KIND != 'P'"}
    made = [
        _target({**plain, **more}, (), (), place, apart=False)
        for more in (
            {"rules": rules},
            {"encoding": "ascii", "digits": ["NO"], "rules": rules},
            {"occurs": "shift", "invalid": "error", "rules": rules},
            {"occurs": "pad", "trim": "none", "answer": "c.cpy"},
        )
    ]

    def read(case: bytes) -> None:
        if case:
            made[case[0] % len(made)].read(case[1:])

    text = "000017PxxxxxAnna    2  abc\0\1def\0\2xxxxx"
    amount = b"\x00\x01\x23\x45\x6c"
    seeds = [
        bytes([number]) + text.encode(page).replace("x".encode(page) * 5, amount, 1)
        for number, page in enumerate(("cp037", "ascii", "cp037", "cp037"))
    ]
    words = (
        b"\x40" * 4,
        b"\xf0",
        b"\xf3",
        b"\x00" * 5,
        b"\x12\x3d",
        b"3",
        b"P",
        b"\xd7",
        b"\xff\xff",
        b" ",
    )
    return Target(seeds, words, read)
