"""Patching: what is not changed keeps its bytes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.envelope import SOAP11, read
from stranglerfig.acl.xml.element import Attribute, Element
from stranglerfig.acl.xml.patch import Patcher
from stranglerfig.acl.xml.reader import reader

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def leaf(path: str, **parts: object) -> Element:
    name = path.rpartition(".")[2]
    return Element(tag=f"{{urn:d}}{name}", path=path, required=False, text=True, **parts)


def attribute(path: str, tag: str = "") -> Attribute:
    name = tag or path.rpartition("@")[2]
    return Attribute(tag=name, path=path, required=False, collapse=False, line=0)


ROOT = Element(
    tag="{urn:d}M",
    path="",
    attributes=(attribute("@at"),),
    children=(
        leaf("a", attributes=(attribute("a.@x"), attribute("a.@q", "{urn:q}q"))),
        Element(tag="{urn:d}g", path="g", children=(leaf("g.b"), leaf("g.c", nillable=True))),
        Element(tag="plain", path="plain", text=True),
        Element(tag="{urn:d}r", path="r", repeated=True, text=True),
        leaf("z"),
    ),
)
READ = reader(ROOT)
PATCHER = Patcher(ROOT, enveloped=True)


def patch(body: bytes, encoding: str, changes: dict[str, object]) -> bytes:
    def held():
        values: dict[str, object] = {}
        READ(read(body).body_child, values, [])
        return values

    return PATCHER.patch(body, encoding, changes, held)


def wrap(inner: str) -> str:
    return (
        f'<?xml version="1.0"?><!-- <M xmlns="urn:d"/> --><s:Envelope xmlns:s="{SOAP11}">'
        f'<s:Header><M xmlns="urn:d"><a>not this</a></M></s:Header><s:Body> {inner}</s:Body>'
        "</s:Envelope>\n<!-- end -->"
    )


def changed(inner: str, **changes: str | None) -> str:
    named = {name.replace("_", "."): value for name, value in changes.items()}
    start, _, end = wrap("\0").partition("\0")
    text = patch(wrap(inner).encode(), "", named).decode()
    assert text.startswith(start)
    assert text.endswith(end)
    return text[len(start) : len(text) - len(end)]


@pytest.mark.parametrize(
    ("inner", "changes", "expected"),
    [
        (
            "<d:M xmlns:d='urn:d'><d:a  x = '>' >old</d:a></d:M>",
            {"a": "n<w"},
            "<d:M xmlns:d='urn:d'><d:a  x = '>' >n&lt;w</d:a></d:M>",
        ),
        ('<M xmlns="urn:d"><a/></M>', {"a": "v"}, '<M xmlns="urn:d"><a>v</a></M>'),
        ('<M xmlns="urn:d"><a></a></M>', {"a": "v"}, '<M xmlns="urn:d"><a>v</a></M>'),
        ('<M xmlns="urn:d"><a >o<!-- c --></a></M>', {"a": ""}, '<M xmlns="urn:d"><a ></a></M>'),
        ('<M xmlns="urn:d"><a>o</a>!</M>', {"a": None}, '<M xmlns="urn:d">!</M>'),
        (
            '<M xmlns="urn:d"><z/></M>',
            {"a": "v"},
            '<M xmlns="urn:d"><a>v</a><z/></M>',
        ),
        ('<M xmlns="urn:d"/>', {"z": "v"}, '<M xmlns="urn:d"><z>v</z></M>'),
        (
            '<M xmlns="urn:d"/>',
            {"g.b": "1", "z": "2"},
            '<M xmlns="urn:d"><g><b>1</b></g><z>2</z></M>',
        ),
        (
            '<M xmlns="urn:d"><g/><z/></M>',
            {"g.b": "1", "plain": "2"},
            '<M xmlns="urn:d"><g><b>1</b></g><plain xmlns="">2</plain><z/></M>',
        ),
        (
            f'<M xmlns="urn:d" {XSI}><g><c  xsi:nil="true" k="1"/></g></M>',
            {"g.c": "v"},
            f'<M xmlns="urn:d" {XSI}><g><c k="1">v</c></g></M>',
        ),
        (
            '<M xmlns="urn:d"><a x="1" y="2"/></M>',
            {"a.@x": 'a"b'},
            '<M xmlns="urn:d"><a y="2" x="a&quot;b"/></M>',
        ),
        (
            '<M xmlns="urn:d" at="1"><a x="1"/></M>',
            {"a.@x": None, "@at": None},
            '<M xmlns="urn:d"><a/></M>',
        ),
        ('<M xmlns="urn:d"><z/></M>', {}, '<M xmlns="urn:d"><z/></M>'),
    ],
)
def test_patches(inner: str, changes: dict[str, str | None], expected: str):
    assert changed(inner, **changes) == expected


def test_nothing_and_nil_are_written_as_the_schema_allows():
    text = changed(f'<M xmlns="urn:d" {XSI}><g><c>1</c></g></M>', g_c=None)
    values: dict[str, str | None] = {}
    child = read(wrap(text).encode()).body_child
    assert child is not None
    READ(child, values, [])
    assert values["g.c"] is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_other_encodings_stay_what_they_are(encoding: str):
    declared = encoding.removesuffix("-sig")
    text = wrap('<M xmlns="urn:d"><a>\xe9</a><z>\xfc</z></M>').replace(
        '<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{declared}"?>'
    )
    body = patch(text.encode(encoding), declared, {"a": "€"})
    child = read(body).body_child
    assert child is not None
    assert [one.text for one in child] == ["€", "\xfc"]
    assert body.decode(encoding).startswith(f'<?xml version="1.0" encoding="{declared}"?>')


def test_what_cannot_be_carried_is_refused():
    body = wrap('<M xmlns="urn:d"><a>1</a></M>').encode()
    with pytest.raises(ValueError, match="U\\+0000"):
        patch(body, "", {"a": "\0"})
    with pytest.raises(ValueError, match="encoding"):
        patch(body, "klingon", {"a": "x"})
    with pytest.raises(ValueError, match="in the Body"):
        patch(wrap("<other/>").encode(), "", {"a": "x"})
    with pytest.raises(ValueError, match="well-formed"):
        patch(b"<a", "", {"a": "x"})


TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=5,
)
PATHS = ["@at", "a", "a.@x", "a.@q", "g.b", "g.c", "plain", "z"]
VALUES = st.dictionaries(st.sampled_from(PATHS), TEXT)
INNERS = [
    '<M xmlns="urn:d"/>',
    '<M xmlns="urn:d"> <g/> <z/></M>',
    f'<d:M at="&lt;" xmlns:d="urn:d" {XSI}><d:z>1</d:z><d:g><d:c xsi:nil="1"/></d:g></d:M>',
    '<M xmlns="urn:d" xmlns:q="urn:q"><a q:q="1" x=">">t</a><r/><r/><g><b/></g></M>',
]


def values_of(body: bytes) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    strays: list[object] = []
    child = read(body).body_child
    assert child is not None
    READ(child, values, strays)
    assert strays == []
    return {path: value for path, value in values.items() if not path.endswith("/")}


@given(st.sampled_from(INNERS), VALUES)
def test_whatever_is_put_in_is_read_again(inner: str, changes: dict[str, str]):
    body = wrap(inner).encode()
    after = values_of(patch(body, "", changes))
    before = values_of(body)
    for path in PATHS:
        if path in changes:
            assert after[path] == changes[path]
        elif before.get(path):
            assert after[path] == before[path]


def test_a_record_that_says_the_same_keeps_every_byte(desk: SimpleNamespace, workspace: Path):
    mapping = desk.load("soap")
    record = desk.record(desk.envelope(desk.ask))
    payload = mapping.decode_request(record)
    assert mapping.encode_request(payload, record) == record.body
    assert workspace.exists()
