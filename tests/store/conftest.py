from __future__ import annotations

import logging
import time

import pytest

from stranglerfig.store import Store
from stranglerfig.telemetry import log
from stranglerfig.tests.stores import either_store, store_file


@pytest.fixture
def store_url(tmp_path):
    return store_file(tmp_path / "fig.db")


@pytest.fixture
def store(store_url):
    store = Store(store_url)
    store.open()
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request, tmp_path):
    """A fresh store's address, on each of the two databases."""
    return either_store(request, tmp_path / "either.db")


@pytest.fixture
def either(either_url):
    """A fresh store, on each of the two databases."""
    store = Store(either_url, patience=30)
    store.open()
    yield store
    store.close()


@pytest.fixture
def until():
    """Wait for a condition, and fail where it does not come."""

    def wait(condition, seconds=60.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to be"
            time.sleep(0.01)

    return wait


@pytest.fixture
def logged():
    """Collect the log as (level, text), whatever other tests made of the logger."""
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append((record.levelname, record.getMessage()))
    before = log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    yield seen
    log.removeHandler(handler)
    log.setLevel(before)
