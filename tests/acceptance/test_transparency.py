"""A caller cannot tell the facade from the legacy service."""

from __future__ import annotations

import pytest

from stranglerfig.model import Stage

MAILS = [
    ("C-1", "M", "I want my money back, please refund the premium of May"),
    ("C-2", "P", "Wo bleibt mein Geld? Größe 5 € — “jetzt” \U0001f4b6"),
    ("C-3", "W", "a < b & c > d ]]> \"quoted\" 'twice'\nsecond line\ttabbed"),
    ("C-4", "A", "urgent: my car was stolen"),
    ("C-5", "M", "nothing that any table knows"),
    ("C-6", "M", "x" * 15_000),
    (" C-7 ", "M", "  spaces  around  "),
]
REFUSED = [
    ("", "M", "no customer"),
    ("C-1", "Z", "an unknown channel"),
    ("C-1", "", "no channel"),
    ("C-1", "M", ""),
    ("C-1", "M", "   "),
]
NUMBERS = ["1", "999999", "0", "-1", "", "seven", "99999999999999999999", " 1 "]


@pytest.fixture(scope="module", params=["legacy", "shadow"])
def desk(request, make_desk):
    """The endpoint stands where legacy serves; the tickets 1 and 2 are there."""
    desk = make_desk()
    desk.stage = request.param
    if request.param == "shadow":
        desk.at("shadow")
    process = desk.start("serve")
    desk.facade = process.facade
    if request.param == "shadow":
        process.with_model()
    for customer, channel, text in MAILS[:2]:
        assert desk.legacy.submit(text, customer, channel).status == 200
    return desk


@pytest.fixture(scope="module")
def both(desk):
    """Two old clients, each made from the WSDL of its address."""
    return desk.facade.zeep().service, desk.legacy.zeep().service


def outcome(service, operation, arguments):
    """What a caller meets: the answer's fields, or the fault's."""
    from lxml import etree
    from zeep.exceptions import Fault
    from zeep.helpers import serialize_object

    try:
        return serialize_object(getattr(service, operation)(**arguments), dict)
    except Fault as fault:
        detail = None if fault.detail is None else etree.tostring(fault.detail)
        return ("fault", fault.code, fault.message, fault.actor, detail)


@pytest.mark.parametrize(("customer", "channel", "text"), MAILS + REFUSED)
def test_triage_is_the_same_for_an_old_client(both, customer, channel, text):
    arguments = {"customer": customer, "channel": channel, "text": text}
    ours, theirs = (outcome(service, "TriageTicket", arguments) for service in both)
    assert ours == theirs
    assert isinstance(theirs, tuple) is ((customer, channel, text) in REFUSED)


@pytest.mark.parametrize(("customer", "channel", "text"), MAILS + REFUSED)
def test_submitting_is_the_same_but_for_the_number(desk, both, customer, channel, text):
    arguments = {"customer": customer, "channel": channel, "text": text}
    ours, theirs = (outcome(service, "SubmitTicket", arguments) for service in both)
    if isinstance(theirs, tuple):
        assert ours == theirs
        return
    assert theirs.pop("ticketId") == ours.pop("ticketId") + 1
    assert ours == theirs
    rows = desk.sql("SELECT customer, channel, text FROM tickets ORDER BY id DESC LIMIT 2")
    assert rows[0] == rows[1], "and the same is kept"


@pytest.mark.parametrize("number", [1, 2, 999_999, 0, -1])
def test_looking_up_is_the_same(both, number):
    ours, theirs = (outcome(service, "GetTicket", {"ticketId": number}) for service in both)
    assert ours == theirs
    assert isinstance(theirs, tuple) is (number not in (1, 2))


def same(desk, method):
    """Bytes, status and the headers that speak of the body."""
    ours, theirs = method(desk.facade), method(desk.legacy)
    assert ours.body == theirs.body
    assert ours.status == theirs.status
    for name in ("content-type", "content-length"):
        assert ours.headers.get(name) == theirs.headers.get(name)
    return ours


@pytest.mark.parametrize(("customer", "channel", "text"), MAILS + REFUSED)
def test_what_legacy_decides_comes_through_byte_for_byte(desk, customer, channel, text):
    answer = same(desk, lambda soap: soap.triage(text, customer, channel))
    assert answer.status == (500 if (customer, channel, text) in REFUSED else 200)


@pytest.mark.parametrize("number", NUMBERS)
def test_pass_through_is_byte_for_byte(desk, number):
    same(desk, lambda soap: soap.get(number))


