"""Guards around a handler: what each stops, repeats or holds up, and what it costs a caller."""

from __future__ import annotations

import asyncio
import time

import pytest

from stranglerfig.errors import (
    CircuitOpen,
    ContractError,
    DeadlineExceeded,
    ReplacementError,
    ReplacementUnavailable,
)
from stranglerfig.model import Reply, Request
from stranglerfig.routing.guards import Guarding, guarded
from stranglerfig.routing.guards.history import HISTORY
from stranglerfig.settings import Breaker, Guards, Rate, Retry
from stranglerfig.telemetry import Counters

LONG = 60.0


class Model:
    """Answers, or does the next thing that it is told to."""

    def __init__(self, *plan):
        self.plan = list(plan)
        self.asked = []
        self.busy = self.most = 0
        self.gate = None

    async def __call__(self, request):
        self.asked.append(request.id)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            if self.plan and (error := self.plan.pop(0)) is not None:
                raise error
            return Reply(request_id=request.id, status="ok", produced_by="m", payload={})
        finally:
            self.busy -= 1


def request(name="r", deadline=None):
    return Request(id=name, operation="o", version=1, source="s", payload={}, deadline=deadline)


def around(model, guards, **changed):
    options = {"name": "replacement.m", "counters": Counters(), "time_limit": LONG, **changed}
    return guarded(model, guards, **options)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def test_without_guards_it_is_the_handler_itself():
    model = Model()
    assert around(model, Guards()) is model
    assert not Guarding(Guards(), name="m", counters=Counters()).there


class TestRetry:
    GUARDS = Guards(retry=Retry(attempts=3, first=0.001, longest=0.002))

    @pytest.mark.parametrize("error", [ReplacementUnavailable("gone"), DeadlineExceeded("slow")])
    async def test_what_may_pass_is_asked_again(self, error):
        model, counters = Model(error, error), Counters()
        ask = around(model, self.GUARDS, counters=counters)
        assert (await ask(request())).status == "ok"
        assert len(model.asked) == 3
        assert counters.snapshot()["guards", "replacement.m", "retry"] == 2

    async def test_it_ends_with_the_last_error(self):
        model = Model(*[ReplacementUnavailable(f"gone {n}") for n in range(5)])
        with pytest.raises(ReplacementUnavailable, match="gone 2"):
            await around(model, self.GUARDS)(request())
        assert len(model.asked) == 3

    @pytest.mark.parametrize("error", [ReplacementError("no"), ContractError("no"), OSError("no")])
    async def test_what_will_not_pass_is_not(self, error):
        model = Model(error)
        with pytest.raises(type(error)):
            await around(model, self.GUARDS)(request())
        assert len(model.asked) == 1

    @pytest.mark.parametrize("effect", ["compensable", "irreversible"])
    async def test_what_must_not_be_done_twice_is_not(self, effect):
        model = Model(ReplacementUnavailable("gone"))
        with pytest.raises(ReplacementUnavailable):
            await around(model, self.GUARDS, effect=effect)(request())
        assert len(model.asked) == 1

    async def test_no_wait_goes_beyond_the_deadline(self):
        model = Model(*[ReplacementUnavailable("gone")] * 99)
        guards = Guards(retry=Retry(attempts=99, first=LONG, longest=LONG))
        begun = time.monotonic()
        with pytest.raises(ReplacementUnavailable):
            await around(model, guards)(request(deadline=time.time() + 0.05))
        assert time.monotonic() - begun < 5

    async def test_every_attempt_counts_for_the_rate(self):
        model = Model(*[ReplacementUnavailable("gone")] * 9)
        guards = Guards(
            retry=Retry(attempts=9, first=0.0, longest=0.0), rate=Rate(calls=3, per=3600)
        )
        with pytest.raises(ReplacementUnavailable, match="rate"):
            await around(model, guards)(request(deadline=time.time() + 0.05))
        assert len(model.asked) == 3


class TestRate:
    async def test_a_wait_that_would_outlast_the_request_is_refused(self):
        model, counters = Model(), Counters()
        ask = around(model, Guards(rate=Rate(calls=2, per=3600)), counters=counters)
        late = time.time() + 0.02
        results = await asyncio.gather(
            *(ask(request(str(n), late)) for n in range(6)), return_exceptions=True
        )
        assert len(model.asked) == 2
        refused = [one for one in results if isinstance(one, ReplacementUnavailable)]
        assert len(refused) == 4
        assert "2 in 3600 s" in str(refused[0])
        assert counters.snapshot()["guards", "replacement.m", "rate"] == 4

    async def test_where_nobody_waits_all_come_in_the_end(self):
        model = Model()
        ask = around(model, Guards(rate=Rate(calls=5, per=0.05)), time_limit=0.01, waits=False)
        replies = await asyncio.gather(*(ask(request(str(n))) for n in range(15)))
        assert {reply.status for reply in replies} == {"ok"}

    async def test_what_is_new_goes_before_history(self):
        model = Model()
        ask = around(model, Guards(rate=Rate(calls=1, per=0.01)), waits=False)
        order = []

        async def one(name, history):
            HISTORY.set(history)
            await ask(request(name))
            order.append(name)

        tasks = [asyncio.create_task(one(f"old {n}", True)) for n in range(30)]
        await until(lambda: len(order) == 2)
        tasks += [asyncio.create_task(one(f"new {n}", False)) for n in range(3)]
        await until(lambda: sum(name.startswith("new") for name in order) == 3)
        assert len(order) <= 2 + 3 + 3
        await asyncio.gather(*tasks)
        assert len(order) == 33

    async def test_a_caller_who_gives_up_leaves_no_trace(self):
        ask = around(Model(), Guards(rate=Rate(calls=1, per=0.05)), waits=False)
        await ask(request())
        gone = asyncio.create_task(ask(request()))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert (await ask(request())).status == "ok"


