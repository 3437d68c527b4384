"""The quick way: it gives what the tree gives, or nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.acl.envelope import SOAP11, read
from stranglerfig.acl.xml.quick import Quick
from stranglerfig.acl.xml.reader import reader
from stranglerfig.errors import EnvelopeError

TEXT = st.text(
    st.one_of(
        st.sampled_from("<>&'\"]\r\n\t x"),
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    ),
    max_size=6,
)  # fmt: skip
DIGITS = st.integers(0, 999).map(str)
PART = st.fixed_dictionaries(
    {"@no": DIGITS, "weight": st.one_of(st.none(), DIGITS)},
    optional={"serial[]": st.lists(DIGITS, min_size=1, max_size=2)},
)
LINE = st.fixed_dictionaries(
    {"sku": TEXT},
    optional={
        "@id": TEXT,
        "quantity": DIGITS,
        "part[]": st.lists(PART, min_size=1, max_size=2),
        "gift.card": TEXT,
        "gift.paper": TEXT,
    },
)
ORDER = st.fixed_dictionaries(
    {
        "number": TEXT,
        "channel": st.sampled_from(["web", "phone"]),
        "total": DIGITS,
        "total.@currency": TEXT,
        "buyer.name": TEXT,
    },
    optional={
        "closed": st.sampled_from([None, "2026-11-20"]),
        "tag[]": st.lists(TEXT, min_size=1, max_size=3),
        "note[]": st.lists(
            st.fixed_dictionaries({"@lang": TEXT, "#text": TEXT}), min_size=1, max_size=2
        ),
        "mark[]": st.lists(st.one_of(st.none(), DIGITS), min_size=1, max_size=2),
        "lines.line[]": st.lists(LINE, min_size=1, max_size=3),
        "up[]": st.lists(DIGITS, min_size=1, max_size=2),
        "urgent": st.just(""),
    },
)
SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)


def of_tree(order: SimpleNamespace, body: bytes):
    """Read a document by its tree alone; None where it is refused."""
    root = order.plain._message.root
    try:
        envelope = read(body)
    except EnvelopeError:
        return None
    if envelope.child != root.tag or len(envelope.body) != 1:
        return None
    values: dict[str, object] = {}
    strays: list[object] = []
    reader(root)(envelope.body_child, values, strays)
    return None if strays else values


def quick_of(order: SimpleNamespace, *bodies: bytes) -> Quick:
    """Give one that has seen these."""
    quick = Quick(order.plain._message.root, enveloped=True)
    for body in bodies:
        quick.read(body, read(body).body_child)
    return quick


def least(order: SimpleNamespace) -> bytes:
    return order.plain.write(
        {"number": "1", "channel": "web", "total": "1", "total.@currency": "EUR",
         "buyer.name": "A", "lines.line[]": [{"sku": "s", "@id": "i"}, {"sku": "t"}]},
        order.record(""),
    )  # fmt: skip


@SHARED
@given(values=ORDER)
def test_what_is_written_is_read_quickly_or_by_the_tree(order: SimpleNamespace, values):
    body = order.plain.write(values, order.record(""))
    expected = of_tree(order, body)
    found, strays = order.plain.read(order.record(body))
    assert found == expected
    assert list(strays) == []
    for key, value in values.items():
        assert found[key] == value
    quick = quick_of(order, least(order))
    assert quick.lift(body) in (None, expected)
    assert quick.read(body, read(body).body_child) in (None, expected)


def test_a_message_like_one_before_needs_no_tree(order: SimpleNamespace):
    body = least(order)
    quick = quick_of(order, body)
    other = body.replace(b">s<", ">Ann &amp;lt; B&#246;, &quot;ü&quot; &lt;&#13;&#x9;<".encode())
    assert quick.lift(other) == of_tree(order, other)
    assert quick.lift(other)["lines.line[]"][0] == {"sku": 'Ann &lt; Bö, "ü" <\r\t', "@id": "i"}
    assert quick.lift(body.replace(b"\n", b"\r\n")) is None  # that is another head
    spaced = body.replace(b"</n1:number>", b"</n1:number>\r\n  ")
    assert quick.lift(spaced) == of_tree(order, body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<n1:number>1", "<n1:number>1<!-- 2 -->"),
        ("<n1:number>1", "<n1:number><![CDATA[1]]>"),
        ("<n1:number>1", "<n1:number><?x?>1"),
        ("<n1:number>1", "<n1:number>1]]>"),
        ("<n1:number>1", "<n1:number>&nbsp;1"),
        ("<n1:number>1", "<n1:number>&#x1;1"),
        ("<n1:number>1", "<n1:number>& 1"),
        ("<n1:number>1", "<n1:number>\x01"),
        ("<n1:number>1", "<n1:number>\ufffe"),
        ("<n1:number>", "<n1:number x='1'>"),
        ("<n1:number>", "<n1:number><n1:number>"),
        ("</n1:number>", "</n1:number><n1:number>2</n1:number>"),
        ("</n1:number>", "</n1:numbers>"),
        ("<n1:number>1", "<n1:number&gt;1"),
        ("<n1:number>1", "<n1:number>&#xfffe;1"),
        ("<n1:number>1", "<n1:number>&#1114112;1"),
        ('currency="EUR"', 'currency="E\nR"'),
        (' currency="EUR"', ""),
        ("<n1:channel>web</n1:channel>", "<n1:channel></n1:channel>"),
        ("<n1:channel>", '<n1:channel xmlns:n1="urn:x">'),
        ("</n1:Order>", "<n1:new/></n1:Order>"),
        ("</n1:Order>", "</n1:Order><n1:Order/>"),
        ("</soap:Body>", "</soap:Body><soap:Body/>"),
        ("</soap:Envelope>", "</soap:Envelope><!-- end -->"),
        ("</soap:Envelope>", "</soap:Envelope>x"),
        ("<soap:Body>", "<soap:Header/><soap:Body>"),
        ("<soap:Body>", "<!DOCTYPE x><soap:Body>"),
    ],
)
def test_what_looks_otherwise_is_for_the_tree(order: SimpleNamespace, old: str, new: str):
    body = least(order)
    changed = body.replace(old.encode(), new.encode())
    assert changed != body
    quick = quick_of(order, body)
    assert quick.lift(changed) is None


def test_a_message_hidden_in_front_of_the_real_one_is_not_read(order: SimpleNamespace):
    body = least(order)
    start, end = body.index(b"<n1:Order"), body.index(b"</n1:Order>") + 11
    message = body[start:end]
    false = message.replace(b">1<", b">9<")
    for hidden in (
        body.replace(b"<soap:Body>", b"<soap:Header>" + false + b"</soap:Header><soap:Body>"),
        body.replace(b"<soap:Body>", b"<!--" + false + b"--><soap:Body>"),
        body.replace(message, b"<n1:Order xmlns:n1='urn:o'>" + false + b"</n1:Order>"),
        body.replace(
            b"</soap:Envelope>", b"<x:Body xmlns:x='u'>" + false + b"</x:Body></soap:Envelope>"
        ),
        body.replace(b"</soap:Envelope>", b"<soap:Body>" + false + b"</soap:Body></soap:Envelope>"),
    ):
        expected = of_tree(order, hidden)
        quick = quick_of(order, body, hidden)
        assert quick.lift(hidden) in (None, expected)
        assert quick.read(hidden, read(hidden).body_child) in (None, expected)
        if expected is not None:
            assert expected["number"] == "1"


@SHARED
@given(data=st.data())
def test_whatever_is_put_anywhere_is_read_as_the_tree_reads_it(order: SimpleNamespace, data):
    body = bytearray(least(order))
    pieces = st.sampled_from(
        [b"<", b">", b"/", b"&", b";", b'"', b"'", b" ", b"\n", b"\r", b"\0", b"\xff", b"]]>",
         b"<!--", b"-->", b"&amp;", b"&lt;", b"&#38;", b"&#252;", b"<n1:up>1</n1:up>", b"a=''",
         b"</n1:Order>", b"<n1:Order>", b"<tag/>", b"\xc3\xbc", b"xmlns=''", b"<soap:Body>"]
    )  # fmt: skip
    known = bytes(body)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        end = min(len(body), at + data.draw(st.integers(0, 4)))
        body[at:end] = data.draw(st.one_of(pieces, st.binary(max_size=2)))
    changed = bytes(body)
    expected = of_tree(order, changed)
    quick = quick_of(order, known)
    lifted = quick.lift(changed)
    assert lifted is None or lifted == expected
    if expected is not None:
        found = quick.read(changed, read(changed).body_child)
        assert found is None or found == expected
        assert quick.lift(changed) in (None, expected)


def test_senders_with_ever_new_prefixes_do_not_fill_the_memory(order: SimpleNamespace):
    quick = quick_of(order)
    for number in range(40):
        body = least(order).replace(b"n1:", b"q%d:" % number).replace(b":n1=", b":q%d=" % number)
        quick.read(body, read(body).body_child)
    assert len(quick._heads) == 16
    assert len(quick._patterns) == 16
    assert quick.read(least(order), read(least(order)).body_child) is None


def test_the_charset_of_the_transport_counts(order: SimpleNamespace):
    body = least(order).replace(b">s<", ">\xe9<".encode())
    plain = order.record(body)
    assert order.plain.read(plain)[0]["lines.line[]"][0]["sku"] == "\xe9"
    latin = order.record(body, headers=(("Content-Type", "text/xml; charset=iso-8859-1"),))
    assert order.plain.read(latin)[0]["lines.line[]"][0]["sku"] == "\xc3\xa9"


def test_a_head_is_known_under_its_charset_only(order: SimpleNamespace):
    body = least(order).replace(b'encoding="utf-8"', b'encoding="iso-8859-1"')
    body = body.replace(b">s<", ">\xe9<".encode())
    utf8 = order.record(body, headers=(("Content-Type", "text/xml; charset=utf-8"),))
    for _ in range(2):
        assert order.plain.read(utf8)[0]["lines.line[]"][0]["sku"] == "\xe9"
        assert order.plain.read(order.record(body))[0]["lines.line[]"][0]["sku"] == "\xc3\xa9"


def test_attributes_of_the_message_itself_may_change(order: SimpleNamespace):
    root = order.soap._message.root
    quick = Quick(root, enveloped=True)
    values = {**{k: v for k, v in order.values.items() if k != "closed"}, "@source": "a"}
    values.pop("mark[]")
    values["lines.line[]"] = values["lines.line[]"][:1]
    body = order.soap.write(values, order.record(""))
    body = body.replace(b' source="a"', b' xsi:schemaLocation="urn:o o.xsd" source="a"')
    first = quick.read(body, read(body).body_child)
    assert first == values
    assert quick.lift(body.replace(b'source="a"', b'source="b c"')) == {**values, "@source": "b c"}
    quoted = body.replace(b'source="a"', b'source="&quot; source=&quot;b"')
    assert quick.lift(quoted) == {**values, "@source": '" source="b'}
    for other in (
        body.replace(b'source="a"', b"source='a'"),
        body.replace(b'source="a"', b'source="<"'),
        body.replace(b'source="a"', b'source="a" more="b"'),
        body.replace(b'source="a"', b'source="a" xsi:nil="true"'),
        body.replace(b'source="a"', b'source="a" version="1.0"'),
    ):
        assert quick.lift(other) is None
    strange = body.replace(b'source="a"', b"source='a&apos; source=&apos;b'")
    child = read(strange).body_child
    assert Quick(root, enveloped=True).read(strange, child) is None
    assert child.get("source") == "a' source='b"


def test_an_envelope_of_another_version_is_no_known_head(order: SimpleNamespace):
    body = least(order)
    quick = quick_of(order, body)
    assert quick.lift(body.replace(SOAP11.encode(), b"urn:other")) is None
