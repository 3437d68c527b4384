"""The help desk over HTTP: python server.py --db helpdesk.db --port 8080"""

import argparse
import logging
import re
import signal
import socketserver
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import operations
import soap
from desk import Desk
from keywords import BadTable

PATH = "/helpdesk"
MAX_BODY = 1_000_000
MAX_DISCARD = 16 * MAX_BODY
XML = "text/xml; charset=utf-8"

_HERE = Path(__file__).parent
_WSDL_ADDRESS = "http://localhost/helpdesk"
_LENGTH = re.compile(r"[0-9]{1,18}")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")

log = logging.getLogger("helpdesk")


class HelpDeskServer(ThreadingHTTPServer):
    """One thread a connection; finishes the requests in hand before it stops."""

    request_queue_size = 128

    def __init__(self, host: str, port: int, desk: Desk) -> None:
        self.desk = desk
        self._idle = threading.Condition()
        self._busy = 0
        self._stopping = False
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Bind without the name lookup of the base class, which may be slow."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def enter(self) -> bool:
        """A request begins; False when the server is about to stop."""
        with self._idle:
            self._busy += not self._stopping
            return not self._stopping

    def leave(self) -> None:
        """A request is answered."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Take no new request; wait for those in hand."""
        with self._idle:
            self._stopping = True
            return self._idle.wait_for(lambda: self._busy == 0, seconds)

    def handle_error(self, request: object, client_address: object) -> None:
        """Note a broken connection; nobody is left to answer."""
        log.warning("connection of %s broke: %r", client_address, sys.exception())


class Handler(BaseHTTPRequestHandler):
    """The requests of one keep-alive connection."""

    server: HelpDeskServer
    server_version = "HelpDesk/2.1"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300

    def do_GET(self) -> None:
        """Answer the WSDL."""
        url = urlsplit(self.path)
        if url.path != PATH or url.query.lower() != "wsdl":
            self._send(404, "text/plain", f"only {PATH}?wsdl is here\n".encode())
            return
        wsdl = (_HERE / "helpdesk.wsdl").read_text(encoding="utf-8")
        host = self.headers.get("Host", "")
        if not _HOST.fullmatch(host):
            host = f"{self.server.server_name}:{self.server.server_port}"
        self._send(200, XML, wsdl.replace(_WSDL_ADDRESS, f"http://{host}{PATH}").encode())

    def do_POST(self) -> None:
        """Answer a call."""
        if not self.server.enter():
            self.close_connection = True
            return
        try:
            try:
                reply = self._call()
            except soap.Fault as fault:
                log.info("fault %s: %s", fault.code, fault.message)
                self._send(500, XML, soap.write_fault(fault))
            else:
                self._send(200, XML, reply)
            self.wfile.flush()
        finally:
            self.server.leave()

    def _call(self) -> bytes:
        body = self._body()
        if urlsplit(self.path).path != PATH:
            raise soap.Fault("Client", "UNKNOWN_OPERATION", f"the address is {PATH}")
        charset = self.headers.get_param("charset")
        call = soap.read(body, charset if isinstance(charset, str) else None)
        return operations.answer(self.server.desk, call, self.headers.get("SOAPAction", ""))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            self.close_connection = True
            raise soap.Fault("Client", "MALFORMED", "a request needs a Content-Length")
        if int(length) > MAX_BODY:
            self.close_connection = True
            left = min(int(length), MAX_DISCARD)
            while left > 0 and (chunk := self.rfile.read(min(left, 65536))):
                left -= len(chunk)
            raise soap.Fault("Client", "TOO_LARGE", f"the body is over {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError(f"got {len(body)} bytes of {length}")
        return body

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Let a caller that waits for `100 Continue` go on at once."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def finish(self) -> None:
        """Close this thread's database connection with the caller's."""
        try:
            super().finish()
        finally:
            self.server.desk.close()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent about requests that went well."""

    def log_message(self, format: str, *args: object) -> None:
        """Log as the rest of the desk does."""
        log.info(format, *args)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="The help desk, a SOAP service.")
    parser.add_argument("--db", type=Path, required=True, help="the SQLite file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free one")
    parser.add_argument("--keywords", type=Path, default=_HERE / "keywords.csv")
    parser.add_argument("--categories", type=Path, default=_HERE / "categories.csv")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        desk = Desk(options.db, options.keywords, options.categories)
        server = HelpDeskServer(options.host, options.port, desk)
    except (BadTable, OSError, sqlite3.Error) as error:
        log.error("cannot start: %s", error)
        return 2

    def stop(signum: int, _: object) -> None:
        log.info("stopping on %s", signal.Signals(signum).name)
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"listening on http://{options.host}:{server.server_port}{PATH}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    if not server.drain(5):
        log.warning("stopped with requests in hand")
    desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
