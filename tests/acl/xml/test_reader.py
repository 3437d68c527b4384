"""Reading and writing: lists, attributes, nil, defaults, namespaces."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from stranglerfig.acl.formats.xml import xml
from stranglerfig.model import Record

LEAVES = {
    "@version", "@source", "number", "channel", "total", "total.@currency", "closed", "buyer.name",
    "buyer.born", "tag[]", "note[].#text", "note[].@lang", "mark[]", "lines.line[].@id",
    "lines.line[].sku", "lines.line[].quantity", "lines.line[].part[].@no",
    "lines.line[].part[].serial[]", "lines.line[].part[].weight", "lines.line[].gift.card",
    "lines.line[].gift.paper", "extra.*", "up[]", "down[]", "urgent",
}  # fmt: skip


def test_a_message_is_read_whole(order: SimpleNamespace):
    values, strays = order.xml.read(order.record(order.message))
    assert values == order.values
    assert list(strays) == []
    assert order.valid(order.message.replace(" 1980-02-29 ", "1980-02-29"))


def test_a_soap_message_reads_the_same(order: SimpleNamespace):
    values, strays = order.soap.read(order.record(order.wrapped(order.message)))
    assert (values, list(strays)) == (order.values, [])


def test_leaves_are_named_with_their_lists(order: SimpleNamespace):
    leaves = {leaf.path: leaf for leaf in order.xml.leaves}
    assert set(leaves) == LEAVES
    assert {path for path, leaf in leaves.items() if leaf.opaque} == {"extra.*"}
    assert {path for path, leaf in leaves.items() if leaf.nullable} == {
        "closed", "mark[]", "lines.line[].part[].weight",
    }  # fmt: skip
    # What an entry needs, it needs in itself; what is fixed is written without being asked for.
    assert leaves["lines.line[].sku"].required
    assert not leaves["lines.line[].gift.card"].required
    assert not leaves["@version"].required
    assert leaves["buyer.name"].required


def test_what_is_written_is_valid_and_reads_the_same(order: SimpleNamespace):
    written = order.xml.write(order.values, order.record(""))
    assert order.valid(written), order.why.error_log
    values, strays = order.xml.read(order.record(written))
    assert (values, list(strays)) == (order.values, [])


def test_what_is_fixed_is_written_anyway_and_nothing_else(order: SimpleNamespace):
    least = {"number": "1", "channel": "web", "total": "1", "buyer.name": "A"}
    written = order.xml.write(least, order.record(""))
    assert order.valid(written), order.why.error_log
    assert b'version="1.0"' in written
    with pytest.raises(ValueError, match=r"fixed value '1.0'"):
        order.xml.write({**least, "@version": "2.0"}, order.record(""))


def test_a_nil_that_may_not_be_is_refused_in_a_list(order: SimpleNamespace):
    with pytest.raises(ValueError, match=r"each entry of tag\[\]"):
        order.xml.write({"tag[]": ["a", None]}, order.record(""))


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("<sku>A</sku>", "<sku>A</sku><sku>A</sku>", "lines.line[].sku", "stands twice"),
        ("<sku>A</sku>", "<sku>A<b/></sku>", "lines.line[].sku", "holds elements"),
        ("<sku>A</sku>", "<sku>A</sku>text", "lines.line[]", "text outside any field"),
        ("<sku>A</sku>", "<sku x='1'>A</sku>", "lines.line[].sku.@x", "is not in the schema"),
        ("<sku>A</sku>", "<sku>A</sku><y/>", "lines.line[].{urn:o}y", "is not in the schema"),
        ("<tag>a</tag>", "<tag z='1'>a</tag>", "tag[].@z", "is not in the schema"),
        ("<lines>", "<lines/><lines>", "lines", "stands twice"),
        ('<line id="x">', '<line id="x" iq="">', "lines.line[].@iq", "is not in the schema"),
        ("<name>Ann &amp; Bo</name>", "<p:name>A</p:name>", "buyer.{urn:p}name", "is not in"),
    ],
)
def test_what_has_no_place_is_named(
    order: SimpleNamespace, old: str, new: str, path: str, message: str
):
    assert old in order.message
    _, strays = order.xml.read(order.record(order.message.replace(old, new, 1)))
    assert [stray.path for stray in strays] == [path]
    assert message in strays[0].message
    assert strays[0].at.startswith("line ")


def test_places_give_the_line_of_each_value(order: SimpleNamespace):
    places = order.xml.places(order.record(order.message))
    assert places["number"] == "line 2"
    assert places["@version"] == "line 1"
    assert places["lines.line[0].sku"] == "line 13"
    assert places["lines.line[1].sku"] == "line 15"
    assert places["lines.line[1].part[1].@no"] == "line 17"
    assert places["lines.line[1].part[0].serial[1]"] == "line 16"
    assert places["note[0].@lang"] == places["note[0].#text"] == "line 9"
    assert places["tag[1]"] == "line 8"


def test_white_space_is_that_of_xml_only(order: SimpleNamespace):
    text = order.message.replace("<serial>s 1</serial>", "<serial>\n a \t\u00a0b </serial>")
    values, _ = order.xml.read(order.record(text))
    assert values["lines.line[]"][1]["part[]"][0]["serial[]"][0] == "a \u00a0b"


def test_a_list_of_another_prefix_is_the_same(order: SimpleNamespace):
    text = order.message
    for name in ("number", "line", "lines", "sku"):
        text = text.replace(f"<{name}>", f"<q:{name} xmlns:q='urn:o'>")
        text = text.replace(f"</{name}>", f"</q:{name}>")
        text = text.replace(f"<{name} id", f"<q:{name} xmlns:q='urn:o' id")
    assert order.xml.read(order.record(text))[0] == order.values


def test_a_message_of_strays_is_bounded(order: SimpleNamespace):
    many = " ".join(f'a{n}="1"' for n in range(900))
    inner = "".join(f"<x{n}/>" for n in range(50_000))
    body = f'<Order xmlns="urn:o" {many}>{inner}</Order>'
    _, strays = order.xml.read(order.record(body))
    assert len(strays) == 1000
    assert strays[-1].broken


@pytest.mark.parametrize("where", ["Order", "number", "total", "tag", "line id"])
def test_attributes_beyond_measure_are_refused(order: SimpleNamespace, where: str):
    many = " ".join(f'a{n}="1"' for n in range(100_000))
    old, _, rest = f"<{where}".partition(" ")
    text = order.message.replace(f"{old} {rest}".rstrip(), f"{old} {many} {rest}".rstrip(), 1)
    _, strays = order.xml.read(order.record(text))
    assert strays[-1].broken or len(strays) == 1000


def test_an_empty_text_is_not_written_where_it_would_mean_the_default(tmp_path: Path):
    text = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a">
<xs:complexType><xs:sequence><xs:element name="b" type="xs:string" default="d"/>
<xs:element name="c" type="xs:string" default="d" minOccurs="0" maxOccurs="9"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
    (tmp_path / "t.xsd").write_text(text, "utf-8")
    shape = xml({"kind": "xml", "schema": "t.xsd", "element": "a"}, tmp_path, "from").request
    record = Record(source="s", position="1", kind="xml", body=b"<a><b>x</b><c/></a>")
    assert shape.read(record)[0] == {"b": "x", "c[]": ["d"]}
    for change in ({"b": ""}, {"b": "x", "c[]": [""]}):
        with pytest.raises(ValueError, match="an empty one means 'd'"):
            shape.patch(change, record)
        with pytest.raises(ValueError, match="an empty one means 'd'"):
            shape.write(change, record)
    assert shape.patch({"b": " "}, record) == b"<a><b> </b><c/></a>"


def test_a_text_that_looks_like_an_attribute_is_patched_as_text():
    table = {"kind": "xml", "root": "a", "leaves": ["b", "c.@d", "c"]}
    shape = xml(table, Path(), "from").request
    body = b"""<a ><b >x="1">y</b><c d='>' >d="2"></c></a >"""
    record = Record(source="s", position="1", kind="xml", body=body)
    assert shape.read(record)[0] == {"b": 'x="1">y', "c.@d": ">", "c": 'd="2">'}
    assert shape.patch({"b": "z"}, record) == body.replace(b'x="1">y', b"z")
    assert shape.patch({"c": "z"}, record) == body.replace(b'd="2">', b"z")
