from __future__ import annotations

import asyncio
import logging
import time

import pytest

from stranglerfig.telemetry import log


@pytest.fixture
def logged():
    """Collect the log's texts, whatever other tests made of the logger."""
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    before, spread = log.level, log.propagate
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    yield seen
    log.removeHandler(handler)
    log.setLevel(before)
    log.propagate = spread


@pytest.fixture
def until():
    """Wait for a condition, and fail where it does not come."""

    async def wait(condition, seconds=60.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to be"
            await asyncio.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def taught(tmp_path_factory):
    """Two tiny models, learnt from five labels of the demo's messages: (folder, two reports)."""
    import csv
    from importlib.resources import files

    pytest.importorskip("onnxruntime")
    from stranglerfig.ai.learn import learn

    home = tmp_path_factory.mktemp("taught")
    wanted = ("login", "cancel_policy", "quote", "documents", "refund")
    with files("stranglerfig.fixtures").joinpath("messages.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["category"] in wanted]
    reports = []
    for count in (12, 10):
        kept = [
            row
            for label in wanted
            for row in [one for one in rows if one["category"] == label][:count]
        ]
        with (home / f"{count}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ("text", "category"))
            writer.writeheader()
            writer.writerows(kept)
        reports.append(learn(home / f"{count}.csv", folder=home / "model", threads=1))
    return home / "model", reports
