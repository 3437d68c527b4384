"""A legacy SOAP system as a facade serves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from ..model import Record
from ..routing.override import Override
from ..transport.http1 import Upstream
from .wsdl import PublishedWsdl

__all__ = ["Serve", "SoapSystem"]

Serve = Callable[[Record], Awaitable[Record]]
"""Answers an endpoint's request; the app gives it. A ``FigError`` becomes a SOAP fault."""


class SoapSystem(msgspec.Struct, frozen=True, kw_only=True):
    """One legacy SOAP system behind a facade.

    ``path`` is that of its own address, and callers use the same one with us. ``endpoints`` says
    who serves an operation, by the QName of its Body child; all others pass through. ``max_body``
    is in bytes. ``public`` is the base address (``https://host``) that callers use where something
    stands before us; empty means the one they called. ``timeout`` (seconds) is for pass-through;
    None means the upstream's own. ``override`` tells testers' headers that are genuine.
    """

    path: str
    upstream: Upstream
    wsdl: PublishedWsdl
    endpoints: Mapping[str, Serve] = {}
    max_body: int = 10_000_000
    public: str = ""
    timeout: float | None = None
    override: Override = Override()
