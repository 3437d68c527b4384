"""What a process measures on its requests, until it is written: about each second, in one write."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final

from ...config import Endpoint
from ...errors import StoreError
from ...guardrail_settings import Ratio, bounds_of
from ...model import Route, Side
from ...store.measures import DROPPED, SHADOW, USED, Failure, Measures, Place, Sampled, Sum
from ...telemetry import log
from ..exchange import Exchange
from ..spending import CALLS, LEGACY_CALLS, Spending, spent_of
from .cell import Cell, Failing, Taken, rows_of
from .latency import step_of

__all__ = ["FAILED", "Observations"]

FAILED: Final = frozenset({"deadline", "unavailable", "contract", "raised", "error"})
"""The reasons of a fallback that are failures. Abstaining is none, nor is a store that is lost."""
_MOST: Final = 5_000
"""Failures kept until they are written; what trips a breaker is long in it by then."""
_HOUR: Final = 3_600.0

Totals = Mapping[str, Mapping[str, float]]
"""What shadow calls have used today, by endpoint and name."""


class Observations:
    """One a process, built by ``running``; the dispatcher, the shadow and the events tell it.

    Owned by one event loop. Nothing here waits, and nothing raises on the path of a request: what
    is told is added up in memory, in about a microsecond. Without ``measures`` it forgets.
    ``dropped`` counts failures that found no room while the store was lost.
    """

    def __init__(self, measures: Measures | None = None) -> None:
        self._measures = measures
        self._current: dict[str, Cell] = {}
        self._cells: dict[Place, Cell] = {}
        self._windows: dict[str, float] = {}
        self._keys: dict[str, int] = {}
        self._kept = _Kept()
        self._writing = threading.Lock()
        self.dropped = 0
        self.spending = Spending()

    def follow(self, endpoints: Iterable[Endpoint]) -> None:
        """Know the settings of these endpoints. Called when a process takes a ``fig.toml``."""
        known = list(endpoints)
        self.spending.follow(known)
        bounds = {one.name: one.guardrail for one in known}
        self._windows = {name: one.window for name, one in bounds.items()}
        drawn = {name: bounds_of(one.ratio, Ratio) for name, one in bounds.items()}
        self._keys = {name: one.keys for name, one in drawn.items() if one is not None}

    def answered(self, exchange: Exchange, side: Side, status: str) -> None:
        """Take a request that was answered, by the side that answered it."""
        cell = self._cell(exchange.route)
        decided = exchange.decided
        if side is not decided:
            self._fell_back(cell, exchange, exchange.fallback)
        elif status == "ok":
            took = (time.monotonic() - exchange.started) * 1000
            # By identity: an enum's hash costs as much as all of this.
            sums = cell.legacy if side is Side.LEGACY else cell.replacement
            sums[0] += 1
            sums[1] += took
            sums[2] += took * took
        else:
            self._failed(cell, exchange, side, status)
        if exchange.rule == "percent":
            self._draw(cell, exchange, decided)

    def event(self, exchange: Exchange, side: Side) -> None:
        """Take an event, which nobody waits for, by the side that it was given to."""
        cell = self._cell(exchange.route)
        if exchange.decided is Side.REPLACEMENT:
            cell.replacement[0] += 1
        if exchange.rule == "percent":
            self._draw(cell, exchange, side)

    def failed(self, exchange: Exchange, reason: str) -> None:
        """Take a request of the replacement that nobody answered in its place."""
        self._fell_back(self._cell(exchange.route), exchange, reason)

    def used(
        self,
        route: Route,
        usage: Mapping[str, float],
        *,
        shadow: bool = False,
        spends: bool | None = None,
    ) -> None:
        """Take that the replacement was asked, and what its answer has used, by name.

        ``shadow``: it was asked beside legacy; ``spends``: of the shadow's budget (None: where it
        was asked beside legacy).
        """
        cell = self._cell(route)
        cell.calls += 1
        if shadow:
            cell.asked += 1
        if shadow if spends is None else spends:
            for name, value in spent_of(usage).items():
                self._spend(route, name, value)
        for name, value in usage.items():
            cell.add(f"{USED}{name}", "replacement", float(value))

    def shadows(self, route: Route, *, legacy: bool = False) -> str:
        """Take that a side is to be asked in shadow; else say why it must not be, and count that.

        Asked before each such call: what a budget has room for is taken at once.
        """
        refused = self.spending.refused(route.endpoint, time.time(), legacy=legacy)
        if refused:
            self.not_asked(route, refused)
        else:
            self._spend(route, LEGACY_CALLS if legacy else CALLS, 1.0)
        return refused

    def not_asked(self, route: Route, reason: str) -> None:
        """Take that a side was not asked in shadow, and why."""
        self._cell(route).add(f"{DROPPED}{reason}", "", 1.0)

    def _spend(self, route: Route, name: str, value: float) -> None:
        self._cell(route).add(f"{SHADOW}{name}", "", value)
        self.spending.add(route.endpoint, name, value, time.time())

    def timed(self, route: Route, *, replacement: float, legacy: float) -> None:
        """Take how long both sides took for one request, in one unit."""
        steps, step = self._cell(route).steps, step_of(replacement, legacy)
        steps[step] = steps.get(step, 0) + 1

    async def run(self, interval: float = 1.0) -> None:
        """Write about each second, until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(interval)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what there is. Never raises: what could not be written goes with the next."""
        taken = [one for one in map(Cell.take, self._cells.values()) if one is not None]
        current = {cell.place for cell in self._current.values()}
        self._cells = {place: cell for place, cell in self._cells.items() if place in current}
        self.spending.writing()
        if self._measures is not None and (taken or self._kept or self.spending.bounded):
            now = time.time()
            totals = await asyncio.to_thread(self._write, self._measures, taken, now)
            if totals is not None:
                self.spending.known(totals, now)

    def _write(self, measures: Measures, taken: list[Taken], now: float) -> Totals | None:
        """Write, and read what shadow calls have used by then; None where either failed."""
        with self._writing:  # a flush that was cancelled goes on in its thread
            kept = self._kept
            for one in taken:
                for row in rows_of(one, self._windows.get(one.place.endpoint, _HOUR)):
                    self.dropped += kept.add(row)
            try:
                if kept:
                    measures.add(now, list(kept.sums.values()), list(kept.failures), kept.sampled)
                self._kept = _Kept()
                return self._used(measures, now)
            except StoreError as error:
                log.debug("what was measured is not written yet: %s", error)
                return None

    def _used(self, measures: Measures, now: float) -> Totals:
        if not self.spending.bounded:
            return {}
        return {
            endpoint: {name.removeprefix(SHADOW): total for name, (_, total) in sums.items()}
            for endpoint, sums in measures.shadowed(self.spending.bounded, now).items()
        }

    def _cell(self, route: Route) -> Cell:
        cell = self._current.get(route.endpoint)
        if cell is None or cell.route is not route:
            cell = self._open(route)
        return cell

    def _open(self, route: Route) -> Cell:
        place = Cell.place_of(route)
        cell = self._cells.get(place)
        if cell is None:
            cell = self._cells[place] = Cell(route, place)
        cell.route = route
        self._current[route.endpoint] = cell
        return cell

    def _draw(self, cell: Cell, exchange: Exchange, side: Side) -> None:
        if exchange.request is None:
            return
        key, known = exchange.request.key, cell.known
        if key not in known and len(known) < self._keys.get(cell.place.endpoint, 0):
            known.add(key)
            cell.fresh.append((key, side.value))

    def _fell_back(self, cell: Cell, exchange: Exchange, reason: str) -> None:
        if reason in FAILED:
            self._failed(cell, exchange, Side.REPLACEMENT, reason)
        elif reason == "abstained":
            cell.add("abstained", "replacement", 1.0)

    def _failed(self, cell: Cell, exchange: Exchange, side: Side, reason: str) -> None:
        if len(cell.failed) >= _MOST:
            self.dropped += 1
            return
        request = exchange.request
        key = request.key if request is not None and exchange.rule == "percent" else ""
        given = request.payload if request is not None else exchange.record.position
        cell.failed.append(Failing(side.value, reason, key, given, time.time()))


class _Kept:
    """Rows on their way to the store; sums of one name are one row however long it is lost."""

    def __init__(self) -> None:
        self.sums: dict[tuple[Place, str, str], Sum] = {}
        self.failures: set[Failure] = set()
        self.sampled: list[Sampled] = []

    def __bool__(self) -> bool:
        return bool(self.sums or self.failures or self.sampled)

    def add(self, row: Sum | Failure | Sampled) -> int:
        """Keep a row; give 1 where there was no room for it."""
        if isinstance(row, Sum):
            name = row[:3]
            had = self.sums.get(name)
            self.sums[name] = row if had is None else _sum(had, row)
        elif isinstance(row, Sampled):
            self.sampled.append(row)
        elif len(self.failures) < _MOST:
            self.failures.add(row)
        else:
            return 1
        return 0


def _sum(one: Sum, other: Sum) -> Sum:
    return one._replace(
        times=one.times + other.times,
        total=one.total + other.total,
        squares=one.squares + other.squares,
    )
