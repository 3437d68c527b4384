"""Errors of ours as SOAP faults: what a caller is told, and with which HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

from ..acl import fault
from ..errors import FigError, InDoubt, InputError, LegacyUnavailable
from .http import Answer

__all__ = ["client_fault", "fault_of", "server_fault"]


def client_fault(
    text: str, *extra: tuple[bytes, bytes], detail: Mapping[str, str], status: int = 500
) -> Answer:
    """Say that the message is at fault. SOAP 1.1 asks for HTTP 500 once a message was read."""
    return Answer.own(status, fault.render("Client", text, detail), *extra)


def server_fault(
    text: str, *extra: tuple[bytes, bytes], detail: Mapping[str, str], status: int = 500
) -> Answer:
    """Say that we are, or legacy is, at fault."""
    return Answer.own(status, fault.render("Server", text, detail), *extra)


def fault_of(error: FigError, system: str, reference: str) -> Answer:
    """Give the fault of an error.

    What came in wrongly is named to its sender: message, place and expectation, but no value. Of
    our side only the system is named, and ``reference``, under which the log has the rest. The HTTP
    status is 503 only where nothing was sent, as load balancers repeat what got a 503; a call in
    doubt must not be repeated by a machine and is a 500.
    """
    about = {"class": type(error).__name__, "reference": reference}
    if isinstance(error, InputError):
        about |= {"place": error.place, "expected": error.expected, "remedy": error.remedy}
        return client_fault(error.message, detail=about)
    if isinstance(error, LegacyUnavailable):
        text = f"the system {system!r} cannot be reached; nothing was sent to it"
        return server_fault(text, (b"retry-after", b"5"), status=503, detail=about)
    if isinstance(error, InDoubt):
        text = f"the system {system!r} gave no whole answer: the call may have had its effect"
        return server_fault(text, detail=about)
    return server_fault(f"the call to {system!r} failed", detail=about)
