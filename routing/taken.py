"""A delivery that is decided, and on its way into the journal."""

from __future__ import annotations

import asyncio

import msgspec

from ..errors import FigError
from ..model import Settlement

__all__ = ["Taken"]


class Taken(msgspec.Struct, frozen=True):
    """How a delivery is to be settled as soon as ``durable`` is done, and not before.

    ``durable`` fails with what the journal's ``commit`` raises; nothing was written then. So many
    deliveries can be decided, and one commit be waited for.
    """

    settlement: Settlement
    durable: asyncio.Future[bool]

    def failure(self) -> BaseException | None:
        """Give why it was not made durable; None where it was. Called when ``durable`` is done."""
        return FigError("was given up") if self.durable.cancelled() else self.durable.exception()
