"""A write that somebody waits for, on one side after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Final

from ...errors import FigError, InputError, LegacyUnavailable, StoreError, StoreUnavailable
from ...model import Record, Route, Side
from ...store.dual_write import DualWrite
from ...store.dual_writes import Prepared, Wanted
from ...store.write import Write
from ...telemetry import log
from ..endpoint import Endpoint
from ..exchange import Exchange
from ..pairs import plan_of, written
from .after import MARGIN, fresh_deadline, limit_of, pair_of, second_asked
from .doubling import Doubling
from .faults import failure, give, held, unanswered
from .side import Asked, ask_side
from .unrecorded import Unrecorded

__all__ = ["Writing"]

_LOOK: Final = 0.02
"""Seconds between two looks at a write that another one waits for."""
_AGAIN: Final = 0.5
"""Seconds between two tries of a store that is gone."""

_Answer = asyncio.Future[Record]


class Writing:
    """Writes an endpoint's requests to both sides. The dispatcher calls ``serve``.

    Each goes on to its end whatever becomes of its caller: it is a task of its own.
    """

    def __init__(self, endpoint: Endpoint, doubling: Doubling) -> None:
        self._endpoint = endpoint
        self._all = doubling
        self._rows = doubling.rows

    def takes(self, route: Route) -> bool:
        """Say whether what is asked under a route is written to the replacement's store, too."""
        return bool(written(route, self._endpoint.operation.effect))

    async def serve(self, exchange: Exchange) -> Record:
        """Answer a request by the first side of its route's order. Raises as ``write``.

        What cannot be read as a request, legacy may still take where it comes first; it is copied
        when the mapping is mended. Else it raises ``InputError``.
        """
        route, endpoint = exchange.route, self._endpoint
        order = written(route, endpoint.operation.effect)
        if route.killed and Side.LEGACY not in order:
            raise LegacyUnavailable(
                "nothing was written: the route is killed, and legacy's store is kept no more",
                place=f"endpoint.{endpoint.name}",
                remedy=f"fig route resume {endpoint.name}",
            )
        try:
            exchange.request = endpoint.request(exchange.record, exchange.deadline)
        except InputError as error:
            if order[0] is Side.REPLACEMENT:
                raise
            self._all.counters.add("fallbacks", endpoint.name, "input")
            exchange.fallback, exchange.detail = "input", str(error)
        exchange.rule = "data"
        return await self.write(exchange, order)

    async def write(self, exchange: Exchange, order: tuple[Side, ...]) -> Record:
        """Write on the sides of ``order``, the first one first; give what that answered.

        Raises ``LegacyUnavailable`` where nothing was written anywhere, ``InDoubt`` where nobody
        knows, and ``Conflict`` where the caller's idempotency key came before with another body.
        """
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._all.begin(self._steps(exchange, order, answer), answer)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            answer.cancel()  # so the steps see that nobody waits any more
            raise

    async def _steps(self, exchange: Exchange, order: tuple[Side, ...], answer: _Answer) -> None:
        wanted = self._wanted(exchange, order)
        try:
            prepared = await self._turn(wanted, exchange, answer)
        except StoreUnavailable as error:
            unrecorded = Unrecorded(self._endpoint, self._all)
            await unrecorded.write(exchange, wanted, answer, error)
            return
        write = prepared.write
        if prepared.what == "known":
            give(answer, self._known(exchange, write))
        elif answer.cancelled():
            why = "its caller had gone before anything was asked"
            await self._note(self._rows.refused, write, self._all.owner, why, None)
        else:
            await self._first(exchange, prepared, answer)

    def _wanted(self, exchange: Exchange, order: tuple[Side, ...]) -> Wanted:
        record, request = exchange.record, exchange.request
        return Wanted(
            endpoint=self._endpoint.name,
            request_id=exchange.ident,
            token=self._endpoint.token(record, request),
            digest=sha256(record.body).hexdigest(),
            key=record.key if request is None else request.key,
            order=order,
            revision=exchange.revision,
            record=record,
        )

    async def _turn(self, wanted: Wanted, exchange: Exchange, answer: _Answer) -> Prepared:
        """Wait until those before it under its key are so far that it can be begun.

        Raises ``LegacyUnavailable`` where that takes too long, and as ``DualWrites.prepare``.
        """
        if not self._all.journal.healthy:  # nobody waits for a store that is known to be gone
            raise StoreUnavailable("the store is gone", value=self._all.journal.trouble)
        patience = time.time() + self._endpoint.config.dual.turn
        while True:
            left = max(0.0, exchange.deadline - time.time())
            prepared = await asyncio.to_thread(
                self._rows.prepare, wanted, self._all.owner, left + MARGIN
            )
            until = exchange.deadline if prepared.what == "known" else patience
            late = time.time() >= min(until, exchange.deadline) or answer.cancelled()
            if prepared.what == "ours" or late:
                break
            if prepared.what == "known" and prepared.write.state != "prepared":
                break
            await asyncio.sleep(_LOOK)
        if prepared.what == "waits":
            raise held(self._endpoint.name, prepared.write)
        return prepared

    async def _first(self, exchange: Exchange, prepared: Prepared, answer: _Answer) -> None:
        write, owner = prepared.write, self._all.owner
        asked = await self._ask(exchange, write.first, exchange.deadline)
        exchange.took, exchange.more["dual"] = asked.took, {"write": write.id, **_order(write)}
        if asked.what == "happened":
            await self._happened(exchange, prepared, asked, answer)
            return
        exchange.detail = asked.why
        status = "fault" if asked.answer is not None else "error"
        self._tell(exchange, write.first, status, asked)
        said = asked.answer or failure(self._endpoint.name, write, asked)
        if asked.what == "doubt":
            await self._noted(answer, said, self._rows.doubt, write, owner, write.first, asked.why)
        else:
            await self._noted(
                answer, said, self._rows.refused, write, owner, asked.why, asked.answer
            )
        self._all.nudge()

    async def _happened(
        self, exchange: Exchange, prepared: Prepared, asked: Asked, answer: _Answer
    ) -> None:
        write, side = prepared.write, prepared.write.second
        inline = self._asks_second(prepared)
        seconds = limit_of(self._endpoint, side) + MARGIN if inline and side is not None else 0.0
        note = partial(self._rows.first, write, self._all.owner, asked.answer, seconds=seconds)
        said = asked.answer or failure(self._endpoint.name, write, asked)
        self._tell(exchange, write.first, "ok", asked)
        ours = await self._noted(answer, said, note, given=not inline)
        if not ours:
            log.warning("%s: write %d was settled meanwhile", self._endpoint.name, write.id)
        if inline and ours:
            waits = asyncio.get_running_loop().call_later(
                self._patience(exchange, write), give, answer, said
            )
            try:
                await self._second(exchange, write, asked)
            finally:
                waits.cancel()
        give(answer, said)
        self._all.nudge()

    def _asks_second(self, prepared: Prepared) -> bool:
        """Say whether the second side is asked at once: nothing of the key waits for it before."""
        side = prepared.write.second
        if side is None or prepared.behind:
            return False
        return side is Side.LEGACY or not self._all.table.current(self._endpoint.name).killed

    def _patience(self, exchange: Exchange, write: DualWrite) -> float:
        """Give the seconds that the caller waits for the second side: none where nobody reads."""
        plan = plan_of(exchange.route)
        read = write.second is Side.REPLACEMENT and plan.inside is Side.REPLACEMENT
        left = exchange.deadline - time.time()
        return max(0.0, min(self._endpoint.config.dual.wait, left)) if read else 0.0

    async def _second(self, exchange: Exchange, write: DualWrite, first: Asked) -> None:
        side = write.second
        if side is None:
            return
        deadline = fresh_deadline(self._endpoint, side)
        asked = await self._ask(exchange, side, deadline)
        await self._note(second_asked, self._rows, self._endpoint, write, self._all.owner, asked)
        self._all.count(self._endpoint.name, side, asked)
        route, request = exchange.route, exchange.request
        pair = pair_of(self._endpoint, route, request, first.answer, write, asked)
        if pair is not None:
            self._all.shadow.offer(pair)
        if asked.what != "happened":
            log.info("%s: write %d: %s: %s", self._endpoint.name, write.id, side, asked.why)

    async def _ask(self, exchange: Exchange, side: Side, deadline: float) -> Asked:
        record, request = exchange.record, self._all.keyed(self._endpoint, exchange)
        asked = await ask_side(
            self._endpoint, side, record, request, revision=exchange.revision, deadline=deadline
        )
        if asked.reply is not None:
            self._all.observations.used(exchange.route, asked.reply.usage)
        return asked

    def _known(self, exchange: Exchange, write: DualWrite) -> Record | FigError:
        """Give what a write that was done, or begun, before comes to."""
        exchange.more["dual"] = {"write": write.id, "again": True}
        self._all.counters.add("duplicates", self._endpoint.name)
        line = exchange.line(write.first, "ok" if write.result else "error")
        self._all.journal.append(Write(lines=(line,)))
        return write.result or unanswered(self._endpoint.name, write)

    def _tell(self, exchange: Exchange, side: Side, status: str, asked: Asked) -> None:
        served = None if status == "error" else side
        exchange.decided = side
        line = exchange.line(served, status, asked.reply)
        self._all.journal.append(Write(lines=(line,)))
        self._all.answered(self._endpoint.name, exchange, side, status)

    async def _noted(
        self,
        answer: _Answer,
        said: Record | FigError,
        note: Callable[..., object],
        *arguments: object,
        given: bool = True,
    ) -> object:
        """Write down what is known, and then give the answer, where it is to be ``given`` yet.

        Where the store is gone it is given at once: what it says has happened.
        """
        try:
            noted = await asyncio.to_thread(note, *arguments)
        except StoreError:
            give(answer, said)
            return await self._note(note, *arguments)
        if given:
            give(answer, said)
        return noted

    async def _note(self, note: Callable[..., object], *arguments: object) -> object:
        """Write down what is known, again and again while the store is gone."""
        while True:
            try:
                return await asyncio.to_thread(note, *arguments)
            except StoreError as error:
                log.debug("%s: a write is not noted yet: %s", self._endpoint.name, error)
                await asyncio.sleep(_AGAIN)


def _order(write: DualWrite) -> dict[str, object]:
    return {"first": write.first, "second": write.second or ""}