class TestBreaker:
    GUARDS = Guards(breaker=Breaker(failures=3, open=0.05))

    async def fail(self, ask, kind=ReplacementUnavailable):
        with pytest.raises(kind) as caught:
            await ask(request())
        return caught.value

    async def test_it_opens_tries_with_one_and_closes(self):
        model = Model(*[ReplacementError("down")] * 3)
        ask = around(model, self.GUARDS)
        for _ in range(3):
            await self.fail(ask, ReplacementError)
        assert isinstance(await self.fail(ask), CircuitOpen)
        assert len(model.asked) == 3, "nobody asks it while the circuit is open"
        await asyncio.sleep(0.06)
        model.gate = asyncio.Event()
        trying = asyncio.create_task(ask(request()))
        await until(lambda: len(model.asked) == 4)
        assert isinstance(await self.fail(ask), CircuitOpen), "one tries, not all"
        model.gate.set()
        assert (await trying).status == "ok"
        assert (await ask(request())).status == "ok"

    async def test_where_the_one_that_tries_fails_it_stays_open(self):
        model = Model(*[ReplacementError("down")] * 4)
        ask = around(model, self.GUARDS)
        for _ in range(3):
            await self.fail(ask, ReplacementError)
        await asyncio.sleep(0.06)
        await self.fail(ask, ReplacementError)
        assert isinstance(await self.fail(ask), CircuitOpen)
        assert len(model.asked) == 4

    async def test_an_answer_between_begins_the_count_anew(self):
        down = ReplacementError("down")
        model = Model(down, down, None, down, down, None)
        ask = around(model, self.GUARDS)
        for plan in list(model.plan):
            if plan is None:
                await ask(request())
            else:
                await self.fail(ask, ReplacementError)
        assert (await ask(request())).status == "ok"

    async def test_refused_input_and_callers_who_leave_say_nothing(self):
        model = Model(*[ContractError("no")] * 5)
        ask = around(model, self.GUARDS)
        for _ in range(5):
            await self.fail(ask, ContractError)
        model.gate = asyncio.Event()
        for _ in range(5):
            gone = asyncio.create_task(ask(request()))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        model.gate.set()
        assert (await ask(request())).status == "ok"

    async def test_what_another_guard_stopped_says_nothing(self):
        model = Model()
        model.gate = asyncio.Event()
        ask = around(model, Guards(breaker=Breaker(failures=2, open=LONG), at_once=1))
        first = asyncio.create_task(ask(request()))
        await until(lambda: model.busy == 1)
        for _ in range(5):
            with pytest.raises(ReplacementUnavailable, match="at_once"):
                await ask(request("late", time.time() + 0.01))
        model.gate.set()
        assert (await first).status == (await ask(request())).status == "ok"

    async def test_running_out_of_time_counts(self):
        model = Model()
        model.gate = asyncio.Event()
        ask = around(model, self.GUARDS, time_limit=0.01)
        for _ in range(3):
            await self.fail(ask, DeadlineExceeded)
        assert isinstance(await self.fail(ask), CircuitOpen)

    async def test_a_bad_revision_does_not_cut_off_another(self):
        guarding = Guarding(self.GUARDS, name="replacement.m", counters=Counters())
        options = {"time_limit": LONG, "effect": "read"}
        bad = guarding.around(Model(*[OSError("bug")] * 9), revision="b", **options)
        good = guarding.around(Model(), revision="a", **options)
        for _ in range(3):
            await self.fail(bad, OSError)
        await self.fail(guarding.around(Model(), revision="b", **options), CircuitOpen)
        assert (await good(request())).status == "ok"


class TestSlots:
    async def test_no_more_at_once_than_it_bears(self):
        model = Model()
        ask = around(model, Guards(at_once=3))
        await asyncio.gather(*(ask(request(str(n))) for n in range(20)))
        assert (model.most, len(model.asked)) == (3, 20)

    async def test_who_finds_none_in_time_is_refused(self):
        model, counters = Model(), Counters()
        model.gate = asyncio.Event()
        ask = around(model, Guards(at_once=1), counters=counters)
        first = asyncio.create_task(ask(request()))
        await until(lambda: model.busy == 1)
        with pytest.raises(ReplacementUnavailable, match="at_once"):
            await ask(request("late", time.time() + 0.02))
        model.gate.set()
        await first
        assert counters.snapshot()["guards", "replacement.m", "at_once"] == 1
        assert (await ask(request())).status == "ok"

    async def test_history_leaves_a_slot_free(self):
        model = Model()
        model.gate = asyncio.Event()
        ask = around(model, Guards(at_once=4))

        async def old():
            HISTORY.set(True)
            await ask(request("old"))

        tasks = [asyncio.create_task(old()) for _ in range(9)]
        await until(lambda: model.busy == 3)
        tasks.append(asyncio.create_task(ask(request("new"))))
        await until(lambda: "new" in model.asked)
        model.gate.set()
        await asyncio.gather(*tasks)
        assert len(model.asked) == 10


async def test_a_caller_is_never_kept_beyond_the_time_limit():
    model = Model()
    model.gate = asyncio.Event()
    guards = Guards(
        rate=Rate(calls=1000, per=1.0),
        breaker=Breaker(failures=100),
        at_once=2,
        retry=Retry(attempts=50, first=0.001),
    )
    ask = around(model, guards, time_limit=0.05)
    begun = time.monotonic()
    results = await asyncio.gather(
        *(ask(request(str(n))) for n in range(9)), return_exceptions=True
    )
    assert time.monotonic() - begun < 5
    assert all(isinstance(one, DeadlineExceeded | ReplacementUnavailable) for one in results)
    assert model.busy == 0
