"""The replacement's reply as the caller's own protocol has it."""

from __future__ import annotations

import time

from ..errors import ContractError
from ..model import Payload, Record
from .endpoint import Endpoint

__all__ = ["encoded"]


def encoded(endpoint: Endpoint, record: Record, payload: Payload | None) -> Record:
    """Give the answer to a record: an output as its sender reads it.

    Raises ``ContractError`` and ``MappingError``.
    """
    if payload is None:
        raise ContractError("no payload", place=f"endpoint.{endpoint.name}")
    return Record(
        source=record.source,
        position=record.position,
        kind=record.kind,
        body=endpoint.mapping.encode_reply(payload, record),
        headers=((":status", "200"), ("content-type", "text/xml; charset=utf-8")),
        captured_at=time.time(),
    )
