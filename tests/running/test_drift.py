from types import SimpleNamespace

from stranglerfig.bridge.status import SourceStatus
from stranglerfig.errors import StoreUnavailable
from stranglerfig.running.drift import Drift


class Operator:
    """What of a route's operator is used here."""

    def __init__(self):
        self.paused = False
        self.why = []
        self.lost = False

    def route(self):
        if self.lost:
            raise StoreUnavailable("gone")
        return SimpleNamespace(paused=self.paused, endpoint="e")

    def pause(self, *, why):
        self.paused = True
        self.why.append(why)


def paused(trouble):
    return {"tickets": SourceStatus(state="paused", trouble=trouble)}


FLOWING = {"tickets": SourceStatus(state="flowing")}


async def test_a_drift_pauses_once_and_another_one_again():
    operator = Operator()
    drift = Drift(lambda _: [operator])
    for _ in range(3):
        await drift.look(paused("a column more"))
    assert operator.why == ["tickets: a column more"]
    operator.paused = False  # somebody resumed it
    await drift.look(paused("a column more"))
    assert not operator.paused
    await drift.look(paused("a column less"))
    assert operator.why[1:] == ["tickets: a column less"]


async def test_after_it_flowed_the_same_drift_is_a_new_one():
    operator = Operator()
    drift = Drift(lambda _: [operator])
    await drift.look(paused("a column more"))
    operator.paused = False
    await drift.look(FLOWING)
    await drift.look(paused("a column more"))
    assert len(operator.why) == 2


async def test_while_the_store_is_lost_it_is_put_off():
    operator = Operator()
    operator.lost = True
    drift = Drift(lambda _: [operator])
    await drift.look(paused("a column more"))
    operator.lost = False
    await drift.look(paused("a column more"))
    assert operator.paused


async def test_who_is_paused_already_and_who_is_only_broken_is_left_alone():
    operator = Operator()
    operator.paused = True
    drift = Drift(lambda _: [operator])
    await drift.look(paused("a column more"))
    await drift.look({"tickets": SourceStatus(state="broken", trouble="gone")})
    assert operator.why == []
