"""Checking against the XML Schema, as an option."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from stranglerfig.acl.formats.soap import soap
from stranglerfig.acl.formats.xml import xml
from stranglerfig.errors import ConfigError
from stranglerfig.model import Record

GOOD = (" 1980-02-29 ", "1980-02-29")


def problems(order: SimpleNamespace, *changes: tuple[str, str]):
    text = order.message
    for old, new in (GOOD, *changes):
        assert old in text
        text = text.replace(old, new, 1)
    return order.checked.read(order.record(text))[1]


def test_a_valid_message_has_no_problems(order: SimpleNamespace):
    assert list(problems(order)) == []
    written = order.checked.write(order.values, order.record(""))
    assert list(order.checked.read(order.record(written))[1]) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "message", "expected"),
    [
        (">12.50<", ">SECRET<", "total", "does not fit", "the atomic type"),
        ("<channel/>", "<channel>SECRET</channel>", "channel", "does not fit", "{'web', 'phone'}"),
        ('version="1.0"', 'version="SECRET"', "Order.@version", "does not fit", ""),
        ("<number>17</number>", "", "channel", "not expected", ""),
        (' no="1"', "", "part", "'no' is required but missing", ""),
        (' no="1"', ' no="SECRET"', "part.@no", "does not fit", "the atomic type"),
        ("<lines>", "<lines>SECRET", "lines", "Character content", ""),
        ("<sku>A</sku>", "", "quantity", "not expected", ""),
    ],
)
def test_what_does_not_fit_is_named_without_its_value(
    order: SimpleNamespace, old: str, new: str, path: str, message: str, expected: str
):
    strays = problems(order, (old, new))
    assert strays[0].path == path
    assert strays[0].broken
    assert strays[0].at.startswith("line ")
    assert message in strays[0].message
    assert expected in strays[0].expected
    assert "SECRET" not in str(strays)


def test_many_problems_are_bounded(order: SimpleNamespace):
    wrong = "".join(f"<up>SECRET{n}</up>" for n in range(5000))
    strays = problems(order, ("<up>1</up>", wrong))
    assert len(strays) == 20


def test_many_threads_each_get_their_own_problems(order: SimpleNamespace):
    found: dict[int, set[int]] = {0: set(), 1: set()}

    def work(kind: int) -> None:
        change = [(">12.50<", ">x<")] if kind else []
        found[kind] |= {len(problems(order, *change)) for _ in range(50)}

    threads = [threading.Thread(target=work, args=(n % 2,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: {0}, 1: {1}}


def test_the_digest_follows_the_schema_only_where_it_is_asked(order: SimpleNamespace):
    assert order.checked.describe() != order.xml.describe()
    assert order.checked.describe() == order.shape(validate=True).describe()


WSDL = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:a="urn:a"
  xmlns:b="urn:b" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a">
<wsdl:types>
 <xs:schema targetNamespace="urn:a" elementFormDefault="qualified">
  <xs:import namespace="urn:b"/>
  <xs:element name="M"><xs:complexType><xs:sequence>
   <xs:element name="x" type="b:Short"/><xs:element name="y" type="a:Other"/>
  </xs:sequence></xs:complexType></xs:element>
 </xs:schema>
 <xs:schema targetNamespace="urn:a">
  <xs:simpleType name="Other"><xs:restriction base="xs:int"/></xs:simpleType>
 </xs:schema>
 <xs:schema targetNamespace="urn:b"><xs:include schemaLocation="short.xsd"/>
  <xs:import namespace="urn:a"/><xs:element name="z" type="a:Other"/></xs:schema>
</wsdl:types></wsdl:definitions>"""
SHORT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:maxLength value="3"/>
</xs:restriction></xs:simpleType></xs:schema>"""


def test_schemas_of_a_wsdl_are_compiled_together(tmp_path: Path, order: SimpleNamespace):
    (tmp_path / "s.wsdl").write_text(WSDL)
    (tmp_path / "short.xsd").write_text(SHORT)
    table = {"kind": "soap", "schema": "s.wsdl", "element": "{urn:a}M", "validate": True}
    shape = soap(table, tmp_path, "m.toml: from").request

    def read(x: str, y: str):
        text = f'<M xmlns="urn:a"><x>{x}</x><y>{y}</y></M>'
        return shape.read(order.record(order.wrapped(text)))

    assert read("abc", "1") == ({"x": "abc", "y": "1"}, ())
    assert "maximum length" in read("abcd", "1")[1][0].expected
    assert [stray.path for stray in read("abc", "z")[1]] == ["y"]


@pytest.mark.parametrize(
    "broken",
    [
        (
            '<xs:sequence><xs:element name="a" type="xs:int" minOccurs="0"/>'
            '<xs:element name="a" type="xs:int"/></xs:sequence>'
        ),
        '<xs:attribute name="a" default="x" type="xs:int"/>',
    ],
)
def test_a_schema_that_cannot_be_compiled_says_so(tmp_path: Path, broken: str):
    (tmp_path / "s.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="M">'
        f"<xs:complexType>{broken}</xs:complexType></xs:element></xs:schema>"
    )
    table = {"kind": "xml", "schema": "s.xsd", "element": "M"}
    xml(table, tmp_path, "m.toml: from")
    with pytest.raises(ConfigError, match="cannot be compiled") as caught:
        xml({**table, "validate": True}, tmp_path, "m.toml: from")
    assert caught.value.remedy


def test_names_of_any_script_may_stand_in_a_schema(tmp_path: Path):
    text = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:annotation><xs:appinfo><größe/></xs:appinfo></xs:annotation>
<xs:element name="maß"><xs:complexType><xs:sequence><xs:element name="länge" type="xs:int"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
    (tmp_path / "t.xsd").write_text(text, "utf-8")
    table = {"kind": "xml", "schema": "t.xsd", "element": "maß", "validate": True}
    shape = xml(table, tmp_path, "from").request
    body = "<maß><länge>7</länge></maß>".encode()
    values, strays = shape.read(Record(source="s", position="1", kind="xml", body=body))
    assert values == {"länge": "7"}
    assert not list(strays)
