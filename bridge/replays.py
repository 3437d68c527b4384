"""Dead letters as a source: those that somebody wants replayed, or dropped."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar, runtime_checkable

from ..errors import ConfigError, FigError, LegacyUnavailable, StoreError
from ..model import Delivery, Settlement
from ..ports import Source
from ..routing.taken import Taken
from ..store.database import Database
from ..store.replaying import Ending, Replay, Replaying
from ..telemetry import log
from .taking import Bury, Take

__all__ = ["NAME", "Release", "Releasing", "Replays", "buried_by_source", "by_source", "released"]

NAME: Final = "dead letters"
"""What the source is called: no ``[legacy.NAME]`` can be."""

Release = Callable[[str, str], Awaitable[None]]
"""Lets those follow that wait behind a dead record of a source (by name) at a position."""

_LATER: Final = 5.0

_Way = TypeVar("_Way")


@runtime_checkable
class Releasing(Protocol):
    """A source in which a dead record can hold back those behind it."""

    async def release(self, position: str) -> object:
        """End the hold, where there is one. Raises ``LegacyError``."""


def released(sources: Callable[[str], Source | None]) -> Release:
    """Give what releases by a source's name; where that is gone or knows no hold, it does nothing.

    ``sources`` gives the source that is open now, by its name.
    """

    async def release(name: str, position: str) -> None:
        source: object = sources(name)
        if isinstance(source, Releasing):
            await source.release(position)

    return release


def by_source(takes: Callable[[str], Take | None]) -> Take:
    """Give a ``take`` that hands each record to that of the source that it came from once.

    ``takes`` gives the one of a source that is in force now, by its name. What is given raises
    ``ConfigError`` where nothing listens to that source any more.
    """

    async def take(delivery: Delivery) -> Settlement | Taken:
        return await _of(takes(delivery.record.source), delivery)(delivery)

    return take


def buried_by_source(buries: Callable[[str], Bury | None]) -> Bury:
    """Give a ``bury`` likewise."""

    async def bury(delivery: Delivery, reason: str, cause: BaseException | None = None) -> None:
        await _of(buries(delivery.record.source), delivery)(delivery, reason, cause)

    return bury


def _of(found: _Way | None, delivery: Delivery) -> _Way:
    if found is None:
        raise ConfigError(
            "nothing takes what this source sent",
            place=f"legacy.{delivery.record.source}",
            remedy="have an endpoint listen to it, or drop the dead letter",
        )
    return found


class Replays:
    """Delivers dead letters that are to be replayed, as they came: so each has its old id.

    A source like others, run by a ``Bridge``, one for each process on the store. What is done is
    ``replayed`` after ``release`` was called for it, what is dead again is kept with its new error.
    What is to be dropped is released and never delivered. ``poll`` and ``lease`` are in seconds.
    """

    name = NAME

    def __init__(
        self, database: Database, release: Release, *, poll: float = 1.0, lease: float = 30.0
    ) -> None:
        self._replaying = Replaying(database, lease)
        self._release = release
        self._poll, self._lease = poll, lease
        self._held: dict[int, str] = {}
        self._look_at = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self._endings: list[tuple[Ending, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to hold leases. Connecting waits for the first ``receive``."""
        await self.close()
        self._look_at = 0.0
        self._renewing = asyncio.create_task(self._renew())

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """Give up to ``limit``, the oldest of each key, after dropping what is to be dropped."""
        if self._renewing is None:
            raise LegacyUnavailable("the source is not open", place=self.name, remedy="open it")
        wait = self._look_at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(min(wait, timeout))
            return []
        try:
            found = await asyncio.to_thread(self._replaying.claim, limit, time.time())
        except StoreError as error:
            raise LegacyUnavailable(error.message, place=self.name, value=error.value) from error
        if not found:
            self._look_at = time.monotonic() + self._poll
        self._held.update((one.kept.id, one.token) for one in found)
        for one in found:
            if one.kept.state == "drop":
                await self._drop(one)
        return [self._delivery(one) for one in found if one.kept.state == "replay"]

    async def close(self) -> None:
        """Give back what is not settled."""
        renewing, self._renewing = self._renewing, None
        if renewing is not None:
            renewing.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        held, self._held = self._held, {}
        if held:
            with contextlib.suppress(StoreError):  # the leases run out by themselves
                await asyncio.to_thread(self._replaying.give_back, held)

    def _delivery(self, one: Replay) -> Delivery:
        settle = partial(self._settle, one)
        return Delivery(record=one.kept.letter.record, settle=settle, attempt=one.tries)

    async def _settle(self, one: Replay, settlement: Settlement) -> None:
        number, token = one.kept.id, one.token
        if self._held.get(number) != token:
            raise FigError(
                "settled already, or the lease was lost",
                place=f"dead letter {number}",
                expected="one settlement a delivery",
            )
        if settlement.outcome == "done":
            await self._free(one)
            await self._end(Ending(number, token, "replayed"))
        elif settlement.outcome == "dead":
            await self._end(Ending(number, token, "dead again", reason=settlement.reason))
        else:
            await self._end_later(one, settlement.delay)

    async def _drop(self, one: Replay) -> None:
        """Drop one; where its source cannot be told, that is tried again later."""
        try:
            await self._free(one)
            await self._end(Ending(one.kept.id, one.token, "dropped"))
        except FigError as error:
            log.warning("dead letter %d cannot be dropped yet: %s", one.kept.id, error)

    async def _free(self, one: Replay) -> None:
        """Let those behind it follow. Where that fails, it is tried again as a whole."""
        letter = one.kept.letter
        try:
            await self._release(letter.source, letter.position)
        except FigError:
            await self._end_later(one, _LATER)
            raise

    async def _end_later(self, one: Replay, seconds: float) -> None:
        next_at = time.time() + seconds
        await self._end(Ending(one.kept.id, one.token, "again", next_at=next_at))

    async def _end(self, ending: Ending) -> None:
        """Write an ending; all that come while the store is busy share one transaction."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._endings.append((ending, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        if not await future:
            raise FigError("the lease was lost", place=f"dead letter {ending.number}")

    async def _write(self) -> None:
        while self._endings:
            batch, self._endings = self._endings, []
            endings = [ending for ending, _ in batch]
            results: Sequence[bool | StoreError]
            try:
                results = await asyncio.to_thread(self._replaying.end, endings)
            except StoreError as error:
                results = [error] * len(batch)
            self._look_at = 0.0  # the next ones of their keys may follow
            for (ending, future), result in zip(batch, results, strict=True):
                self._held.pop(ending.number, None)
                if future.done():
                    continue
                if isinstance(result, StoreError):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                held = dict(self._held)
                await asyncio.to_thread(self._replaying.renew, held, time.time())
            except StoreError as error:
                log.warning("%s: leases were not renewed: %s", self.name, error)
