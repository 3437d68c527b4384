"""A whole workspace on real processes and sockets: legacy, ``fig`` and those who call them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest

from stranglerfig import app, config
from stranglerfig.demo.workspace import copy_example
from stranglerfig.model import Route, Stage, Step
from stranglerfig.store import Store
from stranglerfig.store.chain import verify
from stranglerfig.store.line import Entry
from stranglerfig.tests.importable import importable
from stranglerfig.tests.stores import store_database, store_file

HERE = Path(__file__).parent
PATIENCE = 90.0
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:tns="urn:example:helpdesk"><soap:Body>{}</soap:Body></soap:Envelope>'
)
XML = {"Content-Type": "text/xml; charset=utf-8"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder starts real processes."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.process)


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition, and fail where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.02)


class Answer(NamedTuple):
    """What came back for one HTTP request."""

    status: int
    headers: dict[str, str]
    body: bytes


class Done(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str

    def json(self) -> dict:
        """Give what was printed: one line of JSON."""
        return json.loads(self.out)

    def lines(self) -> list[dict]:
        """Give what was printed: JSON, a value a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A process of ours: what it prints is kept, and it is ended by its own id."""

    def __init__(
        self, command: Sequence[str], *, folder: Path, log: Path, env: dict, **options: object
    ) -> None:
        self.log = log
        self.printed: list[str] = []
        self._more = threading.Condition()
        with log.open("ab") as errors:
            self._start = log.stat().st_size
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                **options,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._more:
                self.printed.append(line.rstrip("\n"))
                self._more.notify_all()

    def said(self) -> str:
        """Give what it logged so far."""
        return self.log.read_bytes()[self._start :].decode("utf-8", "replace")

    def line(self, wanted: Callable[[str], bool], seconds: float = PATIENCE) -> str:
        """Wait for a line that it prints."""
        found = []

        def look() -> bool:
            found[:] = [line for line in self.printed if wanted(line)]
            return bool(found) or self.process.poll() is not None

        with self._more:
            end = time.monotonic() + seconds
            while not look() and time.monotonic() < end:
                self._more.wait(0.1)
        if not found:
            self._reader.join(1)
            look()
        assert found, f"ended {self.process.poll()}: {self.said()}"
        return found[0]

    def event(self, name: str, **fields: object) -> dict:
        """Wait for an event that it announces."""

        def wanted(line: str) -> bool:
            value = json.loads(line)
            return value["event"] == name and fields.items() <= value.items()

        return json.loads(self.line(wanted))

    def ready(self) -> Running:
        """Wait until it is, or has said what is missing."""
        self.line(lambda line: json.loads(line)["event"] in {"ready", "waiting"})
        return self

    def with_model(self) -> Running:
        """Wait until the replacement can answer, too."""
        self.event("replacement")
        return self

    def probe(self, path: str) -> tuple[int, str]:
        """Ask the probes of a process that was started with ``--health``."""
        url = urlsplit(self.event("health")["address"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def status(self) -> dict:
        """Give what it says of itself."""
        return json.loads(self.probe("/status")[1])

    def source(self, name: str = "tickets") -> dict:
        """Give what it says of a source; nothing where it takes nothing from it."""
        found = self.status()["sources"].get(name)
        return {} if found is None else found["status"]

    @property
    def facade(self) -> Soap:
        """The SOAP facade that it serves."""
        return Soap(self.event("listening")["address"])

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self._close()

    def stop(self) -> int:
        """Ask it to end; it must."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(90)
        finally:
            self.kill()

    def _close(self) -> None:
        self.process.wait(90)
        self._reader.join(30)
        self.process.stdout.close()


