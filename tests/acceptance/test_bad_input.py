"""Bad input: a clear error, nothing lost, and the process is up afterwards."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest
from lxml import etree

TEXT = "I want my money back, please refund the premium of May"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OURS = "{urn:stranglerfig:error}"
BOMB = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "ha">{}]>'.format(
    "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
)
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="urn:example:helpdesk">'
    "<s:Body><t:TriageTicket><t:customer>C-1</t:customer><t:channel>M</t:channel>"
    "<t:text>{}</t:text></t:TriageTicket></s:Body></s:Envelope>"
)
FILE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
MESSAGES = {
    "nothing": (b"", "not well-formed"),
    "text": (b"hello", "not well-formed"),
    "JSON": (b'{"customer": "C-1"}', "not well-formed"),
    "cut off": (ENVELOPE.format(TEXT)[:-20].encode(), "not well-formed"),
    "crossed tags": (b"<a><b></a></b>", "not well-formed"),
    "bytes": (bytes(range(256)), "not well-formed"),
    "no UTF-8": (ENVELOPE.format("\xe9").encode("latin-1"), "not well-formed"),
    "an entity of nobody": (ENVELOPE.format("&nobody;").encode(), "not well-formed"),
    "an entity bomb": ((BOMB + ENVELOPE.format("&a9;")).encode(), ""),
    "a file": ((FILE + ENVELOPE.format("&f;")).encode(), "document type declaration"),
    "a DTD of the net": (
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + ENVELOPE.format("t")).encode(),
        "document type declaration",
    ),
    "too deep": (ENVELOPE.format("<a>" * 100_000 + "</a>" * 100_000).encode(), "not well-formed"),
    "no envelope": (b"<hello/>", "not a SOAP envelope"),
    "no Body": (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', "no Body"),
}


@pytest.fixture(scope="module")
def desk(make_desk):
    """The endpoint is live, so that the replacement would be asked."""
    desk = make_desk()
    desk.at("live")
    desk.process = desk.start("serve").with_model()
    desk.facade = desk.process.facade
    return desk


@pytest.fixture(autouse=True)
def still_up(request):
    """Whatever a test of this file sent, callers are served afterwards by the same process."""
    yield
    if "desk" in request.fixturenames:
        desk = request.getfixturevalue("desk")
        if hasattr(desk, "process"):
            assert desk.process.process.poll() is None
            assert b"C10" in desk.facade.triage(TEXT, "C-after").body
            assert "Traceback" not in desk.process.said()


def fault(answer, code):
    """The fault's text; it must be one of SOAP 1.1."""
    found = etree.fromstring(answer.body).find(f"{SOAP}Body/{SOAP}Fault")
    assert answer.headers["content-type"].startswith("text/xml")
    assert found.findtext("faultcode").partition(":")[2] == code
    return found.findtext("faultstring")


@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_that_is_no_call_gets_a_client_fault(desk, wait, what):
    body, words = MESSAGES[what]
    answer = desk.facade.post(body)
    assert answer.status == 500
    assert words in fault(answer, "Client")
    assert b"root:" not in answer.body, "nothing of our files"
    assert len(answer.body) < 4_000
    (reference,) = etree.fromstring(answer.body).iterfind(f".//{OURS}reference")
    line = f"refused message {reference.text}: "
    wait(lambda: line in desk.process.said(), "the log says which and why")


def test_a_body_of_50_megabytes_is_refused_before_it_is_read(desk):
    body = ENVELOPE.format("x" * 50_000_000).encode()
    answer = desk.facade.post(body)
    assert answer.status == 413
    assert "10000000 bytes" in fault(answer, "Client")


