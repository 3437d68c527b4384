"""The pooled client against a server that does what servers do."""

import asyncio
import ssl
import subprocess
import time

import pytest

from stranglerfig.errors import ConfigError, InDoubt, InputError, LegacyUnavailable
from stranglerfig.testing.peer import Peer, plain
from stranglerfig.transport.http1 import Upstream

POST = (b"POST", b"/x", [(b"X-Kind", b"a")], b"hello")


async def ok(_, writer):
    writer.write(plain(b"fine"))


def upstream(peer, **more):
    return Upstream(peer.address, **{"timeout": 5.0, **more})


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def ask(peer, *request, **more):
    up = upstream(peer, **more)
    try:
        return await up.request(*(request or POST))
    finally:
        await up.close()


async def test_a_request_arrives_as_it_was_given():
    async with Peer(ok) as peer:
        response = await ask(peer)
        host = f"Host: 127.0.0.1:{peer.port}".encode()
    assert (response.status, response.reason, response.body) == (200, b"OK", b"fine")
    lines = [b"POST /x HTTP/1.1", host, b"X-Kind: a", b"Content-Length: 5", b"", b"hello"]
    assert peer.requests == [b"\r\n".join(lines)]


async def test_a_connection_is_used_again():
    async with Peer(ok) as peer:
        up = upstream(peer)
        for _ in range(5):
            await up.request(*POST)
        await up.close()
    assert (peer.connections, len(peer.requests)) == (1, 5)


async def test_host_and_length_of_the_caller_are_replaced():
    async with Peer(ok) as peer:
        await ask(peer, b"POST", b"/", [(b"HOST", b"evil"), (b"content-Length", b"99")], b"abc")
    assert b"evil" not in peer.requests[0]
    assert peer.requests[0].lower().count(b"content-length") == 1


@pytest.mark.parametrize("idle", [4.0, 0.0])
async def test_a_connection_that_the_server_closed_or_that_is_too_old_is_not_used(idle):
    async def once(_, writer):
        writer.write(plain(b"fine"))
        if idle:
            await writer.drain()
            writer.close()

    async with Peer(once) as peer:
        up = upstream(peer, idle=idle)
        for _ in range(4):
            assert (await up.request(*POST)).body == b"fine"
            if idle:
                await until(lambda: not peer.open)
        await up.close()
    assert peer.connections == len(peer.requests) == 4


async def test_idle_connections_are_closed_without_a_further_request():
    async with Peer(ok) as peer:
        up = upstream(peer, idle=0.05)
        await asyncio.gather(*(up.request(*POST) for _ in range(3)))
        await until(lambda: peer.open == 0)
        await up.close()


def dies_at(number):
    """Answer all but that request, where the connection ends instead."""
    seen = []

    async def says(request, writer):
        seen.append(request)
        if len(seen) == number:
            writer.transport.abort()
        else:
            writer.write(plain(b"fine"))

    return says


async def test_a_repeatable_request_on_a_used_connection_that_died_goes_out_once_more():
    async with Peer(dies_at(2)) as peer:
        up = upstream(peer)
        await up.request(*POST)
        assert (await up.request(*POST, repeatable=True)).body == b"fine"
        await up.close()
    assert (peer.connections, len(peer.requests)) == (2, 3)


async def test_what_is_not_repeatable_is_in_doubt_and_not_sent_again():
    async with Peer(dies_at(2)) as peer:
        up = upstream(peer)
        await up.request(*POST)
        with pytest.raises(InDoubt, match="was sent"):
            await up.request(*POST)
        await up.close()
    assert len(peer.requests) == 2


async def test_a_fresh_connection_that_died_is_in_doubt_even_where_repeatable():
    async with Peer(dies_at(1)) as peer:
        up = upstream(peer)
        with pytest.raises(InDoubt):
            await up.request(*POST, repeatable=True)
        await up.close()
    assert len(peer.requests) == 1


async def test_an_answer_that_had_begun_is_never_asked_for_again():
    async def says(_, writer):
        half = len(peer.requests) > 1
        writer.write(plain(b"fine")[: 20 if half else None])
        await writer.drain()
        if half:
            writer.close()

    async with Peer(says) as peer:
        up = upstream(peer)
        await up.request(*POST)
        with pytest.raises(InDoubt):
            await up.request(*POST, repeatable=True)
        await up.close()
    assert len(peer.requests) == 2


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "ends in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "ends in a chunk": CHUNKED + b"9\r\nhalf",
    "ends before the last chunk": CHUNKED + b"4\r\nhalf\r\n",
    "ends in the headers": b"HTTP/1.1 200 OK\r\nContent-",
    "ends at once": b"",
    "is not HTTP": b"220 mail.example ESMTP\r\n",
    "has two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "switches protocols": b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "has endless headers": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "is too large": plain(b"x" * 2_000),
    "is too large in chunks": CHUNKED + b"7d1\r\n" + b"x" * 2001,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_no_whole_answer_is_in_doubt(answer):
    async def says(_, writer):
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with Peer(says) as peer:
        with pytest.raises(InDoubt) as caught:
            await ask(peer, max_response=1_000)
    assert caught.value.place == f"http://127.0.0.1:{peer.port}/"
    assert caught.value.remedy


