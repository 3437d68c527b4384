"""A request's body, read under a cap."""

from __future__ import annotations

from typing import Literal

import msgspec

from .asgi import Receive

__all__ = ["Body", "read_body"]


class Body(msgspec.Struct, frozen=True):
    """What came: ``gone`` means that the caller was, before it had sent everything."""

    outcome: Literal["whole", "too large", "gone"]
    data: bytes = b""


async def read_body(length: bytes | None, receive: Receive, limit: int) -> Body:
    """Read a body of at most ``limit`` bytes; no more than that is ever held.

    ``length`` is the Content-Length header, where there is one. Of a larger body the rest is left
    to the server, which throws it away or closes. How long a caller may take is the server's
    affair, too: it then says that the caller is gone.
    """
    if length is not None and int(length) > limit:
        return Body("too large")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Body("gone")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return Body("too large")
        if not message.get("more_body"):
            return Body("whole", b"".join((*parts, part)) if parts else part)
        parts.append(part)
