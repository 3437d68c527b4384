"""The shadow: the side that did not serve is asked too, off the caller's path, and compared."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Final

from ..model import Reply, Request, Route
from ..store.journal import Journal
from ..store.line import Line
from ..store.noise import keep_doubled
from ..store.store import Store
from ..store.write import Write
from ..telemetry import Counters, log
from .bucket import inside
from .comparison.noisy import Noisy
from .comparison.twice import again, wanted
from .effects.intents import told
from .endpoint import Endpoint
from .guardrails.observations import Observations
from .later import Later
from .ledger import Ledger
from .pair import Both, Pair, answers, compared, seen
from .pairs import reads_only

__all__ = ["ACTS", "Pair", "Shadow", "compared", "refused", "sampled", "unasked"]

ACTS: Final = "acts"
"""Why a side is not asked in shadow that would do something."""


def sampled(endpoint: Endpoint, request_id: str) -> bool:
    """Say whether a request is one of those that are asked in shadow.

    By a salt of its own and by the request: whom a canary takes has nothing to do with it.
    """
    percent = endpoint.config.shadow.sample
    return percent >= 100 or inside(f"shadow of {endpoint.name}", request_id, percent)


def unasked(endpoint: Endpoint, *, legacy: bool) -> str:
    """Say why a side is never asked in shadow; empty where it may be.

    Legacy knows of no shadow: what it is asked, it does. Of a replacement somebody must promise
    that it does nothing then.
    """
    if reads_only(endpoint.operation.effect):
        return ""
    return ACTS if legacy or endpoint.acts else ""


def refused(
    endpoint: Endpoint,
    route: Route,
    request: Request,
    observations: Observations,
    counters: Counters,
) -> str:
    """Say why a replacement is not asked beside legacy, and count that; empty where it is to be.

    For an event, which waits in no queue of the shadow's.
    """
    reason = "" if sampled(endpoint, request.id) else "sample"
    reason = reason or unasked(endpoint, legacy=False)
    if reason:
        observations.not_asked(route, reason)
    else:
        reason = observations.shadows(route)
    if reason:
        counters.add("shadow_dropped", endpoint.name, reason)
    return reason


class Shadow:
    """A bounded queue and a few workers. What has no room is dropped and counted: nobody waits.

    ``noisy`` knows the fields whose differences are noise; None: no field's are. ``later`` writes
    differences that an outcome may decide; None: none waits for any.
    """

    def __init__(
        self,
        journal: Journal,
        counters: Counters,
        observations: Observations | None = None,
        *,
        size: int = 1000,
        workers: int = 8,
        noisy: Noisy | None = None,
        later: Later | None = None,
    ) -> None:
        self.observations = observations or Observations()
        self._journal = journal
        self._counters = counters
        self._queue: asyncio.Queue[Pair] = asyncio.Queue(size)
        self._waiting: Counter[str] = Counter()
        self._workers = workers
        self._noisy = noisy or Noisy()
        self._later = later

    @classmethod
    def on(cls, store: Store, counters: Counters) -> Shadow:
        """Make the shadow of a running process: it knows noise, and waits for outcomes."""
        return cls(
            store.journal,
            counters,
            Observations(store.measures),
            noisy=Noisy(store.database),
            later=Later(Ledger(store, counters)),
        )

    def offer(self, pair: Pair) -> None:
        """Take a pair, or drop and count it. Called on the caller's path; never waits or raises."""
        name, rules = pair.endpoint.name, pair.endpoint.config.shadow
        if not sampled(pair.endpoint, pair.request.id):
            self._drop(pair, "sample")
        elif self._waiting[name] >= rules.queue or self._queue.full():
            self._drop(pair, "queue")
        else:
            self._waiting[name] += 1
            self._queue.put_nowait(pair)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def drain(self) -> None:
        """Wait until every pair that was taken has been compared."""
        await self._queue.join()

    async def _work(self) -> None:
        while True:
            pair = await self._queue.get()
            self._waiting[pair.endpoint.name] -= 1
            try:
                if self._may_ask(pair):
                    await self._compare(pair)
            except Exception:  # noqa: BLE001  # one bad pair must not end the shadow
                log.exception("%s: shadow failed", pair.endpoint.name)
            finally:
                self._queue.task_done()

    def _may_ask(self, pair: Pair) -> bool:
        """Say whether the side that is missing may be asked now, and count it where it may not."""
        legacy = pair.legacy is None
        if not legacy and pair.replacement is not None:
            return True  # both have answered
        return self._takes(pair, legacy=legacy)

    def _takes(self, pair: Pair, *, legacy: bool) -> bool:
        reason = unasked(pair.endpoint, legacy=legacy)
        if reason:
            self._drop(pair, reason)
            return False
        spent = "" if pair.route is None else self.observations.shadows(pair.route, legacy=legacy)
        if spent:
            self._counters.add("shadow_dropped", pair.endpoint.name, spent)
        return not spent

    def _drop(self, pair: Pair, reason: str) -> None:
        self._counters.add("shadow_dropped", pair.endpoint.name, reason)
        if pair.route is not None:
            self.observations.not_asked(pair.route, reason)

    async def _compare(self, pair: Pair) -> None:
        endpoint, request = pair.endpoint, pair.request
        noisy = await self._noisy.fields(endpoint, pair.revision)
        both = await answers(pair, self.observations)
        if isinstance(both, Write):
            self._journal.append(both)
            return
        found = await seen(pair, both, noisy)
        self._counters.add("shadow_pairs", endpoint.name, found.winner)
        if "function failed" in found.why:
            self._counters.add("comparison_errors", endpoint.name)
        self._tell(pair, both)
        if self._later is not None and self._later.wants(endpoint, found):
            await self._later.write(endpoint, request, found, both.legacy, both.replacement)
        else:
            self._journal.append(Write(observations=(found,)))
        if not pair.written:
            await self._ask_again(pair, both)

    def _tell(self, pair: Pair, both: Both) -> None:
        """Journal what the replacement would have done where legacy answered, and await legacy's.

        The answer to what writes is an intent itself.
        """
        if pair.replacement is not None:
            return  # it answered: what it did is done
        endpoint, request = pair.endpoint, pair.request
        found = told(endpoint, request, both.reply, pair.revision, self._counters)
        data: dict[str, object] = {"intents": found.shown}
        if not reads_only(endpoint.operation.effect):
            data["would"] = endpoint.operation.effect
        elif not (found.shown or found.effects):
            return
        line = Line(
            kind="intent",
            endpoint=endpoint.name,
            request_id=request.id,
            revision=pair.revision,
            data=data,
        )
        self._journal.append(Write(lines=(line,), effects=found.effects))

    async def _ask_again(self, pair: Pair, both: Both) -> None:
        """Ask sides twice where that is wanted: it costs what asking them once does."""
        for side in wanted(pair.endpoint, pair.request):
            if not self._takes(pair, legacy=side == "legacy"):
                continue
            twice = await again(
                pair.endpoint,
                pair.shadowed(pair.endpoint.config.shadow.deadline or pair.endpoint.time_limit),
                pair.revision,
                side,
                legacy=both.legacy,
                replacement=both.replacement,
                used=partial(self._used, pair),
            )
            if twice is not None:
                self._journal.append(keep_doubled(twice, pair.request.id))

    def _used(self, pair: Pair, reply: Reply) -> None:
        if pair.route is not None:
            self.observations.used(pair.route, reply.usage, shadow=True)
