"""The three operations: from the fields of a request to those of its reply."""

import logging
import re
from collections.abc import Callable, Mapping

import soap
from desk import Desk, Refused

Fields = Mapping[str, str]

_INT = re.compile(r"[+-]?[0-9]{1,10}")

log = logging.getLogger("helpdesk")


def answer(desk: Desk, call: soap.Call, action: str = "") -> bytes:
    """Answer a call; `action` is its SOAPAction header, which may be empty."""
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        name = call.operation[:80]
        raise soap.Fault("Client", "UNKNOWN_OPERATION", f"there is no operation {name!r}")
    action = action.strip().strip('"')
    if action not in ("", f"{soap.NAMESPACE}/{call.operation}"):
        message = f"SOAPAction {action[:80]!r} is not that of {call.operation}"
        raise soap.Fault("Client", "BAD_INPUT", message)
    try:
        reply = operation(desk, call.fields)
    except Refused as refused:
        raise soap.Fault("Client", refused.code, refused.message) from refused
    except Exception as error:
        log.exception("%s failed", call.operation)
        raise soap.Fault("Server", "INTERNAL", f"{call.operation} failed") from error
    return soap.write(f"{call.operation}Response", reply)


def triage_ticket(desk: Desk, fields: Fields) -> dict[str, object]:
    """TriageTicket: what is this mail about?"""
    return desk.triage(*_mail(fields))._asdict()


def submit_ticket(desk: Desk, fields: Fields) -> dict[str, object]:
    """SubmitTicket: open a ticket."""
    number, decided = desk.submit(*_mail(fields))
    return {"ticketId": number, "category": decided.category, "priority": decided.priority}


def get_ticket(desk: Desk, fields: Fields) -> dict[str, object]:
    """GetTicket: look a ticket up."""
    _only(fields, "ticketId")
    number = fields.get("ticketId", "").strip()
    if not _INT.fullmatch(number) or abs(int(number)) >= 2**31:
        raise Refused("BAD_INPUT", f"ticketId {number[:20]!r} is not a number of a ticket")
    ticket = desk.get(int(number))._asdict()
    return {"ticketId": ticket.pop("id"), **ticket}


OPERATIONS: dict[str, Callable[[Desk, Fields], dict[str, object]]] = {
    "TriageTicket": triage_ticket,
    "SubmitTicket": submit_ticket,
    "GetTicket": get_ticket,
}


def _mail(fields: Fields) -> tuple[str, str, str]:
    _only(fields, "customer", "channel", "text")
    return fields.get("customer", ""), fields.get("channel", ""), fields.get("text", "")


def _only(fields: Fields, *names: str) -> None:
    for name in fields:
        if name not in names:
            raise Refused("BAD_INPUT", f"{name[:80]!r} is not expected here")
