from stranglerfig.bridge.status import SourceStatus
from stranglerfig.running.recent import Recent


def looked(*statuses):
    recent = Recent()
    for status in statuses:
        recent.look({"a": status})
    return recent


def test_what_was_settled_between_looks_whatever_became_of_it():
    statuses = [SourceStatus(done=n, retried=n, dead=n) for n in range(4)]
    assert looked(*statuses).of("a") == [0, 3, 3, 3]


def test_half_a_minute_is_remembered():
    assert looked(*(SourceStatus(done=n) for n in range(100))).of("a") == [1] * 30


def test_a_source_that_was_opened_anew_did_not_go_backwards():
    assert looked(SourceStatus(done=5), SourceStatus(done=1)).of("a") == [5, 0]


def test_a_source_that_went_is_forgotten():
    recent = looked(SourceStatus(done=5), SourceStatus(done=6))
    recent.look({})
    assert recent.of("a") == recent.of("unknown") == []
