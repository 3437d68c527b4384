"""Envelopes: what is read, and all that is refused."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.envelope import SOAP11, SOAP12, charset_of, read
from stranglerfig.errors import EnvelopeError


def wrap(inner: str, prolog: str = "", space: str = SOAP11) -> str:
    return f'{prolog}<s:Envelope xmlns:s="{space}"><s:Body>{inner}</s:Body></s:Envelope>'


DOCTYPES = {
    "laughs": "<!DOCTYPE x ["
    '<!ENTITY a "ha ha ha ha ha ha ha ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(14))
    + "]>",
    "quadratic": f'<!DOCTYPE x [<!ENTITY o "{"a" * 100_000}">]>',
    "external": '<!DOCTYPE x [<!ENTITY o SYSTEM "file:///etc/passwd">]>',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;<!ENTITY o "">]>',
    "outside": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "harmless": "<!DOCTYPE x>",
}


@pytest.mark.parametrize("name", DOCTYPES)
@pytest.mark.parametrize("inner", ["<x/>", f"<x>{'&o;' * 5000}</x>", f'<x y="{"&o;" * 5000}"/>'])
def test_a_doctype_is_refused_whatever_it_does(name: str, inner: str):
    with pytest.raises(EnvelopeError) as caught:
        read(wrap(inner, DOCTYPES[name]).encode())
    assert "root:" not in str(caught.value)
    assert "haha" not in str(caught.value).replace(" ", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\0",
        b"no xml",
        b"<?xml version='1.0'?>",
        b"<a>" * 100_000,
        wrap("<a>" * 100_000 + "</a>" * 100_000).encode(),
        wrap("<x>\xff\xfe</x>").encode("latin-1"),
        wrap("<x>&nbsp;</x>").encode(),
        wrap("<x>\0</x>").encode(),
        wrap("<x>&#0;</x>").encode(),
        wrap("<x>")[:-20].encode(),
        wrap("<x/>").encode() + b"<y/>",
        wrap(f"<x>{'a' * 10_100_000}</x>").encode(),
        wrap("<x/>").encode("utf-16-be"),
        b"<a/>",
        b'<Envelope xmlns="urn:other"><Body/></Envelope>',
        f'<s:Envelope xmlns:s="{SOAP11}"/>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Header/></s:Envelope>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP11}"><Body/></s:Envelope>'.encode(),
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes):
    with pytest.raises(EnvelopeError) as caught:
        read(body)
    assert caught.value.place
    assert caught.value.expected
    assert len(str(caught.value)) < 1000


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes):
    with pytest.raises(EnvelopeError):
        read(body)


@given(st.binary(max_size=60))
def test_any_bytes_inside_are_read_or_refused(inner: bytes):
    start, _, end = wrap("|").encode().partition(b"|")
    with suppress(EnvelopeError):
        read(start + inner + end)


@pytest.mark.parametrize(
    ("body", "child"),
    [
        (wrap('<d:x xmlns:d="urn:d"/>').encode(), "{urn:d}x"),
        (wrap("<x/>").encode(), "x"),
        (wrap("").encode(), ""),
        (wrap(" \n ").encode(), ""),
        (wrap(" <!-- <y/> --> <?pi y?>\n<x/>").encode(), "x"),
        (wrap("<x><![CDATA[<!DOCTYPE html>]]></x>").encode(), "x"),
        (b"\xef\xbb\xbf" + wrap("<x/>").encode(), "x"),
        (wrap("<x>\u20ac</x>").encode("utf-16"), "x"),
        (b"\r\n" + wrap("<x/>").encode(), "x"),
        (wrap("<x>\xe9</x>", '<?xml version="1.0" encoding="iso-8859-1"?>').encode("latin-1"), "x"),
    ],
)
def test_the_first_child_of_the_body_is_named(body: bytes, child: str):
    envelope = read(body)
    assert envelope.child == child
    assert (envelope.body_child is None) == (child == "")
    assert envelope.version == "1.1"
    assert not envelope.is_fault
    assert (envelope.fault_code, envelope.fault_string) == ("", "")


def test_text_around_comments_and_cdata_is_one_text():
    envelope = read(wrap("<x>a<!-- b -->c<![CDATA[<d>]]>&amp;</x>").encode())
    assert envelope.body_child is not None
    assert envelope.body_child.text == "ac<d>&"


def test_the_charset_of_the_header_comes_first():
    body = wrap("<x>\xe9</x>", '<?xml version="1.0" encoding="utf-8"?>').encode("latin-1")
    child = read(body, "iso-8859-1").body_child
    assert child is not None
    assert child.text == "\xe9"
    with pytest.raises(EnvelopeError):
        read(body)
    with pytest.raises(EnvelopeError, match="charset"):
        read(body, "klingon")


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        (None, ""),
        ("text/xml", ""),
        ("text/xml; charset=UTF-8", "utf-8"),
        ('text/xml;action="a"; Charset = "iso-8859-1"', "iso-8859-1"),
        ("text/xml; charset=", ""),
    ],
)
def test_charset_of(header: str | None, charset: str):
    assert charset_of(header) == charset


def test_a_fault_of_soap_11_is_recognised():
    fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring> no </faultstring></s:Fault>"
    envelope = read(wrap(fault).encode())
    assert envelope.is_fault
    assert (envelope.fault_code, envelope.fault_string) == ("s:Client", "no")


def test_soap_12_is_recognised_with_its_fault():
    fault = (
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>"
        "<s:Reason><s:Text xml:lang='en'>no</s:Text></s:Reason></s:Fault>"
    )
    envelope = read(wrap(fault, space=SOAP12).encode())
    assert envelope.version == "1.2"
    assert envelope.is_fault
    assert (envelope.fault_code, envelope.fault_string) == ("s:Sender", "no")


def test_headers_that_must_be_understood_are_named():
    header = '<s:Header><h:a xmlns:h="urn:h" s:mustUnderstand="1"/><b/></s:Header><s:Body>'
    envelope = read(wrap("<x/>").replace("<s:Body>", header).encode())
    assert envelope.must_understand == ("{urn:h}a",)
    assert read(wrap("<x/>").encode()).must_understand == ()


def test_threads_do_not_share_a_parser():
    bodies = [wrap(f"<x{n}/>").encode() for n in range(8)]
    wrong: list[str] = []

    def work(n: int) -> None:
        children = {read(bodies[n]).child for _ in range(200)}
        wrong.extend(children - {f"x{n}"})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
