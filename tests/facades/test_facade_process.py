"""The facade as a process: what large bodies cost it, and what leaving callers do to it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from stranglerfig.testing.peer import Peer, plain
from stranglerfig.transport.http1 import Upstream

pytestmark = pytest.mark.process

PROGRAM = """
import asyncio, json, signal, sys
import uvloop
from stranglerfig.facades.server import Serving
from stranglerfig.facades.soap import SoapFacade, SoapSystem
from stranglerfig.facades.wsdl import PublishedWsdl
from stranglerfig.telemetry import Counters
from stranglerfig.transport.http1 import Upstream

async def main():
    upstream = Upstream(sys.argv[1], timeout=30)
    async def wsdl():
        return (await upstream.request(b"GET", b"/x?wsdl", [], b"")).body
    system = SoapSystem(path="/x", upstream=upstream, wsdl=PublishedWsdl(wsdl))
    app = SoapFacade({"x": system}, Counters())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Serving(app) as serving:
        print(json.dumps(serving.port), flush=True)
        await stop.wait()
    await app.close()
    await upstream.close()

uvloop.run(main())
"""
BODY = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>%s</a></s:Body>'
    b"</s:Envelope>"
)


def resident(process):
    """Give the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.fixture
async def scene():
    async def says(request, writer):
        writer.write(plain(b"%d" % len(request)))

    async with Peer(says) as peer:
        path = os.pathsep.join(p for p in sys.path if p)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            peer.address,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        port = json.loads(await process.stdout.readline())
        up = Upstream(f"http://127.0.0.1:{port}", timeout=60)
        yield process, up
        await up.close()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0


async def stream(up, size, *, leave_after=None):
    """Send a body of that size in pieces, chunked; give the answer's first line."""
    reader, writer = await asyncio.open_connection(up.address.host, up.address.port)
    writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for number in range(size // 65536):
        writer.write(piece)
        await writer.drain()
        if number == leave_after:
            writer.transport.abort()
            return b""
    line = await reader.readline()
    writer.transport.abort()
    return line


async def test_large_bodies_are_not_held(scene):
    process, up = scene
    assert (await up.request(b"POST", b"/x", [], BODY % b"x")).status == 200
    before = resident(process.pid)
    for _ in range(3):
        assert b" 413 " in await stream(up, 50_000_000)
        response = await up.request(b"POST", b"/x", [], b"x" * 50_000_000)
        assert response.status == 413
    assert resident(process.pid) - before < 25
    assert (await up.request(b"POST", b"/x", [], BODY % b"x")).status == 200


async def test_callers_that_leave_in_the_middle_kill_nothing(scene):
    process, up = scene
    before = resident(process.pid)
    await asyncio.gather(*(stream(up, 5_000_000, leave_after=20 + n) for n in range(30)))
    assert (await up.request(b"POST", b"/x", [], BODY % b"x")).status == 200
    assert process.returncode is None
    assert resident(process.pid) - before < 100
