"""A delivery that is decided, and on its way into the journal."""

from __future__ import annotations

import asyncio

import msgspec

from ..model import Settlement
from .bundle import Share

__all__ = ["Taken"]


class Taken(msgspec.Struct, frozen=True):
    """How a delivery is to be settled as soon as ``durable`` is done, and not before.

    ``durable`` fails with what the journal's ``commit`` raises; nothing was written then. So many
    deliveries can be decided, and one commit be waited for: those whose ``durable`` is a share of
    one bundle are told by that bundle.
    """

    settlement: Settlement
    durable: asyncio.Future[bool] | Share
