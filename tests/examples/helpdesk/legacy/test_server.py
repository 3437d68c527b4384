"""The process: HTTP, the WSDL, starting and stopping."""

import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

MAIL = (
    "<tns:customer>A-1</tns:customer><tns:channel>M</tns:channel>"
    "<tns:text>cancel at once</tns:text>"
)
SUBMIT = f"<tns:SubmitTicket>{MAIL}</tns:SubmitTicket>"
GET = "<tns:GetTicket><tns:ticketId>{}</tns:ticketId></tns:GetTicket>"


def test_the_wsdl_names_its_own_address(desk: Any) -> None:
    connection = desk.connect()
    connection.request("GET", "/helpdesk?wsdl")
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert f'location="{desk.url}"'.encode() in response.read()
    connection.request("GET", "/helpdesk?wsdl", headers={"Host": '"><evil'})
    assert f'location="{desk.url}"'.encode() in connection.getresponse().read()
    connection.request("GET", "/")
    assert connection.getresponse().status == 404
    connection.close()


def test_a_connection_is_kept_through_faults(desk: Any) -> None:
    connection = desk.connect()
    connection.connect()
    kept = connection.sock
    for _ in range(3):
        connection.request("POST", "/helpdesk", b"<oops", {"Content-Type": "text/xml"})
        response = connection.getresponse()
        assert response.status == 500
        assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
        response.read()
        assert connection.sock is kept
    connection.close()


def test_a_body_over_one_megabyte_is_refused(desk: Any) -> None:
    status, reply = desk.post(b"x" * 1_000_001)
    assert status == 500
    assert b"<faultcode>soap:Client</faultcode>" in reply
    assert b"<code>TOO_LARGE</code>" in reply
    assert b"MALFORMED" in desk.post(b"x" * 1_000_000)[1]


def test_a_body_without_length_is_refused(desk: Any) -> None:
    with closing(desk.connect()) as connection:
        # Headers only: it answers without waiting for a body that it will not take.
        connection.putrequest("POST", "/helpdesk")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 500
        assert b"Content-Length" in response.read()


def test_a_caller_that_waits_to_continue_is_let_on(desk: Any) -> None:
    host, port = desk.url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(
            b"POST /helpdesk HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"<a/>")
        assert raw.recv(100).startswith(b"HTTP/1.1 500 ")


def test_another_path_is_refused(desk: Any) -> None:
    connection = desk.connect()
    connection.request("POST", "/other", b"<a/>")
    assert b"UNKNOWN_OPERATION" in connection.getresponse().read()
    connection.close()


def test_many_callers_write_at_once(start: Any, tmp_path: Path) -> None:
    own = start(tmp_path / "helpdesk.db")
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(own.call, [SUBMIT] * 64))
    assert {status for status, _ in replies} == {200}
    assert len({reply for _, reply in replies}) == 64
    own.stop()
    with sqlite3.connect(own.db) as connection:
        assert connection.execute("SELECT count(*), max(id) FROM tickets").fetchone() == (64, 64)
        row = connection.execute("SELECT score, status FROM tickets WHERE id = 1").fetchone()
        assert row == ("1.00", "O")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_ticket_outlives_the_process(start: Any, tmp_path: Path) -> None:
    first = start(tmp_path / "helpdesk.db")
    assert b"<ticketId>1</ticketId>" in first.call(SUBMIT)[1]
    before = first.call(GET.format(1))
    first.process.kill()
    first.process.wait()
    second = start(tmp_path / "helpdesk.db")
    assert before[0] == 200
    assert second.call(GET.format(1)) == before
    assert b"<ticketId>2</ticketId>" in second.call(SUBMIT)[1]


def test_sigterm_ends_it_cleanly_with_connections_open(start: Any, tmp_path: Path) -> None:
    own = start(tmp_path / "helpdesk.db")
    idle = own.connect()
    idle.request("GET", "/helpdesk?wsdl")
    idle.getresponse().read()
    begin = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - begin < 4
    idle.close()


def test_a_request_in_hand_is_answered_before_it_stops(start: Any, tmp_path: Path) -> None:
    own = start(tmp_path / "helpdesk.db")
    assert own.call(SUBMIT)[0] == 200
    other = sqlite3.connect(own.db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(own.call, SUBMIT)
        time.sleep(0.3)
        own.process.terminate()
        time.sleep(0.3)
        other.execute("COMMIT")
        status, reply = waiting.result(10)
    assert status == 200
    assert b"<ticketId>2</ticketId>" in reply
    assert own.process.wait(90) == 0
    other.close()


def test_a_broken_database_is_the_servers_fault(start: Any, tmp_path: Path) -> None:
    own = start(tmp_path / "helpdesk.db")
    with sqlite3.connect(own.db) as connection:
        connection.execute("DROP TABLE tickets")
    connection.close()
    status, reply = own.call(SUBMIT)
    assert status == 500
    assert b"<faultcode>soap:Server</faultcode>" in reply
    assert b"<code>INTERNAL</code>" in reply
    assert b"no such table" not in reply
    assert "no such table" in own.log.read_text()


def test_triage_over_one_connection_is_quick(desk: Any) -> None:
    connection = desk.connect()
    text = "I would like to know what my claim is about. " * 12
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        '<TriageTicket xmlns="urn:example:helpdesk"><customer>A-1</customer>'
        f"<channel>M</channel><text>{text}</text></TriageTicket></e:Body></e:Envelope>"
    ).encode()
    begin = time.perf_counter()
    for _ in range(200):
        connection.request("POST", "/helpdesk", body, {"Content-Type": "text/xml"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    connection.close()
    # A stall of Nagle's algorithm would be 40 ms; the rest is room for a busy machine.
    assert (time.perf_counter() - begin) / 200 < 0.02
