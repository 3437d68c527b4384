"""A change of a route is told by the server, not only found by looking again and again."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from stranglerfig.model import Route, Stage
from stranglerfig.running.changes import Changes
from stranglerfig.store import Store
from stranglerfig.tests.stores import store_database, store_file


async def test_every_change_is_told_and_nobody_goes_deaf(postgresql, caplog):
    """Who listens in a transaction hears nothing, and finds that out after five seconds only."""
    url = store_database(postgresql)
    store, heard = Store(url), asyncio.Event()
    with caplog.at_level(logging.WARNING, "stranglerfig"):
        listening = asyncio.create_task(Changes(url, heard.set).run())
        try:
            async with asyncio.timeout(60):
                await heard.wait()  # a look is due as it begins to listen
                route = Route(endpoint="triage", stage=Stage.SHADOW)
                for _ in range(3):
                    heard.clear()
                    change = {"action": "a", "who": "w", "why": "", "evidence": {}}
                    route = await asyncio.to_thread(store.routes.put, route, **change)
                    await heard.wait()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            store.engine.dispose()
    assert [one.getMessage() for one in caplog.records] == [], "by a word, not by losing it"


async def test_a_file_gives_no_word(tmp_path):
    async with asyncio.timeout(10):
        await Changes(store_file(tmp_path / "fig.db"), lambda: None).run()
