"""The HTTP server in front of a facade: order, limits, and ends that are heard."""

import asyncio
import contextlib
import time

import pytest

from stranglerfig.errors import ConfigError
from stranglerfig.facades.http import Answer
from stranglerfig.facades.server import Limits, Serving
from stranglerfig.transport.http1 import Upstream


class Echo:
    """Answers with what it got; waits where the path says so."""

    def __init__(self):
        self.got = []
        self.go = asyncio.Event()
        self.ended = 0

    def limit(self, request):
        return {"/bug": None}.get(request.path, 1000)

    def too_large(self, request):
        return Answer(413, [], b"too large: " + request.target)

    async def answer(self, request):
        self.got.append(request)
        try:
            if request.path.startswith("/wait"):
                await self.go.wait()
            if request.path == "/raise":
                raise ValueError("secret")
        finally:
            self.ended += 1
        if request.path == "/split":
            return Answer(200, [(b"a", b"b\r\nevil: 1")], b"")
        if request.path == "/large":
            return Answer(200, [], b"x" * 5_000_000)
        return Answer(200, [(b"X-Case", b"Kept")], request.target + b" " + request.body)


class Wire:
    """A raw client."""

    @classmethod
    async def to(cls, serving):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(serving.host, serving.port)
        return self

    def say(self, data):
        self.writer.write(data)

    async def hear(self):
        """Give status, headers and body of the next answer."""
        async with asyncio.timeout(60):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
        return int(first.split()[1]), headers, body

    async def end(self):
        """Wait for the other side's end, and give what came before it."""
        async with asyncio.timeout(60):
            rest = await self.reader.read()
        await self.close()
        return rest

    async def close(self):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def app():
    return Echo()


@pytest.fixture
async def serving(app):
    async with Serving(app, grace=0.2) as serving:
        yield serving


@pytest.fixture
async def wire(serving):
    wire = await Wire.to(serving)
    yield wire
    await wire.close()


async def test_a_request_and_its_answer(app, wire):
    wire.say(b"POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Kind: One\r\nContent-Length: 2\r\n\r\nhi")
    headers = {b"X-Case": b"Kept", b"content-length": b"13"}
    assert await wire.hear() == (200, headers, b"/a%20b?c=d hi")
    request = app.got[0]
    assert (request.method, request.path, request.query) == ("POST", "/a b", b"c=d")
    assert (b"x-kind", b"One") in request.headers


async def test_requests_come_in_pieces_of_any_size(app, wire):
    request = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    request += b"3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    for byte in request:
        wire.say(bytes([byte]))
        await wire.writer.drain()
        await asyncio.sleep(0)
    assert (await wire.hear())[2] == b"/x abcde"
    assert b"trailer" not in dict(app.got[0].headers)