class Soap:
    """A SOAP address, as its callers use it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.url = urlsplit(address)

    def request(
        self,
        method: str,
        path: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request over a connection of its own."""
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path or self.url.path, body, headers or {})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())

    def post(self, body: str | bytes, **headers: str) -> Answer:
        """Post a body as it is; ``SOAPAction_`` and the like name headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        return self.request("POST", body=data, headers={**XML, **named})

    def call(self, inner: str, **headers: str) -> Answer:
        """Post what stands in a Body."""
        return self.post(ENVELOPE.format(inner), **headers)

    def mail(
        self, operation: str, text: str, customer: str, channel: str = "M", **headers: str
    ) -> Answer:
        """Call TriageTicket or SubmitTicket."""
        return self.call(
            f"<tns:{operation}><tns:customer>{escape(customer)}</tns:customer>"
            f"<tns:channel>{escape(channel)}</tns:channel>"
            f"<tns:text>{escape(text)}</tns:text></tns:{operation}>",
            **headers,
        )

    def triage(self, text: str, customer: str = "C-1", channel: str = "M") -> Answer:
        """Ask what a mail is about."""
        return self.mail("TriageTicket", text, customer, channel)

    def submit(
        self, text: str, customer: str = "C-1", channel: str = "M", **headers: str
    ) -> Answer:
        """Open a ticket."""
        return self.mail("SubmitTicket", text, customer, channel, **headers)

    def get(self, number: object) -> Answer:
        """Look a ticket up."""
        return self.call(f"<tns:GetTicket><tns:ticketId>{number}</tns:ticketId></tns:GetTicket>")

    def zeep(self):
        """A client as any caller has it: made from the WSDL."""
        import zeep

        return zeep.Client(f"{self.address}?wsdl")


class Desk:
    """The example's workspace, its legacy service running, and everything started in it."""

    def __init__(self, root: Path, *, provider: str = "scripted", store: str = "") -> None:
        self.root = root
        self.store_file = root / "fig.db"
        self.url = store or f"sqlite:///{self.store_file}"
        self._running: list[Running] = []
        copy_example(root)
        self.env = {**os.environ, "PYTHONPATH": importable(), "FIG_WHO": "tester"}
        self.env.pop("COLUMNS", None)  # pytest's own
        self.legacy = self._start_legacy()
        self.edit("fig.toml", "127.0.0.1:8701", f"127.0.0.1:{self.legacy.url.port}")
        self.edit("fig.toml", "127.0.0.1:8700", "127.0.0.1:0")
        if store:
            self.edit("fig.toml", "sqlite:///fig.db", store)
        if provider == "scripted":
            self._script()
        if not store:
            store_file(self.store_file)
        self.reader = Store(self.url)

    def _start_legacy(self) -> Soap:
        command = (sys.executable, "legacy/server.py", "--db", "legacy/helpdesk.db", "--port", "0")
        self.legacy_process = self.run(*command, log="legacy.log")
        line = self.legacy_process.line(lambda text: text.startswith("listening"))
        return Soap(line.removeprefix("listening on "))

    def _script(self) -> None:
        self.newest("0001")
        self.behave("answer")
        text = (self.root / "fig.toml").read_text("utf-8")
        start = text.index("[replacement.triage]")
        end = text.index("# -- what we serve")
        table = (
            "[replacement.triage]\n"
            'provider = "py:stranglerfig.tests.acceptance.scripted:Scripted"\n'
            'process = "shared"\ndeadline = 0.4\n\n'
        )
        (self.root / "fig.toml").write_text(text[:start] + table + text[end:], "utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file of the workspace."""
        text = (self.root / file).read_text("utf-8")
        assert old in text
        (self.root / file).write_text(text.replace(old, new), "utf-8")

    def behave(self, word: str) -> None:
        """Have the replacement behave so from the next request on."""
        (self.root / "behaviour.new").write_text(word, "utf-8")
        (self.root / "behaviour.new").rename(self.root / "behaviour")

    def newest(self, revision: str) -> None:
        """Say which revision the replacement's newest is."""
        (self.root / "newest").write_text(revision, "utf-8")

    def run(self, *command: str, log: str = "fig.log", **options: object) -> Running:
        """Start a program in the workspace."""
        running = Running(command, folder=self.root, log=self.root / log, env=self.env, **options)
        self._running.append(running)
        return running

    def start(self, *command: str, **options: object) -> Running:
        """Start ``fig up`` and the like, and wait until it is ready."""
        fig = (sys.executable, "-m", "stranglerfig", "-v", "-w", str(self.root))
        return self.run(*fig, *command, "--json", **options).ready()

    def bridge(self, **options: object) -> Running:
        """Start a bridge whose probes can be asked."""
        return self.start("bridge", "run", "--health", "127.0.0.1:0", **options)

    def fig(self, *arguments: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "stranglerfig", "-w", str(self.root), *arguments],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def route(self, action: str, endpoint: str = "triage-ticket", *arguments: str) -> dict:
        """Change or show a route; it must go well."""
        done = self.fig("route", action, endpoint, *arguments, "--json")
        assert done.status == 0, done.err
        return done.json()

    def at(self, stage: str, endpoint: str = "triage-ticket", percent: float = 0.0) -> Route:
        """Bring a route to a stage, whatever the evidence says."""
        step = Step(stage=Stage(stage), percent=percent)
        workspace = config.load(self.root)
        with app.store(workspace) as store:
            operator = app.operator(workspace, store, endpoint, who="tester")
            return operator.advance(step, why="a test", force=True)

    def install(self) -> None:
        """Put the triggers into legacy's table."""
        app.installable(config.load(self.root), "tickets").install()

    def journal(self, kind: str = "request", endpoint: str = "triage-ticket") -> list[Entry]:
        """Read the durable lines of a kind."""
        return list(self.reader.journal.read(kinds=[kind], endpoint=endpoint))

    def lines_of(self, customer: str, endpoint: str = "triage-ticket") -> list[Entry]:
        """Read the lines of one customer's requests, waiting until there are some."""

        def found() -> list[Entry]:
            lines = self.journal(endpoint=endpoint)
            return [entry for entry in lines if entry.line.data["key"] == customer]

        until(found, f"the journal has a line of {customer}")
        return found()

    def broken(self) -> list:
        """Name where the journal's chain does not hold."""
        return list(verify(self.reader.database))

    def tickets(self, count: int, *, first: int = 1, table: str = "tickets") -> None:
        """Insert rows as legacy does, each of a customer of its own."""
        with contextlib.closing(sqlite3.connect(self.root / "legacy/helpdesk.db")) as connection:
            connection.execute("PRAGMA busy_timeout = 30000")
            connection.executemany(
                f"INSERT INTO {table} (customer, channel, text, category, priority, score, opened,"
                " status) VALUES (?, 'M', 'refund me', 'C10', 2, '0.90', '20260101', 'O')",
                [(f"C-{number}",) for number in range(first, first + count)],
            )
            connection.commit()

    def waiting(self) -> int:
        """Count captured rows that are not settled."""
        return self.sql("SELECT count(*) FROM fig_event WHERE done_at IS NULL")[0][0]

    def sql(self, statement: str, *values: object, db: str = "legacy/helpdesk.db") -> list[tuple]:
        """Run one statement on a database."""
        with contextlib.closing(sqlite3.connect(self.root / db, timeout=30)) as connection:
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
        return rows

    def close(self) -> None:
        """End whatever runs still."""
        for running in reversed(self._running):
            if running.process.poll() is None:
                running.stop()
            else:
                running.kill()
        self.reader.engine.dispose()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace of one's own, the replacement scripted, every route at legacy."""
    made = Desk(tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A workspace with its store on a file, and one with it on a server."""
    server = request.param == "postgresql"
    store = store_database(request.getfixturevalue("postgresql")) if server else ""
    made = Desk(tmp_path / "desk", store=store)
    yield made
    made.close()


@pytest.fixture(scope="module")
def make_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Desk]]:
    """Make workspaces that the tests of a file share."""
    made: list[Desk] = []

    def make(**options: str) -> Desk:
        made.append(Desk(tmp_path_factory.mktemp("shared") / "desk", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def wait() -> Callable[..., None]:
    """Wait for a condition: ``wait(condition, what, seconds)``."""
    return until
