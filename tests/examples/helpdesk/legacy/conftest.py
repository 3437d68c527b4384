"""The help desk in its own process, as callers meet it."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

LEGACY = Path(__file__).parents[4] / "examples" / "helpdesk" / "legacy"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class HelpDesk:
    """One running server."""

    def __init__(self, db: Path, *arguments: str) -> None:
        self.db = db
        self.log = db.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(LEGACY / "server.py"),
                    "--db",
                    str(db),
                    "--port",
                    "0",
                    *arguments,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        watchdog = threading.Timer(20, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line.startswith("listening on "):
            self.stop()
            raise AssertionError(self.log.read_text())
        self.url = line.removeprefix("listening on ").strip()

    def connect(self) -> http.client.HTTPConnection:
        """A keep-alive connection to it."""
        url = urlsplit(self.url)
        assert url.hostname is not None
        return http.client.HTTPConnection(url.hostname, url.port, timeout=20)

    def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer to one POST."""
        connection = self.connect()
        try:
            connection.request(
                "POST", "/helpdesk", body, {"Content-Type": "text/xml; charset=utf-8", **headers}
            )
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def call(self, inner: str) -> tuple[int, bytes]:
        """Post `inner` in the Body of an envelope."""
        return self.post(
            f'<soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:tns="urn:example:helpdesk">'
            f"<soap:Body>{inner}</soap:Body></soap:Envelope>".encode()
        )

    def triage(self, text: str) -> str:
        """The reply to TriageTicket for this text (already escaped)."""
        status, reply = self.call(
            "<tns:TriageTicket><tns:customer>A-1</tns:customer><tns:channel>M</tns:channel>"
            f"<tns:text>{text}</tns:text></tns:TriageTicket>"
        )
        assert status == 200, reply
        return reply.decode()

    def stop(self) -> int:
        """Send SIGTERM; the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(90)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


Start = Callable[..., HelpDesk]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpDesk]:
    """The help desk with its own tables, shared by all tests that do not stop it."""
    running = HelpDesk(tmp_path_factory.mktemp("helpdesk") / "helpdesk.db")
    yield running
    running.stop()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a help desk of one's own; whatever still runs is stopped at the end."""
    running: list[HelpDesk] = []

    def begin(db: Path, *arguments: str) -> HelpDesk:
        running.append(HelpDesk(db, *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.stop()
