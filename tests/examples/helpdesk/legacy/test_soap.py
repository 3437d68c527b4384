"""What a SOAP client sees, and what it sees when it asks wrongly."""

from decimal import Decimal
from typing import Any

import pytest
import zeep
import zeep.exceptions

NS = "urn:example:helpdesk"
MAIL = "<tns:customer>A-1</tns:customer><tns:channel>M</tns:channel><tns:text>my bill</tns:text>"


@pytest.fixture(scope="session")
def client(desk: Any) -> Any:
    make: Any = zeep.Client
    return make(desk.url + "?wsdl")


def code_of(fault: zeep.exceptions.Fault) -> str:
    return str(fault.detail.findtext(f"{{{NS}}}HelpDeskFault/{{{NS}}}code"))


def test_triage_answers_in_types(client: Any) -> None:
    reply = client.service.TriageTicket(customer="A-1", channel="M", text="Cancel my bill, cancel!")
    assert (reply.category, reply.priority, reply.score) == ("C03", 2, Decimal("0.50"))


def test_a_ticket_can_be_submitted_and_read(client: Any) -> None:
    text = "Größe < 3 & so on,\r\nmy invoice ]]> is wrong"
    done = client.service.SubmitTicket(customer="Ä & Co", channel="P", text=text)
    assert (done.category, done.priority) == ("C03", 2)
    ticket = client.service.GetTicket(ticketId=done.ticketId)
    assert (ticket.ticketId, ticket.customer, ticket.channel) == (done.ticketId, "Ä & Co", "P")
    assert (ticket.text, ticket.category, ticket.priority) == (text, "C03", 2)
    assert len(ticket.opened) == 8
    assert ticket.opened.isdigit()
    assert ticket.status == "O"


def test_ticket_numbers_rise(client: Any) -> None:
    first, second = (
        client.service.SubmitTicket(customer="A-1", channel="A", text="hello").ticketId
        for _ in range(2)
    )
    assert second == first + 1


@pytest.mark.parametrize("number", [0, -5, 2_000_000_000])
def test_an_unknown_ticket_is_not_found(client: Any, number: int) -> None:
    with pytest.raises(zeep.exceptions.Fault) as caught:
        client.service.GetTicket(ticketId=number)
    assert caught.value.code == "soap:Client"
    assert code_of(caught.value) == "NOT_FOUND"
    assert str(number) in caught.value.message


@pytest.mark.parametrize("operation", ["TriageTicket", "SubmitTicket"])
@pytest.mark.parametrize(
    ("customer", "channel", "text"),
    [("A-1", "M", ""), ("A-1", "M", " \n"), ("", "M", "hello"), ("A-1", "X", "hello")],
)
def test_bad_input_is_refused(
    client: Any, operation: str, customer: str, channel: str, text: str
) -> None:
    with pytest.raises(zeep.exceptions.Fault) as caught:
        client.service[operation](customer=customer, channel=channel, text=text)
    assert caught.value.code == "soap:Client"
    assert code_of(caught.value) == "BAD_INPUT"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("<tns:TriageTicket/>", "BAD_INPUT"),
        (f"<tns:TriageTicket>{MAIL}{MAIL}</tns:TriageTicket>", "BAD_INPUT"),
        (f"<tns:TriageTicket>{MAIL}<tns:colour/></tns:TriageTicket>", "BAD_INPUT"),
        (f"<tns:TriageTicket>{MAIL}<colour/></tns:TriageTicket>", "BAD_INPUT"),
        ("<tns:GetTicket/>", "BAD_INPUT"),
        ("<tns:GetTicket><tns:ticketId>1_0</tns:ticketId></tns:GetTicket>", "BAD_INPUT"),
        ("<tns:GetTicket><tns:ticketId>9999999999</tns:ticketId></tns:GetTicket>", "BAD_INPUT"),
        ("<tns:CloseTicket/>", "UNKNOWN_OPERATION"),
        ("<TriageTicket/>", "UNKNOWN_OPERATION"),
        ("<tns:GetTicket/><tns:GetTicket/>", "MALFORMED"),
        ("", "MALFORMED"),
        ("<tns:GetTicket>", "MALFORMED"),
    ],
)
def test_a_wrong_body_is_the_callers_fault(desk: Any, inner: str, code: str) -> None:
    status, reply = desk.call(inner)
    assert status == 500
    assert b"<faultcode>soap:Client</faultcode>" in reply
    assert f"<code>{code}</code>".encode() in reply


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"hello",
        b"<Envelope/>",
        b'<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body/></Envelope>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)
