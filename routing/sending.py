"""A decision of the replacement's as a message to a legacy system, in that system's own words."""

from __future__ import annotations

import time

import msgspec

from ..errors import ContractError
from ..model import Outgoing, Reply, Request, Route
from ..store.effects import Effect
from ..store.outbox import send
from .endpoint import Endpoint

__all__ = ["intent", "message", "sending"]


def message(endpoint: Endpoint, request: Request, route: Route, reply: Reply) -> Outgoing:
    """Write what is to be sent. Its id is the request's: the same however often it is made.

    The body is what the mapping's ``reply`` rows write, for a row the row with legacy's own codes;
    where it has none, the canonical output as JSON. Raises ``MappingError``, ``ContractError``.
    """
    record, payload = request.record, reply.payload
    if record is None or payload is None:
        raise ContractError("nothing to send", place=f"endpoint.{endpoint.name}.send")
    mapped = endpoint.mapping.reply is not None
    body = (
        endpoint.mapping.encode_reply(payload, record)
        if mapped
        else msgspec.json.encode(payload, order="deterministic")
    )
    return Outgoing(
        destination=endpoint.config.send,
        message_id=request.id,
        key=request.key,
        headers=(
            ("endpoint", endpoint.name),
            ("operation", f"{request.operation}@{request.version}"),
            ("revision", route.revision),
            ("kind", record.kind if mapped else "json"),
            ("source", record.source),
            ("position", record.position),
        ),
        body=body,
    )


def sending(one: Outgoing) -> Effect:
    """Have a message leave with what it is written with."""
    return send(one, time.time())


def intent(one: Outgoing) -> dict[str, object]:
    """Say in a journal line what would be sent, or is: where to and under which id."""
    return {"to": one.destination, "message_id": one.message_id, "bytes": len(one.body)}
