"""The SOAP caller: the laws of every caller, and its own."""

import time

import msgspec
import pytest

from stranglerfig.adapters.soap import SoapCaller
from stranglerfig.errors import ConfigError, LegacyError, LegacyUnavailable
from stranglerfig.model import Record
from stranglerfig.ports import Caller
from stranglerfig.registry import find
from stranglerfig.testing.caller import CallerContract
from stranglerfig.testing.peer import Peer, plain

PLACE = "fig.toml: legacy.claims"
FAULT = b"<Envelope><Body><Fault>gone wrong</Fault></Body></Envelope>"


def soon():
    return time.time() + 5


def caller(tmp_path, **options):
    return SoapCaller(name="claims", options=options, place=PLACE, root=tmp_path)


async def echo(request, writer):
    writer.write(plain(request.partition(b"\r\n\r\n")[2], b"Content-Type: text/xml"))


class SoapLine:
    secrets = ("Z2VoZWlt",)

    def __init__(self, peer, root):
        self.peer = peer
        address = f"{peer.address}/claims"
        self.caller = caller(root, address=address)
        self.count = 0

    def record(self, text):
        self.count += 1
        return Record(
            source="claims",
            position=str(self.count),
            kind="soap",
            key=f"key {self.count}",
            body=text.encode(),
            headers=(
                ("content-type", "text/xml; charset=utf-8"),
                ("soapaction", '"urn:x"'),
                ("authorization", "Basic Z2VoZWlt"),
            ),
        )

    def received(self):
        return [request.partition(b"\r\n\r\n")[2] for request in self.peer.requests]

    def fault(self):
        async def says(_, writer):
            writer.write(plain(FAULT, status=b"500 Internal Server Error"))

        self.peer.says = says
        return FAULT

    def fall_silent(self):
        async def says(_, writer):
            await writer.wait_closed()

        self.peer.says = says

    async def go_down(self):
        await self.peer.__aexit__(None, None, None)


class TestSoapCaller(CallerContract):
    @pytest.fixture
    async def line(self, tmp_path):
        async with Peer(echo) as peer:
            line = SoapLine(peer, tmp_path)
            yield line
            await line.caller.close()


def test_it_is_found_by_its_name_and_is_a_caller(tmp_path):
    assert find("adapters", "soap").__name__ == "SoapCaller"
    assert isinstance(caller(tmp_path, address="http://h/x"), Caller)


RECORD = Record(
    source="s",
    position="1",
    kind="soap",
    body=b"\xff\xfe<\x00",
    headers=(
        (":method", "POST"),
        (":path", "/claims?client=7"),
        ("host", "facade:1"),
        ("content-type", "text/xml; charset=utf-16"),
        ("soapaction", '"urn:submit"'),
        ("x-trace", "M\xfcller"),
        ("x-trace", "again"),
        ("connection", "close, x-hop"),
        ("x-hop", "1"),
        ("transfer-encoding", "chunked"),
        ("accept-encoding", "gzip"),
    ),
)


async def sent(tmp_path, record, path="/claims", answer=None):
    async def says(_, writer):
        writer.write(answer or plain(b"ok"))

    async with Peer(says) as peer:
        one = caller(tmp_path, address=peer.address + path)
        reply = await one.call(record, soon())
        await one.close()
    head = peer.requests[0].partition(b"\r\n\r\n")[0]
    return head.split(b"\r\n"), reply


async def test_original_end_to_end_headers_are_sent(tmp_path):
    lines, _ = await sent(tmp_path, RECORD)
    assert lines[0] == b"POST /claims?client=7 HTTP/1.1"
    assert lines[1].startswith(b"Host: 127.0.0.1:")
    assert lines[2:] == [
        b"content-type: text/xml; charset=utf-16",
        b'soapaction: "urn:submit"',
        b"x-trace: M\xfcller",
        b"x-trace: again",
        b"Accept-Encoding: identity",
        b"Content-Length: 4",
    ]


async def test_a_record_of_another_place_goes_to_the_callers_own_path(tmp_path):
    lines, _ = await sent(tmp_path, RECORD, path="/v2/claims?x=1")
    assert lines[0] == b"POST /v2/claims?x=1 HTTP/1.1"


async def test_a_bare_record_becomes_a_soap_call(tmp_path):
    lines, _ = await sent(tmp_path, msgspec.structs.replace(RECORD, headers=(), encoding="cp1252"))
    assert lines[0] == b"POST /claims HTTP/1.1"
    assert b"Content-Type: text/xml; charset=cp1252" in lines
    assert b'SOAPAction: ""' in lines


async def test_the_answer_has_its_status_its_headers_and_its_time(tmp_path):
    answer = plain(b"no", b"Content-Type: text/xml", b"Connection: close", status=b"500 Oh")
    begun = time.time()
    _, reply = await sent(tmp_path, RECORD, answer=answer)
    assert reply.headers == ((":status", "500"), ("Content-Type", "text/xml"))
    assert (reply.body, reply.source, reply.position) == (b"no", "s", "1")
    assert begun <= reply.captured_at <= time.time()


async def test_the_wsdl_comes_from_the_service(tmp_path):
    async with Peer(echo) as peer:

        async def says(_, writer):
            writer.write(plain(b"<definitions/>"))

        peer.says = says
        one = caller(tmp_path, address=f"{peer.address}/claims")
        assert await one.wsdl() == b"<definitions/>"
        await one.close()
    assert peer.requests[0].startswith(b"GET /claims?wsdl HTTP/1.1\r\n")


async def test_the_wsdl_may_come_from_another_server(tmp_path):
    async def says(_, writer):
        writer.write(plain(b"<other/>"))

    async with Peer(says) as peer:
        address = "http://127.0.0.1:1/claims"
        one = caller(tmp_path, address=address, wsdl=peer.address + "/files/claims.wsdl")
        assert await one.wsdl() == b"<other/>"
        await one.close()
    assert peer.requests[0].startswith(b"GET /files/claims.wsdl HTTP/1.1\r\n")


async def test_the_wsdl_of_a_file_is_relative_to_the_workspace(tmp_path):
    (tmp_path / "claims.wsdl").write_bytes(b"<file/>")
    one = caller(tmp_path, address="http://h/x", wsdl="claims.wsdl")
    assert await one.wsdl() == b"<file/>"
    (tmp_path / "claims.wsdl").unlink()
    with pytest.raises(ConfigError) as caught:
        await one.wsdl()
    assert caught.value.place == f"{PLACE}.wsdl"


async def test_a_service_without_a_wsdl_says_so(tmp_path, unused_tcp_port):
    async def says(_, writer):
        writer.write(plain(b"?", status=b"404 Not Found"))

    async with Peer(says) as peer:
        one = caller(tmp_path, address=peer.address)
        with pytest.raises(LegacyError, match="WSDL") as caught:
            await one.wsdl()
        await one.close()
    assert "404" in caught.value.value
    gone = caller(tmp_path, address=f"http://127.0.0.1:{unused_tcp_port}/")
    with pytest.raises(LegacyUnavailable):
        await gone.wsdl()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, ""),
        ({"address": "h/x"}, ".address"),
        ({"address": "http://h", "timout": 3}, ".timout"),
        ({"address": "http://h", "timeout": "3"}, ".timeout"),
        ({"address": "https://h", "ca": "missing.pem"}, ".ca"),
        ({"address": "https://h", "ca": "not.pem"}, ".ca"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, key):
    (tmp_path / "not.pem").write_text("nothing")
    with pytest.raises(ConfigError) as caught:
        caller(tmp_path, **options)
    assert caught.value.place == PLACE + key
