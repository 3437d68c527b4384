"""Schemas: what of them a mapping gets to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from stranglerfig.acl.xml.check import check_of
from stranglerfig.acl.xml.element import Element
from stranglerfig.acl.xml.reader import reader
from stranglerfig.acl.xml.schema import load_schema
from stranglerfig.acl.xml.tree import message
from stranglerfig.acl.xml.writer import writer
from stranglerfig.errors import ConfigError

HEAD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t"'
    ' targetNamespace="urn:t" elementFormDefault="qualified">'
)


def tree(folder: Path, schema: str, name: str = "{urn:t}M", **files: str) -> Element:
    (folder / "s.xsd").write_text(HEAD + schema + "</xs:schema>")
    for file, text in files.items():
        (folder / f"{file}.xsd").write_text(text)
    return message(load_schema(folder / "s.xsd"), name, "m.toml: from.element")


def complex_message(inner: str) -> str:
    return f'<xs:element name="M"><xs:complexType>{inner}</xs:complexType></xs:element>'


def described(root: Element) -> dict[str, str]:
    """Give each path with ? for optional, * for repeated, ! for opaque, ~ for collapsing."""
    marks: dict[str, str] = {}
    for node in root.walk():
        if node is not root:
            mark = "" if node.required else "?"
            mark += ("*" if node.repeated else "") + ("!" if node.opaque else "")
            marks[node.path] = mark + ("~" if node.collapse else "")
        for one in node.attributes:
            marks[one.path] = ("" if one.required else "?") + ("~" if one.collapse else "")
    return marks


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (
            (
                '<xs:sequence><xs:element name="a" type="xs:string"/>'
                '<xs:element name="b" type="xs:int" minOccurs="0"/>'
                '<xs:element name="c" type="xs:date" maxOccurs="9"/></xs:sequence>'
            ),
            {"a": "", "b": "?~", "c[]": "*~"},
        ),
        (
            (
                '<xs:choice><xs:element name="a" type="xs:string"/><xs:sequence>'
                '<xs:element name="b" type="xs:string"/></xs:sequence></xs:choice>'
            ),
            {"a": "?", "b": "?"},
        ),
        (
            (
                '<xs:sequence><xs:element name="a" type="xs:string" minOccurs="0"/>'
                '<xs:element name="b" type="xs:string"/>'
                '<xs:element name="a" type="xs:string" minOccurs="0"/></xs:sequence>'
            ),
            {"a[]": "?*", "b": ""},
        ),
        (
            (
                '<xs:sequence><xs:element name="g" minOccurs="0" maxOccurs="9"><xs:complexType>'
                '<xs:sequence><xs:element name="a" type="xs:string" maxOccurs="2"/></xs:sequence>'
                '<xs:attribute name="b"/></xs:complexType></xs:element></xs:sequence>'
            ),
            {"g[]": "?*", "g[].a[]": "*", "g[].@b": "?"},
        ),
        (
            (
                '<xs:sequence><xs:element name="f" minOccurs="0"><xs:complexType/></xs:element>'
                '<xs:element name="g"><xs:complexType/></xs:element></xs:sequence>'
            ),
            {"f": "?", "g": ""},
        ),
        (
            (
                '<xs:choice><xs:sequence><xs:element name="a" type="xs:string"/>'
                '<xs:element name="b" type="xs:string"/></xs:sequence>'
                '<xs:element name="a" type="xs:string"/></xs:choice>'
            ),
            {"a": "?", "b": "?"},
        ),
        ('<xs:all><xs:element name="a" type="xs:token"/></xs:all>', {"a": "~"}),
        (
            (
                '<xs:sequence maxOccurs="unbounded"><xs:element name="a" type="xs:string"/>'
                "</xs:sequence>"
            ),
            {"a[]": "*"},
        ),
        (
            '<xs:sequence minOccurs="0"><xs:element name="a" type="xs:string"/></xs:sequence>',
            {"a": "?"},
        ),
        (
            (
                '<xs:sequence><xs:any/><xs:element name="x"/>'
                '<xs:element name="y" type="xs:anyType"/></xs:sequence>'
            ),
            {"*": "?*!", "x": "!", "y": "!"},
        ),
        (
            (
                '<xs:sequence><xs:element name="x"><xs:complexType mixed="true"/></xs:element>'
                "</xs:sequence>"
            ),
            {"x": "!"},
        ),
        (
            (
                '<xs:sequence/><xs:attribute name="a" type="xs:int" use="required"/>'
                '<xs:attribute name="b"/><xs:attribute name="c" use="prohibited"/>'
            ),
            {"@a": "~", "@b": "?"},
        ),
        (
            (
                '<xs:sequence><xs:element name="g"><xs:complexType><xs:sequence>'
                '<xs:element name="a" type="xs:string"/>'
                "</xs:sequence></xs:complexType></xs:element>"
                "</xs:sequence>"
            ),
            {"g": "", "g.a": ""},
        ),
        (
            (
                '<xs:sequence><xs:element name="v"><xs:complexType><xs:simpleContent>'
                '<xs:extension base="xs:decimal"><xs:attribute name="cur"/></xs:extension>'
                "</xs:simpleContent></xs:complexType></xs:element></xs:sequence>"
            ),
            {"v": "~", "v.@cur": "?"},
        ),
    ],
)
def test_particles(tmp_path: Path, inner: str, expected: dict[str, str]):
    assert described(tree(tmp_path, complex_message(inner))) == expected


def test_named_types_groups_and_references(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:simpleType name="Code"><xs:restriction base="xs:string">'
        '<xs:whiteSpace value="collapse"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="List"><xs:list itemType="xs:int"/></xs:simpleType>'
        '<xs:complexType name="Base"><xs:sequence><xs:element name="a" type="t:Code"/>'
        '</xs:sequence><xs:attribute name="id"/></xs:complexType>'
        '<xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base">'
        '<xs:sequence><xs:group ref="t:G" minOccurs="0"/></xs:sequence>'
        '<xs:attributeGroup ref="t:AG"/></xs:extension></xs:complexContent></xs:complexType>'
        '<xs:group name="G"><xs:sequence><xs:element ref="t:b"/></xs:sequence></xs:group>'
        '<xs:attributeGroup name="AG"><xs:attribute ref="t:at"/></xs:attributeGroup>'
        '<xs:attribute name="at" type="xs:string"/>'
        '<xs:element name="b" type="t:List"/>'
        '<xs:element name="M" type="t:More"/>',
    )
    assert described(root) == {"@id": "?", "@at": "?", "a": "~", "b": "?~"}
    assert [one.tag for one in root.attributes] == ["id", "{urn:t}at"]
    assert [child.tag for child in root.children] == ["{urn:t}a", "{urn:t}b"]


def test_a_type_inside_itself_is_opaque(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:complexType name="T"><xs:sequence><xs:element name="a" type="xs:string"/>'
        '<xs:element name="t" type="t:T" minOccurs="0"/></xs:sequence></xs:complexType>'
        '<xs:element name="M" type="t:T"/>',
    )
    assert described(root) == {"a": "", "t": "?!"}


def test_an_element_inside_itself_is_opaque(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:element name="M"><xs:complexType><xs:sequence><xs:element ref="t:M" minOccurs="0"/>'
        '<xs:element name="a" type="xs:string"/></xs:sequence></xs:complexType></xs:element>',
    )
    assert described(root) == {"M": "?!", "a": ""}


def test_members_of_a_substitution_group_stand_for_its_head(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:element name="pay" abstract="true"/>'
        '<xs:element name="card" substitutionGroup="t:pay" type="xs:string"/>'
        '<xs:element name="bank" substitutionGroup="t:pay" type="xs:string"/>'
        '<xs:element name="iban" substitutionGroup="t:bank" type="xs:string"/>'
        + complex_message(
            '<xs:sequence><xs:element ref="t:pay" maxOccurs="2"/><xs:element ref="t:bank"/>'
            "</xs:sequence>"
        ),
    )
    assert described(root) == {"card[]": "?*", "bank[]": "?*", "iban[]": "?*"}


TYPES = (
    '<xs:complexType name="Pay" abstract="true"><xs:sequence><xs:element name="sum" type="xs:int"/>'
    '</xs:sequence></xs:complexType><xs:complexType name="Card"><xs:complexContent>'
    '<xs:extension base="t:Pay"><xs:sequence><xs:element name="pan" type="xs:string"/>'
    "</xs:sequence></xs:extension></xs:complexContent></xs:complexType>"
) + complex_message('<xs:sequence><xs:element name="pay" type="t:Pay"/></xs:sequence>')


def test_a_type_may_be_chosen_for_an_abstract_one(tmp_path: Path):
    assert described(tree(tmp_path, TYPES)) == {"pay": "!"}
    chosen = {"{urn:t}Pay": "{urn:t}Card"}
    root = message(load_schema(tmp_path / "s.xsd"), "{urn:t}M", "m.toml: from", chosen)
    assert described(root) == {"pay": "", "pay.sum": "~", "pay.pan": ""}
    written = writer(root)({"pay.sum": "1", "pay.pan": "2"})
    assert 'xsi:type="n1:Card"' in written or 'xsi:type="Card"' in written
    validator = etree.XMLSchema(etree.parse(tmp_path / "s.xsd"))
    element = etree.fromstring(written)
    assert validator.validate(element), validator.error_log
    values, strays = {}, []
    reader(root)(element, values, strays)
    assert (values, strays) == ({"pay.sum": "1", "pay.pan": "2"}, [])
    other = etree.fromstring(written.replace("Card", "Cash"))
    reader(root)(other, {}, strays)
    assert [stray.message for stray in strays] == ["is of another type (xsi:type)"]
    with pytest.raises(ConfigError, match="Nope"):
        message(load_schema(tmp_path / "s.xsd"), "{urn:t}M", "m", {"{urn:t}Pay": "{urn:t}Nope"})


def test_attributes_of_xml_itself_are_known(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:import namespace="http://www.w3.org/XML/1998/namespace"'
        ' schemaLocation="http://www.w3.org/2001/xml.xsd"/>'
        + complex_message('<xs:sequence/><xs:attribute ref="xml:lang" use="required"/>'),
    )
    assert described(root) == {"@lang": ""}
    assert writer(root)({"@lang": "de"}) == '<M xmlns="urn:t" xml:lang="de"></M>'


def test_defaults_and_fixed_values_are_known(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:attribute name="g" type="xs:string" default="x"/>'
        + complex_message(
            '<xs:sequence><xs:element name="a" type="xs:string" default="1"/>'
            '<xs:element name="b" type="xs:string" fixed="2"/></xs:sequence>'
            '<xs:attribute name="c" default="3"/><xs:attribute name="d" fixed="4"/>'
            '<xs:attribute ref="t:g"/>'
        ),
    )
    known = {one.path: (one.default, one.fixed) for one in [*root.children, *root.attributes]}
    assert known == {
        "a": ("1", False),
        "b": ("2", True),
        "@c": ("3", False),
        "@d": ("4", True),
        "@g": ("x", False),
    }


RPC = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:d"
  xmlns:d="urn:d" xmlns:t="urn:t" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema">
<types><xs:schema targetNamespace="urn:t"><xs:complexType name="Who"><xs:sequence>
 <xs:element name="name" type="xs:string"/></xs:sequence></xs:complexType></xs:schema></types>
<message name="In"><part name="who" type="t:Who"/><part name="loud" type="xs:boolean"/></message>
<message name="Out"><part name="said" type="xs:string"/></message>
<portType name="P"><operation name="greet"><input message="d:In"/><output message="d:Out"/>
</operation></portType>
<binding name="B" type="d:P">
 <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
 <operation name="greet"><input><soap:body use="literal" namespace="urn:w"/></input>
 <output><soap:body use="literal" namespace="urn:w"/></output></operation></binding>
</definitions>"""