def test_malformed_xml_is_the_callers_fault(desk: Any, body: bytes) -> None:
    status, reply = desk.post(body)
    assert status == 500
    assert b"<faultcode>soap:Client</faultcode>" in reply
    assert b"<code>MALFORMED</code>" in reply


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("doctype", ["<!DOCTYPE a>", '<!DOCTYPE a SYSTEM "file:///x">', BOMB])
def test_a_doctype_is_refused(desk: Any, doctype: str, encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<a>&c;</a>'.encode(encoding)
    status, reply = desk.post(body, **{"Content-Type": "text/xml"})
    assert status == 500
    assert b"document type declaration" in reply


def test_a_foreign_soap_action_is_refused(desk: Any, client: Any) -> None:
    body = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        b'<GetTicket xmlns="urn:example:helpdesk"><ticketId>0</ticketId></GetTicket>'
        b"</e:Body></e:Envelope>"
    )
    assert b"NOT_FOUND" in desk.post(body, SOAPAction='"urn:example:helpdesk/GetTicket"')[1]
    assert b"NOT_FOUND" in desk.post(body, SOAPAction='""')[1]
    assert b"BAD_INPUT" in desk.post(body, SOAPAction='"urn:example:helpdesk/SubmitTicket"')[1]


def test_a_header_that_must_be_understood_is_refused(desk: Any) -> None:
    status, reply = desk.post(
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        b'<t xmlns="urn:x" e:mustUnderstand="1"/></e:Header><e:Body/></e:Envelope>'
    )
    assert status == 500
    assert b"not understood" in reply


def test_the_charset_of_the_http_header_counts(desk: Any) -> None:
    inner = f"<tns:TriageTicket>{MAIL}</tns:TriageTicket>".replace("A-1", "Jürgen")
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:tns="'
        f'{NS}"><e:Body>{inner}</e:Body></e:Envelope>'
    ).encode("iso-8859-1")
    assert desk.post(body, **{"Content-Type": "text/xml; charset=iso-8859-1"})[0] == 200
    assert desk.post(body)[0] == 500


def test_the_same_request_gets_the_same_bytes(desk: Any) -> None:
    inner = f"<tns:TriageTicket>{MAIL}</tns:TriageTicket>"
    assert desk.call(inner) == desk.call(inner)
    assert desk.call(inner)[1] == (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        b'<TriageTicketResponse xmlns="urn:example:helpdesk"><category>C03</category>'
        b"<priority>2</priority><score>1.00</score></TriageTicketResponse>"
        b"</soap:Body></soap:Envelope>\n"
    )


def test_the_bytes_of_a_fault(desk: Any) -> None:
    status, reply = desk.call("<tns:GetTicket><tns:ticketId>-7</tns:ticketId></tns:GetTicket>")
    assert status == 500
    assert reply == (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        b"<soap:Fault><faultcode>soap:Client</faultcode>"
        b"<faultstring>there is no ticket -7</faultstring>"
        b'<detail><HelpDeskFault xmlns="urn:example:helpdesk"><code>NOT_FOUND</code>'
        b"<message>there is no ticket -7</message></HelpDeskFault></detail></soap:Fault>"
        b"</soap:Body></soap:Envelope>\n"
    )
