"""What the journal says of one request: one line, written once, when it has been answered."""

from __future__ import annotations

import time

import msgspec

from ..model import Payload, Record, Reply, Request, Route, Side, request_id
from ..store.line import Line

__all__ = ["Exchange", "status_of"]

_BY_HAND = ("override", "pin")
"""What is worth a word in the journal: the stage and the percent stand there anyway."""


class Exchange(msgspec.Struct):
    """One request on its way: what was decided, who answered, and why not the other.

    ``deadline`` is the caller's, in seconds since the epoch; a fallback has what is left of it.
    ``rule`` is the one that decided; ``took`` are the seconds that the side that answered took.
    ``answer`` is kept where the journal is the only place that it goes to; ``more`` is what else
    the line says.
    """

    record: Record
    route: Route
    revision: str
    deadline: float = 0.0
    started: float = msgspec.field(default_factory=time.monotonic)
    request: Request | None = None
    decided: Side = Side.LEGACY
    rule: str = ""
    took: float = 0.0
    fallback: str = ""
    detail: str = ""
    answer: Payload | None = None
    more: dict[str, object] = {}

    @property
    def ident(self) -> str:
        """Give the request's id, also where the record could not be read as a request."""
        record, request = self.record, self.request
        return request.id if request else request_id(record.source, record.position)

    def line(self, served_by: Side | None, status: str, reply: Reply | None = None) -> Line:
        """Give the journal's line. ``status``: ok, fault (legacy's own) or error."""
        request, route = self.request, self.route
        data: dict[str, object] = {
            "key": request.key if request else self.record.key,
            "stage": route.stage,
            "percent": route.percent,
            "version": route.version,
            "decided": self.decided,
            "served_by": served_by or "",
            "status": status,
            "ms": round((time.monotonic() - self.started) * 1000, 3),
        }
        if self.rule in _BY_HAND or self.rule.startswith("rule "):
            data["rule"] = self.rule
        if self.fallback:
            data["fallback"] = self.fallback
            data["detail"] = self.detail
        if reply is not None and reply.confidence is not None:
            data["confidence"] = round(reply.confidence, 4)
        if self.answer is not None:
            data["answer"] = self.answer
        if self.more:
            data.update(self.more)
        return Line("request", route.endpoint, self.ident, self.revision, time.time(), data)


def status_of(answer: Record) -> str:
    """Say whether legacy's answer is an ``ok`` or a ``fault``."""
    return "ok" if answer.header(":status") in (None, "200", "202") else "fault"
