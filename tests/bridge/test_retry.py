"""What becomes of a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.bridge import Backoff, Retries
from stranglerfig.errors import (
    ContractError,
    DeadlineExceeded,
    EnvelopeError,
    InDoubt,
    LegacyUnavailable,
    MappingError,
    StoreUnavailable,
)


@given(failures=st.integers(1, 10_000), first=st.floats(0.001, 10), longest=st.floats(0.001, 600))
def test_a_wait_is_jittered_and_capped(failures, first, longest):
    delay = Backoff(first=first, longest=longest).delay(failures)
    assert 0 <= delay <= min(longest, first * 2.0 ** min(failures - 1, 60))


def test_waits_grow_and_differ():
    backoff = Backoff(first=1.0, longest=1000.0)
    early, late = ([backoff.delay(n) for _ in range(200)] for n in (1, 8))
    assert max(early) <= 1.0
    assert max(late) > 20.0
    assert len(set(late)) > 100


@pytest.mark.parametrize("kind", [MappingError, ContractError, EnvelopeError])
def test_refused_input_is_dead_at_once(kind):
    settlement = Retries().after(kind("no such code", place="row 7", value="'09'"), 1)
    assert settlement.outcome == "dead"
    assert settlement.reason == f"{kind.__name__}: row 7: no such code; value: '09'"


@pytest.mark.parametrize(
    "error",
    [
        LegacyUnavailable("down"),
        InDoubt("no answer"),
        DeadlineExceeded("too slow"),
        StoreUnavailable("full"),
        ZeroDivisionError("bug"),
    ],
)
def test_all_else_is_tried_again_until_it_is_enough(error):
    retries = Retries(attempts=3, backoff=Backoff(first=2.0, longest=3.0))
    outcomes = [retries.after(error, attempt) for attempt in (1, 2, 3)]
    assert [settlement.outcome for settlement in outcomes] == ["retry", "retry", "dead"]
    assert all(settlement.delay <= 3.0 for settlement in outcomes)
    assert outcomes[2].reason == f"gave up after 3 attempts: {type(error).__name__}: {error}"


def test_what_was_begun_too_often_is_dead():
    settlement = Retries(attempts=3, blocks=True).spent()
    assert (settlement.outcome, settlement.blocks) == ("dead", True)
    assert "3 attempts" in settlement.reason
