"""A difference that stands open where somebody waited, until what legacy records later decides."""

from __future__ import annotations

import time

from ..errors import StoreError
from ..model import Comparison, Payload, Request
from ..store.awaited import Awaiting
from ..store.standing import Standing
from ..store.write import Write
from ..telemetry import log
from .endpoint import Endpoint
from .joining import join_request
from .ledger import Ledger
from .pending import Pending

__all__ = ["Later"]


class Later:
    """Writes such differences, joined with a decision that came before them. Used by the shadow."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def wants(self, endpoint: Endpoint, seen: Comparison) -> bool:
        """Say whether a comparison waits for an outcome."""
        return (
            seen.winner == "open"
            and endpoint.observed is not None
            and bool(endpoint.config.listen.facade)
            and "outcome" in endpoint.config.adjudication.order
        )

    async def write(
        self,
        endpoint: Endpoint,
        request: Request,
        seen: Comparison,
        legacy: Payload,
        replacement: Payload,
    ) -> None:
        """Write a comparison, and what of it waits. ``seen`` is as the journal may hold it.

        Where the store cannot say how its key stands, the comparison alone is appended.
        """
        asked = self._asked(endpoint, request, seen, legacy, replacement)
        if asked is None:
            self._ledger.journal.append(Write(observations=(seen,)))
            return

        def decide(standing: Standing) -> Write:
            joined = join_request(endpoint, standing, asked)
            return Write(lines=joined.lines, observations=(seen,), effects=joined.effects)

        try:
            await self._ledger.write_on(endpoint.name, asked.key, decide)
        except StoreError as error:
            log.info("%s: no outcome will decide %s: %s", endpoint.name, request.id, error)
            self._ledger.journal.append(Write(observations=(seen,)))

    def _asked(
        self,
        endpoint: Endpoint,
        request: Request,
        seen: Comparison,
        legacy: Payload,
        replacement: Payload,
    ) -> Awaiting | None:
        observed = endpoint.observed
        key = "" if observed is None else observed.request_key(request)
        if observed is None or not key:
            return None
        at = (request.record.captured_at if request.record is not None else 0.0) or time.time()
        pending = Pending(
            request_id=request.id,
            revision=seen.revision,
            unit=seen.unit,
            payload=replacement,
            legacy=legacy,
            differs=seen.differs,
        )
        return Awaiting(
            endpoint=endpoint.name,
            key=key,
            request_id=request.id,
            at=at,
            until=at + observed.config.within,
            pair=pending.text(),
        )
