"""An installation that fails at any of its steps leaves nothing; what a crash leaves is recorded."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from stranglerfig.adapters.capture import application
from stranglerfig.errors import LegacyError
from stranglerfig.tests.adapters.capture.shop import customer


class Crash(BaseException):
    """As if the process had been killed there."""


def failing(monkeypatch, at, error, *, again=True):
    """Let the statement number ``at`` fail, and with ``again`` nothing else."""
    run, count = application.execute, 0

    def execute(connection, statement):
        nonlocal count
        count += 1
        if count == at or (count > at and not again):
            raise error
        run(connection, statement)

    monkeypatch.setattr(application, "execute", execute)


def test_a_failure_at_any_step_leaves_nothing(shop, monkeypatch):
    before = shop.schema()
    steps = [step for step in shop.installation().steps() if step.sql]
    assert len(steps) > 8
    # All of them would take long on three databases; the places where something differs do not.
    for at in (1, 2, 3, len(steps) - 1, len(steps)):
        with monkeypatch.context() as patch:
            failing(patch, at, OperationalError("CREATE", {}, Exception("disk full")))
            with pytest.raises(LegacyError):
                shop.installation().apply()
        assert shop.schema() == before, f"after a failure at step {at}"
    shop.installation().apply()
    assert shop.installation().plan() == []


def test_a_failed_change_brings_back_what_stood(shop, monkeypatch):
    shop.installation(columns=["id", "email"]).apply()
    before = shop.schema()
    steps = [step for step in shop.installation().steps() if step.sql]
    for at in range(1, len(steps) + 1):
        with monkeypatch.context() as patch:
            failing(patch, at, OperationalError("CREATE", {}, Exception("disk full")))
            with pytest.raises(LegacyError):
                shop.installation().apply()
        assert shop.schema() == before, f"after a failure at step {at}"
        assert shop.installation(columns=["id", "email"]).plan() == []


def test_what_a_crash_left_is_taken_out_or_completed(shop, monkeypatch):
    before = shop.schema()
    steps = [step for step in shop.installation().steps() if step.sql]
    for at in (2, len(steps)):
        for complete in (False, True):
            with monkeypatch.context() as patch:
                failing(patch, at, Crash(), again=False)
                with pytest.raises(Crash):
                    shop.installation().apply()
            if complete:
                shop.installation().apply()
                assert shop.installation().plan() == []
            shop.installation().undo(discard=True)
            assert shop.schema() == before, (at, complete)
    shop.installation(customer).apply()
