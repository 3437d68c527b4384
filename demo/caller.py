"""The old client: it reads the WSDL, calls the service, and knows of nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import msgspec

from ..registry import missing
from .data import Message

__all__ = ["Caller", "Sent"]

_CHANNELS = "PMWA"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One call as its caller saw it; ``error`` is empty where it was answered.

    ``ticket``: it was submitted as well.
    """

    category: str = ""
    error: str = ""
    ticket: bool = False


class Caller:
    """Calls TriageTicket over a few kept connections; every fifth message it submits as well."""

    def __init__(self, wsdl: str, *, threads: int = 6) -> None:
        try:
            import zeep  # noqa: F401, PLC0415  # an extra
        except ModuleNotFoundError as error:
            raise missing("demo", error) from error
        self._wsdl = wsdl
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="caller")
        self._numbers = count(1)
        self.sent = 0
        self.errors: list[str] = []
        self.submitted = 0

    def send(self, messages: Sequence[Message]) -> Iterator[Sent]:
        """Send messages, each as a customer of its own; gives the answers in order."""
        numbered = [(next(self._numbers), message) for message in messages]
        for answer in self._pool.map(self._one, numbered):
            self.sent += 1
            self.submitted += answer.ticket
            if answer.error:
                self.errors.append(answer.error)
            yield answer

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.shutdown()

    def _service(self) -> Any:
        service = getattr(self._local, "service", None)
        if service is None:
            import zeep  # noqa: PLC0415  # an extra

            client: Any = zeep.Client
            service = self._local.service = client(self._wsdl).service
        return service

    def _one(self, numbered: tuple[int, Message]) -> Sent:
        number, message = numbered
        arguments = {
            "customer": f"C-{number:06d}",
            "channel": _CHANNELS[number % len(_CHANNELS)],
            "text": message.text,
        }
        try:
            answer = self._service().TriageTicket(**arguments)
            if number % 5 == 0:
                ticket = self._service().SubmitTicket(**arguments)
                self._service().GetTicket(ticketId=ticket.ticketId)
        except Exception as error:  # noqa: BLE001  # whatever a caller meets is counted
            return Sent(error=f"{type(error).__name__}: {error}")
        return Sent(category=str(answer.category), ticket=number % 5 == 0)
