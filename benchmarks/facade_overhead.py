"""What the SOAP facade costs: pass-through of a 3 KB call that is routed by its Body.

Run it alone: ``python benchmarks/facade_overhead.py``. Each part is a process: a static upstream,
the real facade, an aiohttp server with an aiohttp client that forwards and does nothing else, and
a load generator with 32 connections that stay open. The measured process has one processor to
itself where there are two; load and upstream share the other. Targets are measured in short turns
within each repeat, of which the best counts; ratios are taken within a repeat, and medians over the
repeats. ``CPU us`` is what the measured process used for a call: the steadiest figure where the
machine is shared. The goal is against aiohttp as it comes; on uvloop, which it does not bring, it
is shown beside it. The last line is JSON; the exit status is 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import httptools
import uvloop

Figures = dict[str, float]

GOAL = 2.0
CONNECTIONS = 32
PATH = "/tickets"
NS = "urn:bench"
ACTION = "urn:bench:Submit"

_LEAF = "<b:field{0:02}>value of field {0:02}</b:field{0:02}>"
REQUEST = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
    'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:b="urn:bench"><soap:Body>'
    f"<b:Submit>{''.join(_LEAF.format(n) for n in range(60))}</b:Submit>"
    "</soap:Body></soap:Envelope>"
).encode()
REPLY = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
    'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:b="urn:bench"><soap:Body>'
    f"<b:SubmitResponse>{''.join(_LEAF.format(n) for n in range(18))}</b:SubmitResponse>"
    "</soap:Body></soap:Envelope>"
).encode()
WSDL = f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="{NS}"
 xmlns:t="{NS}" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
<message name="Submit"><part name="p" element="t:Submit"/></message>
<portType name="P"><operation name="Submit"><input message="t:Submit"/></operation></portType>
<binding name="B" type="t:P">
<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="Submit"><soap:operation soapAction="{ACTION}"/></operation></binding>
<service name="S"><port name="P" binding="t:B"><soap:address location="http://x/"/></port></service>
</definitions>""".encode()


class Static(asyncio.Protocol):
    """The upstream: the same answer to everything."""

    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
        % (len(REPLY), REPLY)
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(self.answer)  # type: ignore[attr-defined]


class Caller(asyncio.Protocol):
    """One connection of the load: the next call when the answer is whole."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.size = 0
        self.sent = time.perf_counter()
        self.transport.write(self.load.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.size += len(body)

    def on_message_complete(self) -> None:
        good = self.parser.get_status_code() == 200 and self.size == len(REPLY)
        self.load.calls += 1
        self.load.took.append(time.perf_counter() - self.sent if good else -1.0)
        if self.load.running:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if self.load.running:
            self.load.took.append(-1.0)


class Load:
    """What all connections of one measurement share."""

    def __init__(self, port: int) -> None:
        self.running = True
        self.calls = 0
        self.took: list[float] = []
        self.request = (
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: text/xml; charset=utf-8\r\n"
            b'SOAPAction: "%s"\r\nUser-Agent: load\r\nContent-Length: %d\r\n\r\n%s'
            % (PATH.encode(), port, ACTION.encode(), len(REQUEST), REQUEST)
        )


async def measure(port: int, seconds: float) -> Figures:
    loop = asyncio.get_running_loop()
    load = Load(port)
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", port)
    await asyncio.sleep(seconds / 4)
    load.took.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    while not load.took:  # noqa: ASYNC110 - a starved machine: some answer must come
        await asyncio.sleep(seconds)
    took, lasted = sorted(load.took), time.perf_counter() - began
    load.running = False
    if took[0] < 0:
        raise SystemExit(f"port {port}: {sum(t < 0 for t in took)} bad answers of {len(took)}")
    return {
        "calls": load.calls,
        "rate": len(took) / lasted,
        "p50": took[len(took) // 2] * 1e3,
        "p99": took[len(took) * 99 // 100] * 1e3,
    }


async def upstream(_: int) -> None:
    server = await asyncio.get_running_loop().create_server(Static, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def facade(port: int) -> None:
    from stranglerfig.facades.server import Serving
    from stranglerfig.facades.soap import SoapFacade, SoapSystem
    from stranglerfig.facades.wsdl import PublishedWsdl
    from stranglerfig.model import Record
    from stranglerfig.telemetry import Counters
    from stranglerfig.transport.http1 import Upstream

    async def wsdl() -> bytes:
        return WSDL

    async def serve(record: Record) -> Record:
        return record

    system = SoapSystem(
        path=PATH,
        upstream=Upstream(f"http://127.0.0.1:{port}{PATH}", timeout=30),
        wsdl=PublishedWsdl(wsdl),
        endpoints={f"{{{NS}}}Other": serve},
    )
    app = SoapFacade({"bench": system}, Counters())
    await app.open()
    async with Serving(app) as serving:
        ready(serving.port)
        await asyncio.Event().wait()


async def forwarder(port: int) -> None:
    from aiohttp import ClientSession, TCPConnector, web

    hop = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
    session = ClientSession(connector=TCPConnector(limit=64), auto_decompress=False)

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in hop]
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        async with session.request(request.method, url, headers=headers, data=body) as answer:
            back = [(k, v) for k, v in answer.headers.items() if k.lower() not in hop]
            whole = await answer.read()
        return web.Response(status=answer.status, headers=dict(back), body=whole)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ready(runner.addresses[0][1])
    await asyncio.Event().wait()


def ready(port: int) -> None:
    print(json.dumps({"port": port}), flush=True)


ROLES: dict[str, Callable[[int], Awaitable[None]]] = {
    "upstream": upstream,
    "facade": facade,
    "aiohttp": forwarder,
    "aiohttp-uv": forwarder,
}
"""``aiohttp`` runs on asyncio's own loop, as it comes; all others on uvloop."""


