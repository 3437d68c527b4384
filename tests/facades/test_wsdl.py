"""A legacy WSDL with another address and nothing else changed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import LegacyError, LegacyUnavailable
from stranglerfig.facades.wsdl import PublishedWsdl, Wsdl

WSDL = """<?xml version="1.0" encoding="{encoding}"?>
<!-- <soap:address location="http://comment/"/> -->
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:a"
  xmlns:t="urn:a" xmlns:e="urn:types" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:h="http://schemas.xmlsoap.org/wsdl/http/">
 <w:documentation>Grü&#223;e <![CDATA[<soap:address location="http://cdata/"/>]]></w:documentation>
 <w:message name="One"><w:part name="p" element="e:One"/></w:message>
 <w:message name="Two"><w:part name="p" element="e:Two"/></w:message>
 <w:message name="Three"><w:part name="p" type="e:three"/></w:message>
 <w:portType name="P">
  <w:operation name="one"><w:input message="t:One"/></w:operation>
  <w:operation name="two"><w:input message="t:Two"/></w:operation>
 </w:portType>
 <w:portType name="R">
  <w:operation name="three"><w:input message="t:Three"/></w:operation></w:portType>
 <w:binding name="B" type="t:P">
  <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
  <w:operation name="one"><soap:operation soapAction="urn:a#one"/></w:operation>
  <w:operation name="two"><soap:operation soapAction=""/></w:operation>
 </w:binding>
 <w:binding name="C" type="t:R">
  <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
  <w:operation name="three"><soap:operation soapAction="urn:a#three"/>
   <w:input><soap:body use="literal" namespace="urn:rpc"/></w:input></w:operation>
 </w:binding>
 <w:service name="S">
  <w:port name="a" binding="t:B"><soap:address
     location = 'http://old:1/claims'/></w:port>
  <w:port name="b" binding="t:B"><s12:address x="1" location="{second}"></s12:address></w:port>
  <w:port name="c" binding="t:H"><h:address location="http://old:1/plain"/></w:port>
 </w:service>
</w:definitions>
"""


def document(codec="utf-8", name="utf-8", second="http://old:1/claims"):
    return WSDL.format(encoding=name, second=second).encode(codec)


def test_actions_by_the_child_of_the_body():
    assert Wsdl(document()).actions == {
        "{urn:types}One": "urn:a#one",
        "{urn:types}Two": "",
        "{urn:rpc}three": "urn:a#three",
    }


@pytest.mark.parametrize(
    ("action", "child", "wrong"),
    [
        ("urn:a#one", "{urn:types}One", False),
        ("urn:a#one", "{urn:types}Two", True),
        ("urn:a#one", "{urn:x}Unknown", True),
        ("urn:a#unknown", "{urn:types}One", False),
        ("", "{urn:types}One", False),
        ("urn:a#three", "{urn:types}One", True),
    ],
)
def test_an_action_of_another_operation_disagrees(action, child, wrong):
    assert Wsdl(document()).disagrees(action, child) is wrong


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "ISO-8859-1"),
        ("utf-16", "utf-16"),
        ("cp1252", "windows-1252"),
    ],
)
def test_only_the_soap_addresses_change(codec, name):
    before = document(codec, name)
    after = Wsdl(before).at("https://new.example:8443/", "/claims")
    expected = before.decode(codec)
    expected = expected.replace("'http://old:1/claims'", '"https://new.example:8443/claims"')
    expected = expected.replace('"http://old:1/claims"', '"https://new.example:8443/claims"')
    assert after == expected.encode(codec)


def test_big_endian_with_its_mark():
    before = b"\xfe\xff" + document("utf-16-be", "utf-16")
    after = Wsdl(before).at("http://new", "/claims")
    assert after.decode("utf-16").count("http://new/claims") == 2
    assert after[:2] == b"\xfe\xff"


def test_addresses_with_paths_of_their_own_keep_them():
    after = Wsdl(document(second="http://old:1/claims12")).at("http://new", "/claims")
    assert b'"http://new/claims"' in after
    assert b'"http://new/claims12"' in after


def test_addresses_of_one_path_get_the_path_that_is_served():
    assert Wsdl(document()).at("http://new", "/other").count(b'"http://new/other"') == 2


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_whatever_stands_in_the_address_stays_one_attribute(text):
    moved = Wsdl(Wsdl(document()).at("http://new", f"/{text}"))
    assert moved.at("http://old:1", "/claims") == Wsdl(document()).at("http://old:1", "/claims")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"<html>not here</html>",
        b"<a",
        b'<!DOCTYPE w [<!ENTITY a "b">]>' + document().split(b"?>", 1)[1],
    ],
)
def test_what_is_not_a_wsdl_is_legacys_fault(bad):
    with pytest.raises(LegacyError):
        Wsdl(bad)


class Legacy:
    def __init__(self):
        self.asked = 0
        self.gives = document()

    async def __call__(self):
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


async def test_it_is_asked_for_once_by_many():
    legacy = Legacy()
    published = PublishedWsdl(legacy)
    got = await asyncio.gather(*(published.get() for _ in range(10)))
    assert legacy.asked == 1
    assert all(one is published.last for one in got)


async def test_a_new_one_is_seen_and_the_last_good_one_outlives_legacy(caplog):
    legacy = Legacy()
    published = PublishedWsdl(legacy, ttl=0)
    first = await published.get()
    assert await published.get() is first
    legacy.gives = document(second="http://old:1/two")
    assert (await published.get()).document == legacy.gives
    good = published.last
    for bad in (LegacyUnavailable("gone"), b"<html/>"):
        legacy.gives = bad
        assert await published.get() is good
    assert caplog.text.count("last good one") == 2


async def test_without_a_good_one_the_error_comes_through():
    legacy = Legacy()
    legacy.gives = LegacyUnavailable("gone")
    with pytest.raises(LegacyUnavailable):
        await PublishedWsdl(legacy).get()


async def test_wanting_it_fetches_in_the_background_now_and_then(caplog):
    legacy = Legacy()
    legacy.gives = LegacyUnavailable("gone")
    published = PublishedWsdl(legacy, ttl=60)
    for _ in range(5):
        published.want()
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while "SOAPAction" not in caplog.text:
            await asyncio.sleep(0)
    published.want()
    assert legacy.asked == 1
    await published.close()
    legacy.gives = document()
    again = PublishedWsdl(legacy)
    again.want()
    async with asyncio.timeout(60):
        while again.last is None:
            await asyncio.sleep(0)
    await again.close()
