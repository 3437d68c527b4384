from stranglerfig.bridge.status import SourceStatus
from stranglerfig.running.progress import Progress


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def looked(seconds, *statuses):
    """Look at a source every so many seconds."""
    clock = Clock()
    progress = Progress(clock)
    for status in statuses:
        progress.look({"a": status})
        clock.now += seconds
    return progress, clock


def test_work_in_hand_that_is_not_settled_is_stuck_after_a_while():
    busy = SourceStatus(state="flowing", in_flight=3, done=7)
    progress, clock = looked(1.0, SourceStatus(), busy, busy)
    assert progress.stuck({"a": busy}, 5.0) == []
    clock.now += 10
    (why,) = progress.stuck({"a": busy}, 5.0)
    assert why.startswith("a: 3 in hand, nothing settled for 12 s")


def test_whoever_settles_anything_or_has_nothing_is_not_stuck():
    busy = SourceStatus(state="flowing", in_flight=3, done=7)
    progress, clock = looked(100.0, busy)
    for moved in (
        SourceStatus(state="flowing", in_flight=3, done=8),
        SourceStatus(state="flowing", in_flight=3, done=8, retried=1),
        SourceStatus(state="flowing", in_flight=3, done=8, retried=1, dead=1),
        SourceStatus(state="flowing", in_flight=0, done=8, retried=1, dead=1),
    ):
        progress.look({"a": moved})
        assert progress.stuck({"a": moved}, 5.0) == []
        clock.now += 100


def test_a_source_that_idled_for_long_is_not_stuck_at_its_first_delivery():
    progress, clock = looked(100.0, SourceStatus(state="flowing"), SourceStatus(state="flowing"))
    begun = SourceStatus(state="flowing", in_flight=1)
    progress.look({"a": SourceStatus(state="flowing")})
    assert progress.stuck({"a": begun}, 5.0) == []


def test_a_rate_is_that_of_the_last_ten_seconds():
    statuses = [SourceStatus(done=100), *(SourceStatus(done=100 + 5 * n) for n in range(1, 12))]
    progress, _ = looked(1.0, *statuses)
    assert progress.rate("a") == 5.0
    assert progress.recent("a") == [5] * 11
    assert progress.rate("unknown") == 0.0


def test_a_source_that_went_is_forgotten():
    progress, _ = looked(1.0, SourceStatus(done=5))
    progress.look({})
    assert progress.recent("a") == []
    progress.look({"a": SourceStatus(done=1)})
    assert progress.recent("a") == []