class Target(NamedTuple):
    """A process that answers at a port."""

    process: int
    port: int


@contextmanager
def started(role: str, port: int, processor: int) -> Iterator[Target]:
    command = [sys.executable, __file__, "--role", role, "--port", str(port)]
    command += ["--processor", str(processor)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Target(process.pid, json.loads(process.stdout.readline())["port"])
        finally:
            process.kill()


class Slices:
    """The load generator's process, asked for one short measurement at a time."""

    def __init__(self, processor: int) -> None:
        command = [sys.executable, __file__, "--role", "load", "--processor", str(processor)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def measure(self, port: int, seconds: float) -> Figures:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{port} {seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the load generator ended")
        figures: Figures = json.loads(line)
        return figures


def spent(process: int) -> float:
    """Give the processor seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one_repeat(
    slices: Slices, targets: dict[str, Target], count: int, seconds: float
) -> dict[str, Figures]:
    """Measure all targets in short turns and take the best of each: neighbours only ever slow."""
    runs: dict[str, list[Figures]] = {name: [] for name in targets}
    for _ in range(count):
        for name in random.sample(list(targets), len(targets)):
            before = spent(targets[name].process)
            figures = slices.measure(targets[name].port, seconds)
            figures["cpu"] = (spent(targets[name].process) - before) / figures["calls"] * 1e6
            runs[name].append(figures)
    return {
        name: {
            figure: (max if figure == "rate" else min)(run[figure] for run in mine)
            for figure in mine[0]
        }
        for name, mine in runs.items()
    }


def report(repeats: list[dict[str, Figures]]) -> bool:
    def middle(name: str, figure: str, base: str = "") -> float:
        return statistics.median(
            run[name][figure] - (run[base][figure] if base else 0.0) for run in repeats
        )

    heads = ("req/s", "CPU us", "p50 ms", "p99 ms", "added p50", "added p99")
    print(f"{'':12}" + "".join(f"{head:>11}" for head in heads))
    for name in repeats[0]:
        row = [middle(name, figure) for figure in ("rate", "cpu", "p50", "p99")]
        row += [middle(name, figure, "direct") for figure in ("p50", "p99")]
        print(f"{name:12}{row[0]:11,.0f}{row[1]:11.1f}" + "".join(f"{r:11.2f}" for r in row[2:]))
    ratios = {}
    for peer in ("aiohttp", "aiohttp-uv"):
        name = f"facade_per_{peer.replace('-', '_')}"
        each = [run["facade"]["rate"] / run[peer]["rate"] for run in repeats]
        cpu = [run[peer]["cpu"] / run["facade"]["cpu"] for run in repeats]
        print(f"{name}, within repeats:", " ".join(f"{ratio:.2f}" for ratio in each))
        ratios[name] = round(statistics.median(each), 3)
        ratios[f"{name}_by_cpu"] = round(statistics.median(cpu), 3)
    met = ratios["facade_per_aiohttp"] >= GOAL
    goals = {"facade_per_aiohttp": GOAL}
    result = {"benchmark": "facade_overhead", "ratios": ratios, "goals": goals, "met": met}
    print(json.dumps(result))
    return met


def bench(repeats: int, count: int, seconds: float) -> bool:
    processors = sorted(os.sched_getaffinity(0))
    measured, others = processors[0], processors[-1]
    with ExitStack() as stack:
        static = stack.enter_context(started("upstream", 0, others))
        targets = {"direct": static}
        for role in ("facade", "aiohttp", "aiohttp-uv"):
            targets[role] = stack.enter_context(started(role, static.port, measured))
        slices = stack.enter_context(Slices(others))
        return report([one_repeat(slices, targets, count, seconds) for _ in range(repeats)])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--slices", type=int, default=6, help="of each target in a repeat")
    arguments.add_argument("--seconds", type=float, default=0.3, help="of a slice")
    arguments.add_argument("--role", choices=[*ROLES, "load"], help=argparse.SUPPRESS)
    arguments.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    arguments.add_argument("--processor", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.processor is not None:
        os.sched_setaffinity(0, {given.processor})
    if given.role == "load":
        for line in sys.stdin:
            port, seconds = line.split()
            print(json.dumps(uvloop.run(measure(int(port), float(seconds)))), flush=True)
        return 0
    if given.role:
        run = asyncio.run if given.role == "aiohttp" else uvloop.run
        run(ROLES[given.role](given.port))
        return 0
    return 0 if bench(given.repeats, given.slices, given.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
