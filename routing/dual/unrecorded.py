"""A write while our store is gone: legacy takes it alone, and it is copied when the store is back.

Where the replacement's store counts already, nothing is written: legacy would never know of it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ...errors import FigError, InDoubt, LegacyUnavailable, StoreError
from ...model import Record, Side
from ...store.dual_writes import Wanted
from ...store.write import Write
from ...telemetry import log
from ..endpoint import Endpoint
from ..exchange import Exchange
from .doubling import Doubling
from .faults import give
from .side import Asked, ask_side

__all__ = ["Unrecorded"]

_AGAIN: Final = 0.5


class Unrecorded:
    """Writes what cannot be prepared. Made for one write, by ``Writing``."""

    def __init__(self, endpoint: Endpoint, doubling: Doubling) -> None:
        self._endpoint = endpoint
        self._all = doubling

    async def write(
        self,
        exchange: Exchange,
        wanted: Wanted,
        answer: asyncio.Future[Record],
        error: StoreError,
    ) -> None:
        """Have legacy write it where it comes first, and note it when the store is back."""
        name, side = self._endpoint.name, wanted.order[0]
        if answer.cancelled():
            return
        if side is Side.REPLACEMENT:
            raise LegacyUnavailable(
                "nothing was written: what cannot be noted could not be copied to legacy",
                place=f"endpoint.{name}",
                value=str(error),
                remedy="send it again when the store is back",
            )
        began = time.time()
        asked = await ask_side(
            self._endpoint,
            side,
            exchange.record,
            exchange.request,
            revision="",
            deadline=exchange.deadline,
        )
        self._tell(exchange, asked)
        give(answer, asked.answer or _failure(name, asked))
        if asked.what in ("happened", "doubt"):
            self._all.counters.add("dual_writes", name, side.value, "unrecorded")
            # Should this process end before the store is back, this line is what is left of it.
            log.warning(
                "%s: request %s is in legacy alone, and noted when the store is back",
                name,
                exchange.ident,
            )
            await self._noted(wanted, began, asked)

    def _tell(self, exchange: Exchange, asked: Asked) -> None:
        exchange.took, exchange.detail = asked.took, asked.why
        exchange.more["dual"] = {"unrecorded": True}
        status = "ok" if asked.what == "happened" else "fault" if asked.answer else "error"
        line = exchange.line(Side.LEGACY if asked.answer else None, status)
        self._all.journal.append(Write(lines=(line,)))
        self._all.answered(self._endpoint.name, exchange, Side.LEGACY, status)

    async def _noted(self, wanted: Wanted, began: float, asked: Asked) -> None:
        result = asked.answer if asked.what == "happened" else None
        error = asked.why or "written while the store was gone"
        note = self._all.rows.unrecorded
        while True:
            try:
                await asyncio.to_thread(note, wanted, began, result, error)
            except StoreError as gone:
                log.debug("%s: a write is not noted yet: %s", self._endpoint.name, gone)
                await asyncio.sleep(_AGAIN)
            else:
                self._all.nudge()
                return


def _failure(endpoint: str, asked: Asked) -> FigError:
    kind = InDoubt if asked.what == "doubt" else LegacyUnavailable
    says = "may have written it" if asked.what == "doubt" else "has not written it"
    return kind(f"legacy {says}", place=f"endpoint.{endpoint}", value=asked.why)