async def test_pipelined_requests_are_answered_in_order_and_one_at_a_time(app, wire):
    wire.say(b"".join(b"GET /wait%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(20)))
    await until(lambda: app.got)
    await asyncio.sleep(0)
    assert len(app.got) == 1
    app.go.set()
    assert [(await wire.hear())[2] for _ in range(20)] == [b"/wait%d " % n for n in range(20)]


async def test_a_caller_that_only_listens_from_now_on_has_all_its_answers(app, wire):
    wire.say(b"".join(b"GET /wait%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(3)))
    wire.writer.write_eof()
    await until(lambda: app.got)
    app.go.set()
    assert [(await wire.hear())[2] for _ in range(3)] == [b"/wait%d " % n for n in range(3)]
    assert await wire.end() == b""


async def test_head_has_no_body(wire):
    wire.say(b"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\n\r\n")
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (await wire.hear())[2] == b"/y "


@pytest.mark.parametrize(
    ("line", "word", "stays"),
    [
        (b"HTTP/1.0\r\n", b"close", False),
        (b"HTTP/1.0\r\nConnection: keep-alive\r\n", b"keep-alive", True),
        (b"HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", b"close", False),
        (b"HTTP/1.1\r\nHost: h\r\n", None, True),
    ],
)
async def test_connections_stay_as_the_caller_asked(wire, line, word, stays):
    wire.say(b"GET /x " + line + b"\r\n")
    assert (await wire.hear())[1].get(b"connection") == word
    if stays:
        wire.say(b"GET /y " + line + b"\r\n")
        assert (await wire.hear())[2] == b"/y "
    else:
        assert await wire.end() == b""


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000, 431),
    ],
    ids=["nonsense", "http2", "connect", "both", "two lengths", "bad chunk", "long header"],
)
async def test_what_is_not_a_request_is_refused_and_the_connection_ends(app, wire, said, status):
    wire.say(said)
    assert (await wire.hear())[0] == status
    assert await wire.end() == b""
    assert not app.got


async def test_the_answer_to_a_good_request_comes_before_the_refusal_of_a_bad_one(app, wire):
    wire.say(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\nNONSENSE\r\n\r\n")
    await until(lambda: app.got)
    app.go.set()
    assert (await wire.hear())[2] == b"/wait "
    assert (await wire.hear())[0] == 400
    assert await wire.end() == b""


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(app, wire):
    wire.say(b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
    status, headers, body = await wire.hear()
    assert (status, headers[b"connection"], body) == (413, b"close", b"too large: /x")
    assert not app.got


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_caller_that_sends_all_of_a_large_body_hears_that_it_is_too_large(wire, chunked):
    if chunked:
        wire.say(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    else:
        wire.say(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 52428800\r\n\r\n")
    for _ in range(800):
        wire.say(b"10000\r\n" * chunked + b"x" * 65536 + b"\r\n" * chunked)
        await wire.writer.drain()
    assert (await wire.hear())[0] == 413
    assert await wire.end() == b""


async def test_continue_is_said_to_who_waits_for_it(app, wire):
    wire.say(b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert not app.got
    wire.say(b"hi")
    assert (await wire.hear())[2] == b"/x hi"


async def test_continue_is_said_in_order(app, wire):
    wire.say(
        b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"
        b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    await until(lambda: app.got)
    app.go.set()
    assert (await wire.hear())[2] == b"/wait "
    assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.say(b"hi")
    assert (await wire.hear())[2] == b"/x hi"


@pytest.mark.parametrize("step", [10_000, 9])
async def test_an_offer_to_upgrade_is_not_taken_and_the_body_is_not_lost(wire, step):
    # What Java's HttpClient sends by default to a plain http address.
    request = (
        b"POST /x HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 5\r\n"
        b"Host: h\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
        b"Upgrade: h2c\r\n\r\n"
        b"hello"
    )
    for _ in range(2):
        for start in range(0, len(request), step):
            wire.say(request[start : start + step])
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert (await wire.hear())[2] == b"/x hello"


async def test_an_app_that_fails_is_logged_and_the_caller_told_nothing(wire, caplog):
    wire.say(b"GET /raise HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await wire.hear())[::2] == (500, b"")
    assert "secret" in caplog.text
    wire.say(b"GET /y HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await wire.hear())[2] == b"/y "


async def test_an_app_that_cannot_even_say_its_limit_is_logged(wire, caplog):
    wire.say(b"POST /bug HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
    assert (await wire.hear())[0] == 500
    assert "TypeError" in caplog.text


async def test_an_answer_that_would_break_apart_is_not_sent(wire, caplog):
    wire.say(b"GET /split HTTP/1.1\r\nHost: h\r\n\r\n")
    status, headers, _ = await wire.hear()
    assert status == 500
    assert b"evil" not in headers
    assert "line end" in caplog.text


async def test_a_caller_that_leaves_disturbs_nobody(app, serving, caplog):
    for _ in range(3):
        wire = await Wire.to(serving)
        wire.say(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        await until(lambda: app.got)
        wire.writer.transport.abort()
        app.got.clear()
    half = await Wire.to(serving)
    half.say(b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nhal")
    half.writer.transport.abort()
    app.go.set()
    await until(lambda: app.ended == 3 and not serving.connections)
    up = Upstream(serving.address, timeout=30)
    assert (await up.request(b"GET", b"/y", [], b"")).body == b"/y "
    await up.close()
    assert not caplog.records


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhal", b"HTTP/1.1 408"),
    ],
)
async def test_callers_that_take_too_long_are_let_go(serving, wire, said, heard):
    wire.say(said)
    await until(lambda: len(serving.connections) == 1)
    await asyncio.sleep(0.05)
    for connection in list(serving.connections):
        connection.check(time.monotonic() + 1000)
    assert (await wire.end())[:12] == heard


async def test_an_answer_under_way_is_not_cut_off_by_time(app, serving, wire):
    wire.say(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
    await until(lambda: app.got)
    for connection in list(serving.connections):
        connection.check(time.monotonic() + 1000)
    app.go.set()
    assert (await wire.hear())[2] == b"/wait "


async def test_a_caller_that_never_reads_is_let_go(app):
    async with Serving(app, limits=Limits(write=0.01), grace=0.1) as serving:
        _, writer = await asyncio.open_connection(serving.host, serving.port, limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        await until(lambda: app.ended)
        await until(lambda: not serving.connections)
        writer.close()


async def test_the_port_is_known_and_loopback_is_the_default(serving):
    assert serving.address == f"http://127.0.0.1:{serving.port}"
    assert serving.port > 0


async def test_an_address_in_use_is_named(app, serving):
    place = "fig.toml: facade.soap.listen"
    with pytest.raises(ConfigError) as caught:
        async with Serving(app, serving.host, serving.port, place=place):
            pass
    assert caught.value.place == place
    assert str(serving.port) in caught.value.value


async def test_several_apps_side_by_side(app, serving):
    async with Serving(Echo()) as other:
        ups = [Upstream(one.address, timeout=30) for one in (serving, other)]
        bodies = [(await up.request(b"GET", b"/x", [], b"")).body for up in ups]
        for up in ups:
            await up.close()
    assert bodies == [b"/x ", b"/x "]


async def test_at_the_end_what_is_under_way_is_finished(app):
    async with Serving(app, grace=10) as serving:
        idle, busy = await Wire.to(serving), await Wire.to(serving)
        busy.say(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        await until(lambda: app.got)
        asyncio.get_running_loop().call_later(0.05, app.go.set)
    assert (await busy.hear())[1:] == (
        {b"X-Case": b"Kept", b"content-length": b"6", b"connection": b"close"},
        b"/wait ",
    )
    assert await busy.end() == await idle.end() == b""
    with pytest.raises(OSError, match="Connect"):
        await Wire.to(serving)


async def test_at_the_end_of_its_grace_what_is_under_way_is_ended(app):
    async with Serving(app, grace=0.05) as serving:
        wire = await Wire.to(serving)
        wire.say(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        await until(lambda: app.got)
    assert app.ended == 1
    await wire.close()


async def test_fifty_callers_at_a_time(app, serving):
    up = Upstream(serving.address, timeout=30, connections=50)
    targets = [b"/wait%d" % number for number in range(50)]
    asking = asyncio.gather(*(up.request(b"POST", t, [], t) for t in targets))
    await until(lambda: len(app.got) == 50)
    app.go.set()
    assert [r.body for r in await asking] == [b"%s %s" % (t, t) for t in targets]
    await up.close()