def test_rpc_messages_have_a_wrapper(tmp_path: Path):
    (tmp_path / "s.wsdl").write_text(RPC)
    schema = load_schema(tmp_path / "s.wsdl")
    asked = message(schema, "{urn:w}greet", "m")
    assert described(asked) == {"who": "", "who.name": "", "loud": "~"}
    assert [child.tag for child in asked.children] == ["who", "loud"]
    assert described(message(schema, "{urn:w}greetResponse", "m")) == {"said": ""}
    check = check_of(schema)
    element = etree.fromstring(writer(asked)({"who.name": "Ann", "loud": "true"}))
    assert check.problems(element) == []
    element[1].text = "perhaps"
    assert [one.path for one in check.problems(element)] == ["loud"]


def test_rpc_with_encoded_parts_is_not_read(tmp_path: Path):
    (tmp_path / "s.wsdl").write_text(RPC.replace('use="literal"', 'use="encoded"'))
    with pytest.raises(ConfigError):
        message(load_schema(tmp_path / "s.wsdl"), "{urn:w}greet", "m")


def test_files_beside_it_are_included(tmp_path: Path):
    root = tree(
        tmp_path,
        '<xs:include schemaLocation="same.xsd"/>'
        '<xs:import namespace="urn:o" schemaLocation="other.xsd"/>'
        '<xs:element name="M" type="t:T"/>',
        same='<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:o">'
        '<xs:include schemaLocation="s.xsd"/><xs:complexType name="T"><xs:sequence>'
        '<xs:element ref="o:e"/></xs:sequence></xs:complexType></xs:schema>',
        other='<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o">'
        '<xs:element name="e" type="xs:string"/></xs:schema>',
    )
    assert [child.tag for child in root.children] == ["{urn:o}e"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ('<xs:element name="N" type="xs:string"/>', "{urn:t}N"),
        ('<xs:element name="M" type="t:Nope"/>', "complexType"),
        ('<xs:element name="M" type="u:Nope"/>', "prefix"),
        ('<xs:include schemaLocation="http://127.0.0.1:1/x.xsd"/>', "nothing is fetched"),
        ('<xs:include schemaLocation="gone.xsd"/>', "cannot be read"),
        ('<xs:redefine schemaLocation="s.xsd"/>', "xs:include"),
        (
            (
                '<xs:simpleType name="S"><xs:restriction base="t:S"/></xs:simpleType>'
                '<xs:element name="M" type="t:S"/>'
            ),
            "without an end",
        ),
        (
            (
                '<xs:complexType name="T"><xs:complexContent><xs:extension base="t:T"/>'
                '</xs:complexContent></xs:complexType><xs:element name="M" type="t:T"/>'
            ),
            "extends itself",
        ),
        (
            '<xs:group name="G"><xs:sequence><xs:group ref="t:G"/></xs:sequence></xs:group>'
            + complex_message('<xs:group ref="t:G"/>'),
            "group inside itself",
        ),
        (
            complex_message(
                '<xs:sequence><xs:element name="a.b" type="xs:string"/><xs:element name="a">'
                '<xs:complexType><xs:sequence><xs:element name="b" type="xs:string"/>'
                "</xs:sequence></xs:complexType></xs:element></xs:sequence>"
            ),
            "one name",
        ),
        (complex_message('<xs:sequence><xs:element name="a}b"/></xs:sequence>'), "not a name"),
        (complex_message('<xs:attribute name=""/>'), "not a name"),
        ("<xs:element", "well-formed"),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, schema: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        tree(tmp_path, schema)
    assert expected in str(caught.value)
    assert caught.value.place


@pytest.mark.parametrize("text", ["<x/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", ""])
def test_only_schemas_are_read(tmp_path: Path, text: str):
    (tmp_path / "s.wsdl").write_text(text)
    with pytest.raises(ConfigError):
        load_schema(tmp_path / "s.wsdl")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_schema(tmp_path)


def test_a_tree_that_grows_without_measure_is_refused(tmp_path: Path):
    levels = "".join(
        f'<xs:complexType name="T{n}"><xs:sequence>'
        + "".join(f'<xs:element name="e{m}" type="t:T{n + 1}"/>' for m in range(10))
        + "</xs:sequence></xs:complexType>"
        for n in range(8)
    )
    last = '<xs:complexType name="T8"><xs:sequence/></xs:complexType>'
    with pytest.raises(ConfigError, match="too large"):
        tree(tmp_path, levels + last + '<xs:element name="M" type="t:T0"/>')