GOOD = {
    "chunked": (
        CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        b"abcde",
        True,
    ),
    "chunked with a trailer": (
        CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
        b"abc",
        True,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b"", True),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + plain(b"abc"), b"abc", True),
    "after 103": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + plain(b"abc"), b"abc", True),
    "offers an upgrade": (plain(b"abc", b"Connection: Upgrade", b"Upgrade: h2c"), b"abc", True),
    "says close": (plain(b"abc", b"Connection: close"), b"abc", False),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    "obsolete text": (plain(b"abc", b"X-Name: M\xfcller"), b"abc", True),
}


@pytest.mark.parametrize(("answer", "body", "kept"), GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_whole_answers(answer, body, kept, step):
    async def says(_, writer):
        for start in range(0, len(answer), step):
            writer.write(answer[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)

    async with Peer(says) as peer:
        up = upstream(peer)
        first = await up.request(*POST)
        second = await up.request(*POST)
        await up.close()
    assert first.body == body
    assert second == first
    assert b"X-Sum" not in dict(first.headers)
    assert b"Link" not in dict(first.headers)
    assert peer.connections == (1 if kept else 2)


async def test_an_answer_without_length_ends_with_its_connection():
    async def says(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of")
        await writer.drain()
        writer.write(b" it")
        await writer.drain()
        writer.close()

    async with Peer(says) as peer:
        assert (await ask(peer)).body == b"all of it"


async def test_head_has_headers_only_and_its_connection_goes_on():
    async def says(request, writer):
        answer = plain(b"body")
        writer.write(answer.partition(b"body")[0] if request.startswith(b"HEAD") else answer)

    async with Peer(says) as peer:
        up = upstream(peer)
        for _ in range(2):
            head = await up.request(b"HEAD", b"/", [], b"")
            assert (head.body, dict(head.headers)[b"Content-Length"]) == (b"", b"4")
            assert (await up.request(b"GET", b"/", [], b"")).body == b"body"
        await up.close()
    assert peer.connections == 1


@pytest.mark.parametrize("extra", [plain(b"evil"), b"garbage"])
async def test_bytes_that_nobody_asked_for_never_become_an_answer(extra):
    async def says(_, writer):
        writer.write(plain(b"%d" % len(peer.requests)) + extra)

    async with Peer(says) as peer:
        up = upstream(peer)
        bodies = [(await up.request(*POST)).body for _ in range(3)]
        await up.close()
    assert bodies == [b"1", b"2", b"3"]
    assert peer.connections == 3


async def test_a_slow_server_is_in_doubt_at_the_deadline_and_its_connection_is_gone():
    async def says(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.Event().wait()

    async with Peer(says) as peer:
        up = upstream(peer)
        begun = time.monotonic()
        with pytest.raises(InDoubt, match=r"within 0\.\d+ s"):
            await up.request(*POST, timeout=0.2)
        assert 0.19 < time.monotonic() - begun < 3
        peer.says = ok
        assert (await up.request(*POST)).body == b"fine"
        await up.close()
    assert peer.connections == 2


async def test_a_later_deadline_on_one_connection_does_not_lift_an_earlier_one():
    async def says(_, writer):
        if len(peer.requests) == 1:
            writer.write(plain(b"fine"))

    async with Peer(says) as peer:
        up = upstream(peer, timeout=60.0)
        await up.request(*POST)
        with pytest.raises(InDoubt):
            await up.request(*POST, timeout=0.1)
        await up.close()


async def test_an_earlier_deadline_on_one_connection_does_not_shorten_a_later_one():
    async def says(_, writer):
        if len(peer.requests) == 2:
            await asyncio.sleep(0.2)
        writer.write(plain(b"fine"))

    async with Peer(says) as peer:
        up = upstream(peer)
        await up.request(*POST, timeout=0.1)
        assert (await up.request(*POST, timeout=5.0)).body == b"fine"
        await up.close()
    assert peer.connections == 1


async def test_nobody_there_is_unavailable(unused_tcp_port):
    up = Upstream(f"http://127.0.0.1:{unused_tcp_port}/x", timeout=5)
    with pytest.raises(LegacyUnavailable) as caught:
        await up.request(*POST)
    await up.close()
    assert "nothing was sent" in caught.value.remedy


async def test_only_the_callers_own_credentials_are_sent():
    async with Peer(ok) as peer:
        up = Upstream(peer.address, timeout=5)
        await up.request(*POST)
        await up.request(b"GET", b"/", [(b"authorization", b"Bearer x")], b"")
        await up.close()
    assert b"authorization" not in peer.requests[0].lower()
    assert b"authorization: Bearer x" in peer.requests[1]


def test_an_address_with_credentials_is_refused():
    with pytest.raises(ConfigError, match="holds credentials"):
        Upstream("http://me:secret@127.0.0.1/x", timeout=5)


async def test_a_name_that_does_not_resolve_is_unavailable():
    up = Upstream("http://nowhere.invalid/x", timeout=5)
    with pytest.raises(LegacyUnavailable):
        await up.request(*POST)
    await up.close()


async def test_requests_beyond_the_connections_wait_their_turn():
    async def says(_, writer):
        await asyncio.sleep(0.01)
        writer.write(plain(b"fine"))

    async with Peer(says) as peer:
        up = upstream(peer, connections=3)
        responses = await asyncio.gather(*(up.request(*POST) for _ in range(20)))
        await up.close()
    assert {response.body for response in responses} == {b"fine"}
    assert peer.most == 3


async def test_waiting_too_long_for_a_turn_is_unavailable_and_takes_none_away():
    free = asyncio.Event()

    async def says(_, writer):
        await free.wait()
        writer.write(plain(b"fine"))

    async with Peer(says) as peer:
        up = upstream(peer, connections=1)
        long = asyncio.create_task(up.request(*POST))
        await until(lambda: peer.requests)
        with pytest.raises(LegacyUnavailable, match="busy"):
            await up.request(*POST, timeout=0.05)
        given_up = asyncio.create_task(up.request(*POST))
        await asyncio.sleep(0)
        given_up.cancel()
        free.set()
        assert (await long).body == b"fine"
        assert (await up.request(*POST)).body == b"fine"
        await up.close()
    assert len(peer.requests) == 2


async def test_a_cancelled_request_closes_its_connection_and_gives_its_turn_back():
    async def silent(_, writer):
        await asyncio.Event().wait()

    async with Peer(silent) as peer:
        up = upstream(peer, connections=1)
        for number in range(3):
            task = asyncio.create_task(up.request(*POST))
            await until(lambda n=number: len(peer.requests) > n)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        peer.says = ok
        assert (await up.request(*POST)).body == b"fine"
        await up.close()
    assert peer.connections == 4


async def test_large_bodies_go_both_ways():
    async def echo(request, writer):
        writer.write(plain(request.partition(b"\r\n\r\n")[2]))

    body = bytes(range(256)) * 20_000
    async with Peer(echo) as peer:
        assert (await ask(peer, b"POST", b"/", [], body)).body == body


async def test_a_refusal_before_all_was_sent_is_an_answer():
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(plain(b"no", b"Connection: close", status=b"413 Too Large"))
        await writer.drain()
        while await reader.read(65536):
            pass
        writer.close()
        done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    up = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=5)
    assert (await up.request(b"POST", b"/", [], b"x" * 20_000_000)).status == 413
    await up.close()
    await done.wait()
    server.close()


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (b"/", [(b"A", b"b\r\nX-Evil: 1")]),
        (b"/", [(b"A", b"b\nX-Evil: 1")]),
        (b"/", [(b"A\r\nX-Evil", b"1")]),
        (b"/ HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /", []),
        (b"/a b", []),
    ],
)
async def test_what_would_break_the_request_apart_is_refused(target, headers):
    async with Peer(ok) as peer:
        with pytest.raises(InputError):
            await ask(peer, b"POST", target, headers, b"")
    assert peer.requests == []


async def test_closing_twice_and_asking_after_it():
    async with Peer(ok) as peer:
        up = upstream(peer)
        await up.request(*POST)
        await up.close()
        await up.close()
        with pytest.raises(LegacyUnavailable, match="closed"):
            await up.request(*POST)
        await until(lambda: peer.open == 0)


async def test_closing_breaks_what_is_under_way_and_frees_who_waits():
    async def silent(_, writer):
        await asyncio.Event().wait()

    async with Peer(silent) as peer:
        up = upstream(peer, connections=1)
        sent = asyncio.create_task(up.request(*POST))
        await until(lambda: peer.requests)
        waits = asyncio.create_task(up.request(*POST))
        await asyncio.sleep(0)
        await up.close()
        with pytest.raises(InDoubt):
            await sent
        with pytest.raises(LegacyUnavailable):
            await waits


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", key, "-out", pem, "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


@pytest.fixture
async def tls_address(certificate):
    async def serve(reader, writer):
        try:
            while await reader.readuntil(b"hello"):
                writer.write(plain(b"secret"))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    yield f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    server.close()


async def test_https_with_a_certificate_of_ones_own(tls_address, certificate):
    up = Upstream(tls_address, timeout=5, ca=str(certificate[1]))
    for _ in range(3):
        assert (await up.request(*POST)).body == b"secret"
    await up.close()


async def test_https_with_a_certificate_that_nobody_trusts_is_unavailable(tls_address):
    up = Upstream(tls_address, timeout=5)
    with pytest.raises(LegacyUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await up.request(*POST)
    await up.close()