def test_50_megabytes_without_a_length_are_not_read_either(desk):
    """Chunked: the size shows while it comes."""
    with contextlib.closing(
        socket.create_connection((desk.facade.url.hostname, desk.facade.url.port), timeout=30)
    ) as raw:
        raw.sendall(
            b"POST /helpdesk HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"%x\r\n%s\r\n" % (1_000_000, b"x" * 1_000_000)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(50):
                raw.sendall(chunk)
        with contextlib.suppress(ConnectionResetError):
            assert raw.recv(12) in (b"HTTP/1.1 413", b"")


def test_a_body_of_12_megabytes_is_too_large_for_us_and_9_for_legacy(desk):
    assert desk.facade.post(b"x" * 12_000_000).status == 413
    ours, theirs = (
        soap.call("<tns:GetTicket>" + " " * 2_000_000 + "</tns:GetTicket>")
        for soap in (desk.facade, desk.legacy)
    )
    assert (ours.status, ours.body) == (theirs.status, theirs.body)
    assert b"TOO_LARGE" in theirs.body


@pytest.mark.parametrize(
    ("action", "operation"),
    [("GetTicket", "TriageTicket"), ("TriageTicket", "GetTicket"), ("SubmitTicket", "GetTicket")],
)
def test_an_action_of_another_operation_is_refused(desk, action, operation):
    before = desk.sql("SELECT count(*) FROM tickets")
    answer = desk.facade.call(f"<tns:{operation}/>", SOAPAction=f'"urn:example:helpdesk/{action}"')
    assert answer.status == 500
    text = fault(answer, "Client")
    assert action in text
    assert operation in text
    assert desk.sql("SELECT count(*) FROM tickets") == before


def test_a_wrong_qname_is_answered_as_legacy_does(desk):
    call = "<tns:TriageTickets><tns:customer>C</tns:customer></tns:TriageTickets>"
    ours, theirs = desk.facade.call(call), desk.legacy.call(call)
    assert (ours.status, ours.body) == (theirs.status, theirs.body)
    assert "no operation" in fault(ours, "Client")


def test_garbage_instead_of_http(desk):
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"):
        with contextlib.closing(
            socket.create_connection((desk.facade.url.hostname, desk.facade.url.port), timeout=30)
        ) as raw:
            raw.sendall(garbage + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            assert raw.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 505", b"")


def test_callers_who_leave_in_the_middle(desk):
    for part in (60, 300):
        head = b"POST /helpdesk HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
        with contextlib.closing(
            socket.create_connection((desk.facade.url.hostname, desk.facade.url.port), timeout=30)
        ) as raw:
            raw.sendall((head + ENVELOPE.encode())[:part])


def test_legacy_that_is_down_is_a_server_fault_that_may_be_tried_again(desk_without_legacy):
    desk = desk_without_legacy
    answer = desk.facade.get(1)
    assert answer.status == 503
    assert "nothing was sent" in fault(answer, "Server")
    assert answer.headers["retry-after"]
    refused = desk.facade.triage(TEXT, "C-1", "Z")  # for legacy to judge
    assert refused.status == 503
    served = desk.facade.triage(TEXT)
    assert served.status == 200, "the replacement does not need legacy"
    assert b"C10" in served.body
    lines = [entry.line.data for entry in desk.journal()]
    assert [data["status"] for data in lines if data["served_by"] == ""] == ["error"]


@pytest.fixture
def desk_without_legacy(make_desk):
    desk = make_desk()
    desk.at("live")
    desk.facade = desk.start("serve").with_model().facade
    desk.legacy_process.stop()
    return desk


@pytest.fixture
def bridge(tmp_path, make_desk):
    """Tickets are in shadow and the bridge runs."""
    desk = make_desk()
    desk.install()
    desk.at("shadow", "ticket-opened")
    desk.bridge = desk.start("bridge", "run")
    return desk


def test_a_row_that_the_mapping_refuses_is_kept_whole_and_holds_nobody_up(bridge, wait):
    row = ("C-bad", "X", "über \U0001f4b6", "C05", 2, "0.50", "20261123")
    assert bridge.legacy.submit(TEXT, "C-before").status == 200
    columns = "(customer, channel, text, category, priority, score, opened)"
    bridge.sql(f"INSERT INTO tickets {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
    number = bridge.sql("SELECT max(id) FROM tickets")[0][0]
    assert bridge.legacy.submit(TEXT, "C-after").status == 200
    wait(lambda: len(bridge.journal(endpoint="ticket-opened")) == 2, "its neighbours flow")
    wait(lambda: bridge.reader.dead_letters.count() == 1, "it is kept")
    keys = {entry.line.data["key"] for entry in bridge.journal(endpoint="ticket-opened")}
    assert keys == {"C-before", "C-after"}
    (kept,) = bridge.reader.dead_letters.read(source="tickets")
    image = json.loads(kept.letter.record.body)
    assert image["customer"] == "C-bad"
    assert image["channel"] == "X"
    assert image["text"] == "über \U0001f4b6"
    assert str(image["id"]) == str(number)
    assert kept.letter.error["error"] == "MappingError"
    assert "channel" in json.dumps(kept.letter.error)
    assert kept.letter.attempts == 1, "what is refused is not tried again and again"
    (line,) = bridge.journal("dead", "")
    assert line.line.data["reason"]
    assert bridge.sql("SELECT count(*) FROM fig_event WHERE done_at IS NULL") == [(0,)]
    assert bridge.bridge.stop() == 0
    assert bridge.broken() == []


def error_of(done, status):
    """What a person reads: the error with its place; no traceback."""
    assert done.status == status, done.err
    assert "Traceback" not in done.err
    _, _, said = done.err.rpartition("error: ")
    assert said
    return said


@pytest.fixture
def edited(desk, tmp_path):
    """A copy of the workspace's files that a test may spoil."""
    import shutil

    class Copy:
        root = tmp_path / "copy"

        def fig(self, *arguments):
            return desk.fig("-w", str(self.root), *arguments)

        def spoil(self, file, old, new):
            text = (self.root / file).read_text("utf-8")
            assert old in text
            (self.root / file).write_text(text.replace(old, new), "utf-8")

    ignored = shutil.ignore_patterns("*.db*", "*.log")
    shutil.copytree(desk.root, Copy.root, ignore=ignored)
    return Copy()


@pytest.mark.parametrize("command", ["check", "up", "route list", "bridge run"])
def test_an_unknown_key_names_file_key_and_a_near_name(edited, command):
    edited.spoil("fig.toml", "listen = ", "lisen = ")
    said = error_of(edited.fig(*command.split()), 3)
    assert "fig.toml: facade.soap.lisen" in said
    assert "did you mean 'listen'?" in said


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("fig.toml", "[endpoint.triage-ticket]", "[endpont.triage-ticket]", "endpont"),
        ("fig.toml", "[workspace]", "[workspace", "fig.toml"),
        ("fig.toml", 'adapter = "soap"', 'adapter = "soup"', "soap"),
        ("fig.toml", "ladder      = [10, 50]", "ladder      = [50, 10]", "ladder"),
        ("acl/triage_ticket.toml", 'dst = "customer"', 'dst = "custommer"', "custommer"),
        ("acl/triage_ticket.toml", 'as = "decimal(2)"', 'as = "decimel(2)"', "decimel"),
        ("operations/ticket.triage@1.toml", '"decimal"', '"decimol"', "ticket.triage@1.toml"),
        ("fig.toml", "ticket.triage@1", "ticket.triage@7", "ticket.triage@7"),
    ],
)
def test_a_workspace_that_is_wrong_is_refused_with_its_place(edited, file, old, new, names):
    edited.spoil(file, old, new)
    assert names in error_of(edited.fig("serve"), 3)


def test_labels_with_a_missing_column(edited):
    (edited.root / "golden.csv").write_text("txet,category\nhello,refund\n", "utf-8")
    edited.spoil("fig.toml", 'compare     = ["category"]\nladder', 'golden = "golden.csv"\nladder')
    said = error_of(edited.fig("serve"), 4)
    assert "golden.csv" in said
    assert "text" in said


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("text,label\nhello,refund\n", "category"),
        ("", "is empty"),
        ("text,category\n\n", ""),
        ("text,category\nonly one value\n", "line 2"),
    ],
)
def test_learning_from_a_file_with_a_missing_column(edited, content, names):
    pytest.importorskip("stranglerfig.ai.local")
    edited.spoil(
        "fig.toml",
        'provider = "py:stranglerfig.tests.acceptance.scripted:Scripted"\nprocess = "shared"\n',
        'provider = "local"\nmodel = "models/triage"\ntext = "text"\npredicts = "category"\n',
    )
    file = str(edited.root / "learn.csv")
    (edited.root / "learn.csv").write_text(content, "utf-8")
    said = error_of(edited.fig("learn", "triage-ticket", "--from", file), 4)
    assert "learn.csv" in said
    assert names in said


def test_a_port_that_is_taken(desk, edited):
    edited.spoil("fig.toml", "127.0.0.1:0", f"127.0.0.1:{desk.facade.url.port}")
    said = error_of(edited.fig("serve"), 3)
    assert "facade.soap.listen" in said
    assert "another port" in said