ODD = {
    "unknown operation": "<tns:CloseTicket><tns:ticketId>1</tns:ticketId></tns:CloseTicket>",
    "another namespace": '<GetTicket xmlns="urn:other"><ticketId>1</ticketId></GetTicket>',
    "no namespace": "<GetTicket><ticketId>1</ticketId></GetTicket>",
    "another case": "<tns:getticket><tns:ticketId>1</tns:ticketId></tns:getticket>",
    "an empty Body": "",
    "a stranger field": "<tns:TriageTicket><tns:customer>C</tns:customer>"
    "<tns:channel>M</tns:channel><tns:text>t</tns:text><tns:more>x</tns:more></tns:TriageTicket>",
    "fields in another order": "<tns:TriageTicket><tns:text>refund</tns:text>"
    "<tns:channel>M</tns:channel><tns:customer>C</tns:customer></tns:TriageTicket>",
    "a field missing": "<tns:TriageTicket><tns:customer>C</tns:customer></tns:TriageTicket>",
    "CDATA": "<tns:TriageTicket><tns:customer>C</tns:customer><tns:channel>M</tns:channel>"
    "<tns:text><![CDATA[refund & <more>]]></tns:text></tns:TriageTicket>",
    "a comment": "<!-- hello --><tns:GetTicket><tns:ticketId>1</tns:ticketId></tns:GetTicket>",
    "a default namespace": '<TriageTicket xmlns="urn:example:helpdesk"><customer>C</customer>'
    "<channel>M</channel><text>refund</text></TriageTicket>",
}


@pytest.mark.parametrize("what", ODD)
def test_odd_messages_are_answered_as_legacy_does(desk, what):
    same(desk, lambda soap: soap.call(ODD[what]))


@pytest.mark.parametrize(
    "action", ["", '""', '"urn:example:helpdesk/GetTicket"', "urn:example:helpdesk/GetTicket"]
)
def test_the_action_of_the_operation_may_be_written_as_ever(desk, action):
    call = "<tns:GetTicket><tns:ticketId>1</tns:ticketId></tns:GetTicket>"
    assert same(desk, lambda soap: soap.call(call, SOAPAction=action)).status == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/helpdesk"), ("GET", "/nothing?x=1"), ("GET", "/")]
)
def test_other_requests_go_to_legacy_too(desk, method, path):
    assert same(desk, lambda soap: soap.request(method, path)).status == 404


@pytest.mark.parametrize("query", ["wsdl", "WSDL"])
def test_the_wsdl_differs_in_its_address_only(desk, query):
    ours, theirs = (
        soap.request("GET", f"/helpdesk?{query}") for soap in (desk.facade, desk.legacy)
    )
    assert ours.status == theirs.status == 200
    ports = [f"127.0.0.1:{soap.url.port}".encode() for soap in (desk.facade, desk.legacy)]
    assert ours.body.count(ports[0]) == 1
    assert ports[1] not in ours.body
    assert ours.body.replace(ports[0], ports[1]) == theirs.body
    assert ours.headers["content-type"].startswith("text/xml")


def test_a_connection_is_kept_over_answers_and_faults(desk):
    """An old client keeps one connection for all that it does."""
    import http.client

    connection = http.client.HTTPConnection(desk.facade.url.hostname, desk.facade.url.port)
    ports = set()
    for body in (b"<no", b"", *[desk_envelope(number) for number in (1, 999_999, 2)]):
        connection.request("POST", "/helpdesk", body, {"Content-Type": "text/xml"})
        assert connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


def desk_envelope(number):
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<GetTicket xmlns="urn:example:helpdesk"><ticketId>{number}</ticketId></GetTicket>'
        "</s:Body></s:Envelope>"
    ).encode()


def test_shadow_told_the_journal_and_nobody_else(desk, wait):
    """The comparisons of this file's calls come in; the callers saw none of it."""
    if desk.stage == "legacy":
        desk.facade.triage("refund", "C-last")
        wait(lambda: desk.lines_of(""), "legacy's own lines are there")
        assert desk.journal("comparison") == []
        return
    desk.facade.triage("refund", "C-last")
    (entry,) = desk.lines_of("C-last")
    assert entry.line.data["stage"] == Stage.SHADOW
    assert entry.line.data["served_by"] == "legacy"
    request = entry.line.request_id
    wait(
        lambda: request in {one.line.request_id for one in desk.journal("comparison")},
        "the comparison is in the journal",
    )
