"""The SOAP facade between a caller and a legacy server, both on raw sockets."""

import asyncio
import gzip
import logging

import pytest

from stranglerfig.acl.envelope import read
from stranglerfig.errors import (
    ConfigError,
    ContractError,
    FigError,
    InDoubt,
    LegacyUnavailable,
    StoreUnavailable,
)
from stranglerfig.facades.server import Serving
from stranglerfig.facades.soap import SoapFacade, SoapSystem
from stranglerfig.facades.wsdl import PublishedWsdl
from stranglerfig.model import Record
from stranglerfig.telemetry import Counters
from stranglerfig.testing.peer import Peer, plain
from stranglerfig.transport.headers import first
from stranglerfig.transport.http1 import Upstream

S11 = "http://schemas.xmlsoap.org/soap/envelope/"
MOVES, STAYS = "{urn:t}Moves", "{urn:t}Stays"
WSDL = b"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:t"
 xmlns:t="urn:t" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
<message name="M"><part name="p" element="t:Moves"/></message>
<message name="S"><part name="p" element="t:Stays"/></message>
<portType name="P"><operation name="Moves"><input message="t:M"/></operation>
<operation name="Stays"><input message="t:S"/></operation></portType>
<binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="Moves"><soap:operation soapAction="urn:t:moves"/></operation>
<operation name="Stays"><soap:operation soapAction="urn:t:stays"/></operation></binding>
<service name="T"><port name="P" binding="t:B">
<soap:address location="http://legacy.internal/tickets"/></port></service></definitions>"""


def soap(child="Stays", text="x", ns=S11, head=""):
    return (
        f'<?xml version="1.0"?><s:Envelope xmlns:s="{ns}" xmlns:t="urn:t">{head}<s:Body>'
        f"<t:{child}>{text}</t:{child}></s:Body></s:Envelope>"
    ).encode()


LEGACY_SAYS = b"<legacy>says\r\n\t so </legacy>"


async def legacy(request, writer):
    if b"?wsdl HTTP" in request:
        writer.write(plain(WSDL, b"Content-Type: text/xml"))
    else:
        writer.write(plain(LEGACY_SAYS, b"Content-Type: text/xml", b"X-Legacy: Yes"))


class Scene:
    """Legacy, the facade before it, and a caller."""

    def __init__(self, peer):
        self.peer = peer
        self.upstream = Upstream(peer.address, timeout=30)
        self.records = []
        self.reply = None
        self.counters = Counters()
        self.wsdl = PublishedWsdl(self.fetch, ttl=0)
        self.system = SoapSystem(
            path="/tickets",
            upstream=self.upstream,
            wsdl=self.wsdl,
            endpoints={MOVES: self.serve},
            max_body=100_000,
        )
        self.app = SoapFacade({"tickets": self.system}, self.counters)

    async def fetch(self):
        return (await self.upstream.request(b"GET", b"/tickets?wsdl", [], b"")).body

    async def serve(self, record):
        self.records.append(record)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    async def post(self, body, *headers, path=b"/tickets", method=b"POST"):
        kind = [] if first(headers, b"content-type") else [(b"Content-Type", b"text/xml")]
        return await self.caller.request(method, path, [*kind, *headers], body)

    async def __aenter__(self):
        await self.app.open()
        self.peer.requests.clear()
        self.serving = await Serving(self.app, grace=0.2).__aenter__()
        self.caller = Upstream(self.serving.address, timeout=30)
        return self

    async def __aexit__(self, *_):
        await self.caller.close()
        await self.serving.__aexit__(None, None, None)
        await self.app.close()
        await self.upstream.close()


@pytest.fixture
async def scene():
    async with Peer(legacy) as peer, Scene(peer) as scene:
        yield scene


def fault(response):
    envelope = read(response.body)
    assert envelope.is_fault
    assert first(response.headers, b"content-type") == b"text/xml; charset=utf-8"
    return envelope.fault_code.partition(":")[2], envelope.fault_string


ODD = b'<?xml version="1.0"?>\r\n<!-- a -->' + soap().partition(b"?>")[2] + b"\n\n<?end?>"


@pytest.mark.parametrize("body", [soap(), ODD, soap().decode().encode("utf-16"), soap(text="")])
async def test_what_is_no_endpoint_passes_through_byte_by_byte(scene, body):
    response = await scene.post(
        body,
        (b"SOAPAction", b'"urn:t:stays"'),
        (b"X-Trace", b"M\xfcller"),
        (b"X-Trace", b"2"),
        (b"Connection", b"x-hop"),
        (b"X-Hop", b"1"),
        (b"User-Agent", b"old client"),
    )
    head, _, arrived = scene.peer.requests[0].partition(b"\r\n\r\n")
    assert arrived == body
    assert head.split(b"\r\n") == [
        b"POST /tickets HTTP/1.1",
        b"Host: " + scene.peer.address.removeprefix("http://").encode(),
        b"content-type: text/xml",
        b'soapaction: "urn:t:stays"',
        b"x-trace: M\xfcller",
        b"x-trace: 2",
        b"user-agent: old client",
        b"Content-Length: %d" % len(body),
    ]
    assert (response.status, response.body) == (200, LEGACY_SAYS)
    assert response.headers == [
        (b"Content-Type", b"text/xml"),
        (b"X-Legacy", b"Yes"),
        (b"content-length", b"%d" % len(LEGACY_SAYS)),
    ]
    assert scene.counters.snapshot() == {("passed_through", "tickets", STAYS): 1}


async def test_legacys_faults_pass_through(scene):
    async def faults(_, writer):
        writer.write(plain(b"<fault/>", b"Retry-After: 9", status=b"500 Oh"))

    scene.peer.says = faults
    response = await scene.post(soap())
    assert (response.status, response.body) == (500, b"<fault/>")
    assert first(response.headers, b"retry-after") == b"9"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (b"GET", b"/tickets?xsd=1"),
        (b"GET", b"/"),
        (b"PUT", b"/tickets"),
        (b"POST", b"/other%20path?a=b&c"),
        (b"OPTIONS", b"/tickets"),
        (b"DELETE", b"/tickets/1"),
    ],
)
async def test_other_methods_and_paths_pass_through(scene, method, path):
    response = await scene.post(b"not xml", method=method, path=path)
    assert scene.peer.requests[0].startswith(b"%s %s HTTP/1.1\r\n" % (method, path))
    assert scene.peer.requests[0].endswith(b"\r\n\r\nnot xml")
    assert response.body == LEGACY_SAYS
    assert scene.counters.snapshot() == {("passed_through", "tickets", "other"): 1}


async def test_head_and_no_content_pass_through(scene):
    async def says(request, writer):
        if request.startswith(b"HEAD"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    scene.peer.says = says
    head = await scene.post(b"", method=b"HEAD")
    assert (head.status, first(head.headers, b"content-length")) == (200, b"77")
    empty = await scene.post(soap())
    assert (empty.status, empty.headers, empty.body) == (204, [], b"")


async def test_an_endpoint_is_served_by_its_own(scene):
    scene.reply = Record(
        source="tickets",
        position="1",
        kind="soap",
        body=b"<new/>",
        headers=(
            (":status", "202"),
            ("Content-Type", "text/xml"),
            ("Connection", "close"),
            ("Content-Length", "999"),
            ("X-Who", "us"),
        ),
    )
    body = soap("Moves", "Grüße")
    response = await scene.post(body, (b"SOAPAction", b'"urn:t:moves"'), path=b"/tickets?a=b")
    assert (response.status, response.body) == (202, b"<new/>")
    assert response.headers[:2] == [(b"Content-Type", b"text/xml"), (b"X-Who", b"us")]
    assert first(response.headers, b"content-length") == b"6"
    record = scene.records[0]
    assert (record.source, record.kind, record.body) == ("tickets", "soap", body)
    assert record.header(":method") == "POST"
    assert record.header(":path") == "/tickets?a=b"
    assert record.header("content-type") == "text/xml"
    assert record.header("soapaction") == '"urn:t:moves"'
    assert record.captured_at > 0
    assert not scene.peer.requests


async def test_positions_are_never_the_same(scene):
    scene.reply = Record(source="", position="", kind="soap", body=b"<new/>")
    for _ in range(3):
        assert (await scene.post(soap("Moves"))).status == 200
    async with Peer(legacy) as peer, Scene(peer) as again:
        again.reply = scene.reply
        await again.post(soap("Moves"))
        positions = [record.position for record in scene.records + again.records]
    assert len(set(positions)) == 4


@pytest.mark.parametrize(
    ("error", "status", "code", "said"),
    [
        (ContractError("too long", place="text", value="SECRET"), 500, "Client", "too long"),
        (LegacyUnavailable("SECRET", place="http://in.ternal/"), 503, "Server", "nothing was sent"),
        (InDoubt("SECRET", place="http://in.ternal/"), 500, "Server", "may have had its effect"),
        (StoreUnavailable("SECRET"), 500, "Server", "'tickets' failed"),
        (FigError("SECRET"), 500, "Server", "'tickets' failed"),
        (ZeroDivisionError("SECRET"), 500, "Server", "'tickets' failed"),
    ],
)
async def test_errors_become_faults_and_log_lines(scene, caplog, error, status, code, said):
    scene.reply = error
    response = await scene.post(soap("Moves"))
    assert response.status == status
    assert fault(response)[0] == code
    assert said in fault(response)[1]
    assert b"SECRET" not in response.body
    assert b"in.ternal" not in response.body
    reference = scene.records[0].position
    assert reference.encode() in response.body
    assert reference in caplog.text
    assert "SECRET" in caplog.text
    assert ("Traceback" in caplog.text) == isinstance(error, ZeroDivisionError)
    assert (first(response.headers, b"retry-after") is not None) == (status == 503)


LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(b'<!ENTITY %c "%s">' % (c + 1, b"&%c;" % c * 10) for c in range(97, 107))
    + b"]>"
    + soap(text="&k;").partition(b"?>")[2]
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        soap()[:-3],
        soap() + b"<more/>",
        b'<?xml version="1.0"?><a/>',
        f'<s:Envelope xmlns:s="{S11}"/>'.encode(),
        LAUGHS,
        b'<!DOCTYPE s:Envelope SYSTEM "http://127.0.0.1:1/x.dtd">' + soap().partition(b"?>")[2],
        soap(text="<a>" * 5000 + "</a>" * 5000),
        b"\xff\xfe\x00\x00",
    ],
)
@pytest.mark.parametrize("child", ["Stays", "Moves"])
async def test_what_is_no_envelope_is_refused_counted_and_logged(scene, caplog, body, child):
    response = await scene.post(body.replace(b"Stays", child.encode()))
    assert (response.status, fault(response)[0]) == (500, "Client")
    assert scene.counters.snapshot() == {("refused_messages", "tickets", "envelope"): 1}
    assert "refused" in caplog.text
    assert not scene.peer.requests
    assert not scene.records
    assert (await scene.post(soap())).body == LEGACY_SAYS


@pytest.mark.parametrize("child", ["Stays", "Moves"])
async def test_an_action_of_another_operation_is_refused(scene, child):
    other = {"Stays": b"moves", "Moves": b"stays"}[child]
    response = await scene.post(soap(child), (b"SOAPAction", b'"urn:t:%s"' % other))
    assert (response.status, fault(response)[0]) == (500, "Client")
    assert "urn:t:" in fault(response)[1]
    assert scene.counters.snapshot() == {("refused_messages", "tickets", "action"): 1}
    assert not scene.peer.requests
    assert not scene.records


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"SOAPAction", b"")],
        [(b"SOAPAction", b'""')],
        [(b"SOAPAction", b"urn:t:stays")],
        [(b"SOAPAction", b'"urn:unheard-of"')],
    ],
)
async def test_other_actions_are_legacys_business(scene, headers):
    assert (await scene.post(soap(), *headers)).body == LEGACY_SAYS


async def test_the_action_of_soap_12_stands_in_the_content_type(scene):
    kind = b'application/soap+xml; charset=utf-8; action="urn:t:moves"'
    body = soap(ns="http://www.w3.org/2003/05/soap-envelope")
    response = await scene.post(body, (b"content-type", kind))
    assert fault(response)[0] == "Client"


async def test_an_unknown_operation_is_legacys_business(scene):
    assert (await scene.post(soap("Unknown"))).body == LEGACY_SAYS
    assert scene.counters.snapshot() == {("passed_through", "tickets", "other"): 1}


MUST = '<s:Header><t:Sec s:mustUnderstand="1"/></s:Header>'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (soap("Moves", ns="http://www.w3.org/2003/05/soap-envelope"), b"application/soap+xml"),
        (soap("Moves", head=MUST), b"text/xml"),
        (b"--x\r\n\r\n" + soap("Moves") + b"\r\n--x--", b"multipart/related; boundary=x"),
    ],
)
async def test_what_only_legacy_understands_goes_to_legacy(scene, body, kind):
    response = await scene.post(body, (b"content-type", kind))
    assert response.body == LEGACY_SAYS
    assert scene.peer.requests[0].endswith(body)
    assert not scene.records


async def test_the_charset_of_the_header_comes_first(scene):
    scene.reply = Record(source="", position="", kind="soap", body=b"<new/>")
    body = soap("Moves", "Grüße").decode().encode("latin-1")
    response = await scene.post(body, (b"content-type", b"text/xml; charset=iso-8859-1"))
    assert response.body == b"<new/>"
    assert fault(await scene.post(body))[0] == "Client"


async def test_packed_messages_are_refused_clearly(scene):
    response = await scene.post(gzip.compress(soap()), (b"Content-Encoding", b"gzip"))
    assert (response.status, fault(response)[0]) == (415, "Client")
    assert "gzip" in fault(response)[1]
    assert first(response.headers, b"accept-encoding") == b"identity"
    assert scene.counters.snapshot() == {("refused_messages", "tickets", "encoding"): 1}


async def test_a_message_that_is_too_large_is_refused_and_others_go_on(scene):
    response = await scene.post(soap(text="x" * 50_000_000))
    assert (response.status, fault(response)[0]) == (413, "Client")
    assert "100000 bytes" in fault(response)[1]
    assert scene.counters.snapshot() == {("refused_messages", "tickets", "size"): 1}
    assert not scene.peer.requests
    assert (await scene.post(soap(text="x" * 90_000))).body == LEGACY_SAYS


async def test_legacy_down_is_said_and_over_when_it_is_back(scene, caplog):
    await scene.peer.__aexit__(None, None, None)
    response = await scene.post(soap())
    assert response.status == 503
    assert fault(response) == (
        "Server",
        "the system 'tickets' cannot be reached; nothing was sent to it",
    )
    assert "tickets" in caplog.text
    await scene.peer.__aenter__()
    assert (await scene.post(soap())).body == LEGACY_SAYS
    await scene.peer.__aexit__(None, None, None)


async def test_a_silent_legacy_is_in_doubt(scene):
    async def silent(_, writer):
        await writer.wait_closed()

    scene.peer.says = silent
    scene.upstream.timeout = 0.1
    response = await scene.post(soap())
    assert (response.status, fault(response)[0]) == (500, "Server")
    assert "may have had its effect" in fault(response)[1]
    assert len(scene.peer.requests) == 1


async def test_the_wsdl_is_legacys_with_our_address(scene):
    response = await scene.post(b"", method=b"GET", path=b"/tickets?WSDL")
    mine = scene.serving.address.encode() + b"/tickets"
    assert response.body == WSDL.replace(b"http://legacy.internal/tickets", mine)
    assert first(response.headers, b"content-type") == b"text/xml"


async def test_the_wsdl_is_served_while_legacy_is_down(scene):
    good = await scene.post(b"", method=b"GET", path=b"/tickets?wsdl")
    await scene.peer.__aexit__(None, None, None)
    down = await scene.post(b"", method=b"GET", path=b"/tickets?wsdl")
    assert (down.status, down.body) == (200, good.body)


async def raw(scene, host):
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.serving.port)
    line = b"Host: %s\r\n" % host if host is not None else b""
    writer.write(b"GET /tickets?wsdl HTTP/1.1\r\n%sConnection: close\r\n\r\n" % line)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        (b"soap.bank.example:8443", b"http://soap.bank.example:8443/tickets"),
        (b"[::1]:99", b"http://[::1]:99/tickets"),
        (b'x"/><evil', None),
        (None, None),
    ],
)
async def test_the_address_is_the_one_that_was_called(scene, host, shown):
    answer = await raw(scene, host)
    assert (shown or scene.serving.address.encode() + b"/tickets") in answer
    assert b"evil" not in answer


async def test_the_public_address_comes_before_what_was_called():
    async with Peer(legacy) as peer:
        scene = Scene(peer)
        scene.system = SoapSystem(
            path="/tickets", upstream=scene.upstream, wsdl=scene.wsdl, public="https://gw.example/"
        )
        scene.app = SoapFacade({"tickets": scene.system}, scene.counters)
        async with scene:
            assert b'"https://gw.example/tickets"' in await raw(scene, b"other")


async def test_a_legacy_that_is_down_at_the_start_is_caught_up_with():
    async with Peer(legacy) as peer:
        await peer.__aexit__(None, None, None)
        async with Scene(peer) as scene:
            wrong = (b"SOAPAction", b"urn:t:moves")
            assert (await scene.post(soap(), wrong)).status == 503
            await peer.__aenter__()
            async with asyncio.timeout(60):
                while scene.wsdl.last is None:
                    await scene.post(soap(), wrong)
            assert fault(await scene.post(soap(), wrong))[0] == "Client"


async def test_fifty_callers_at_a_time_get_their_own_answers(scene):
    async def echo(request, writer):
        await asyncio.sleep(0.01)
        writer.write(plain(request.partition(b"\r\n\r\n")[2]))

    async def serve_slowly(record):
        await asyncio.sleep(0.01)
        return Record(source="", position="", kind="soap", body=b"<new/>" + record.body)

    scene.peer.says = echo
    scene.serve = serve_slowly
    scene.system.endpoints[MOVES] = serve_slowly
    bodies = [soap(("Stays", "Moves")[number % 2], f"{number}") for number in range(50)]
    responses = await asyncio.gather(*(scene.post(body) for body in bodies))
    for number, (body, response) in enumerate(zip(bodies, responses, strict=True)):
        assert response.body == b"<new/>" * (number % 2) + body


async def test_a_caller_that_leaves_costs_legacy_nothing_more(scene, caplog):
    caplog.set_level(logging.WARNING)
    go = asyncio.Event()

    async def waits(_, writer):
        await go.wait()
        writer.write(plain(LEGACY_SAYS))

    scene.peer.says = waits
    calls = [asyncio.create_task(scene.post(soap())) for _ in range(5)]
    async with asyncio.timeout(60):
        while len(scene.peer.requests) < 5:
            await asyncio.sleep(0.005)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    go.set()
    assert (await scene.post(soap())).body == LEGACY_SAYS
    assert len(scene.peer.requests) == 6
    assert not caplog.records


async def test_two_systems_are_told_apart_by_their_paths():
    async def other(_, writer):
        writer.write(plain(b"other"))

    async with Peer(legacy) as one, Peer(other) as two:
        scene = Scene(one)
        upstream = Upstream(two.address, timeout=30)
        second = SoapSystem(path="/other", upstream=upstream, wsdl=scene.wsdl)
        scene.app = SoapFacade({"tickets": scene.system, "other": second}, scene.counters)
        async with scene:
            assert (await scene.post(soap())).body == LEGACY_SAYS
            assert (await scene.post(soap(), path=b"/other")).body == b"other"
            assert (await scene.post(soap(), path=b"/third")).status == 404
            assert (await scene.post(soap(text="x" * 9), path=b"/third")).status in {404, 413}
        await upstream.close()


async def test_two_systems_of_one_path_are_refused(scene):
    with pytest.raises(ConfigError) as caught:
        SoapFacade({"a": scene.system, "b": scene.system}, Counters())
    assert caught.value.place == "legacy.b.address"
