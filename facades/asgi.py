"""Our apps under a foreign ASGI server, such as one that ends TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .http import Answer, App, HttpRequest

__all__ = ["Receive", "Scope", "Send", "serve"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def serve(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of an ASGI 3 server. No more of a body is held than the app allows."""
    if scope["type"] != "http":
        raise RuntimeError(f"only HTTP is served here, not {scope['type']}")
    query: bytes = scope["query_string"]
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    host, port = (scope.get("server") or ("", 0))[:2]
    request = HttpRequest(
        method=scope["method"],
        path=scope["path"],
        target=raw + b"?" + query if query else raw,
        headers=list(scope["headers"]),
        server=f"{host}:{port}",
        scheme=scope["scheme"],
    )
    body = await _read(receive, app.limit(request))
    if body is None:
        return
    if isinstance(body, bytes):
        request.body = body
        answer = await app.answer(request)
    else:
        answer = app.too_large(request)
    await _send(answer, send, bodiless=request.method == "HEAD")


async def _read(receive: Receive, limit: int) -> bytes | bool | None:
    """Give the body, False where it is too large, and None where the caller is gone."""
    parts: list[bytes] = []
    left = limit
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        left -= len(part)
        if left < 0:
            return False
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(answer: Answer, send: Send, *, bodiless: bool) -> None:
    headers = [(name.lower(), value) for name, value in answer.headers]
    length = answer.length if bodiless else len(answer.body)
    if length is not None and answer.status not in {204, 304}:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})
