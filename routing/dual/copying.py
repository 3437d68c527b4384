"""What is left of writes to both sides: copied in order, or found out about, by one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from ...errors import FigError, InputError, RouteError, StoreError
from ...model import Request, Side
from ...store.dual_write import DualWrite
from ...telemetry import log
from ..endpoint import Endpoint
from ..pairs import plan_of
from .after import MARGIN, backoff, fresh_deadline, limit_of, may_send_again, pair_of, second_asked
from .doubling import Doubling, keyed
from .lookup import look_up
from .side import Asked, ask_side

__all__ = ["Copying"]

_AT_ONCE: Final = 16
_POLL: Final = 0.25
_UNKNOWN: Final = 1.0
"""Seconds at least between two looks at what nobody could say anything of."""
_LOOKED: Final = 60.0
"""Seconds that a look-up may take, in all, before another one may ask."""


class Copying:
    """Brings writes to their end that those who began them did not. One on a store works at a time.

    ``endpoints`` gives those of the workspace as it is now. Of a key one write is in hand, the
    oldest: so both sides have them in the order in which they were begun.
    """

    def __init__(self, doubling: Doubling, endpoints: Callable[[], Mapping[str, Endpoint]]) -> None:
        self._all, self._endpoints = doubling, endpoints
        self._rows, self._work = doubling.rows, doubling.work

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                done = await self.look()
            except StoreError as error:
                log.debug("writes are not copied yet: %s", error)
                done = 0
            if not done:
                await self._all.left(_POLL)

    async def look(self) -> int:
        """Look once, and give how many were taken in hand. Raises ``StoreError``."""
        lost = await asyncio.to_thread(self._work.expire)
        for write in lost:
            log.warning("%s: write %d is in doubt: %s", write.endpoint, write.id, write.side)
        endpoints = self._endpoints()
        killed = [name for name in endpoints if self._all.table.current(name).killed]
        heads = await asyncio.to_thread(
            self._work.heads, _AT_ONCE, without=killed, among=list(endpoints)
        )
        async with asyncio.TaskGroup() as group:
            for write in heads:
                group.create_task(self._bring_on(endpoints[write.endpoint], write))
        return len(lost) + len(heads)

    async def _bring_on(self, endpoint: Endpoint, write: DualWrite) -> None:
        side, route = write.side or write.second, self._all.table.current(endpoint.name)
        try:
            if side is Side.LEGACY and side is write.second and not plan_of(route).legacy_needed:
                why = "legacy was retired before it was known to be copied there"
                await asyncio.to_thread(self._work.end, write, why)
            elif write.state == "doubt":
                await self._find_out(endpoint, write)
            else:
                await self._copy(endpoint, write)
        except FigError as error:
            log.info("%s: write %d is left for now: %s", endpoint.name, write.id, error)
        except Exception:  # noqa: BLE001 - one bad write must not end the others
            log.exception("%s: write %d", endpoint.name, write.id)

    async def _copy(self, endpoint: Endpoint, write: DualWrite) -> None:
        side, route = write.second, self._all.table.current(endpoint.name)
        if side is None:
            return
        mine = await self._claimed(write, side, limit_of(endpoint, side) + MARGIN)
        if mine is None:
            return
        request = _request(endpoint, mine)
        asked = await self._ask(endpoint, mine, side, request)
        await asyncio.to_thread(second_asked, self._rows, endpoint, mine, self._all.owner, asked)
        self._all.count(endpoint.name, side, asked)
        pair = pair_of(endpoint, route, request, mine.result, mine, asked)
        if pair is not None:
            self._all.shadow.offer(pair)

    async def _find_out(self, endpoint: Endpoint, write: DualWrite) -> None:
        """Ask whether a side has a write; send it again only where that does no harm."""
        side = write.side
        if side is None:
            return
        resend = may_send_again(endpoint, side)
        seconds = limit_of(endpoint, side) + MARGIN if resend else _LOOKED
        mine = await self._claimed(write, side, seconds)
        if mine is None:
            return
        request = _request(endpoint, mine)
        if resend:
            asked = await self._ask(endpoint, mine, side, request)
            await asyncio.to_thread(self._sent_again, endpoint, mine, side, asked)
            return
        happened, why = await look_up(endpoint.lookups, side, request)
        owner, longest = self._all.owner, endpoint.config.dual.longest
        if happened is None:
            error = f"{write.error.partition(' / ')[0]} / {why}"
            delay = max(_UNKNOWN, longest)
            await asyncio.to_thread(self._rows.put_back, mine, owner, side, delay, error)
            return
        await asyncio.to_thread(self._looked_up, mine, happened)
        log.info("%s: write %d: %s %s", endpoint.name, mine.id, side, _HAS[happened])

    def _looked_up(self, write: DualWrite, happened: bool) -> None:
        try:
            self._work.settle(
                write.id,
                happened=happened,
                who="look-up",
                why=f"{write.side} was asked: it {_HAS[happened]}",
                owner=self._all.owner,
            )
        except RouteError as error:
            log.info("write %d: somebody else was first: %s", write.id, error)

    def _sent_again(self, endpoint: Endpoint, write: DualWrite, side: Side, asked: Asked) -> None:
        owner = self._all.owner
        if side is write.second:
            second_asked(self._rows, endpoint, write, owner, asked)
        elif asked.what == "happened":
            self._rows.first(write, owner, asked.answer)
        elif asked.what == "refused":
            self._rows.refused(write, owner, asked.why, asked.answer)
        else:
            delay = backoff(endpoint, write.attempts)
            self._rows.put_back(write, owner, side, delay, asked.why)

    async def _claimed(self, write: DualWrite, side: Side, seconds: float) -> DualWrite | None:
        return await asyncio.to_thread(self._work.claim, write, self._all.owner, side, seconds)

    async def _ask(
        self, endpoint: Endpoint, write: DualWrite, side: Side, request: Request | None
    ) -> Asked:
        if write.record is None:
            return Asked(what="refused", why="the record is not kept any more")
        route = self._all.table.current(endpoint.name)
        asked = await ask_side(
            endpoint,
            side,
            write.record,
            request,
            revision=route.revision,
            deadline=fresh_deadline(endpoint, side),
        )
        if asked.reply is not None:
            self._all.observations.used(route, asked.reply.usage)
        return asked


_HAS: Final = {True: "has it", False: "does not have it"}


def _request(endpoint: Endpoint, write: DualWrite) -> Request | None:
    if write.record is None:
        return None
    try:
        request = endpoint.request(write.record)
    except InputError:
        return None
    return keyed(endpoint, write.record, request)
