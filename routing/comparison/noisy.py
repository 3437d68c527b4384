"""The fields whose differences are noise, as a running process knows them."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from ...errors import StoreError
from ...store.database import Database
from ...store.noise import doubled
from ..endpoint import Endpoint
from .noise import excused, field_noise

__all__ = ["Noisy"]

_FRESH: Final = 30.0
"""Seconds after which the store is asked again. Noise is found over hours."""

_NONE: Final[frozenset[str]] = frozenset()


class Noisy:
    """Looks the store's findings up, seldom. Owned by one event loop; used by the shadow."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._known: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}

    async def fields(self, endpoint: Endpoint, revision: str) -> frozenset[str]:
        """Name the noisy fields beside a revision. Never raises: what was known stays known."""
        rules = endpoint.config.comparison.noise
        if self._database is None or not rules.excuses:
            return _NONE
        key, now = (endpoint.name, revision), time.monotonic()
        until, known = self._known.get(key, (0.0, _NONE))
        if now < until:
            return known
        self._known[key] = now + _FRESH, known  # the others go on with what is known
        try:
            seen = await asyncio.to_thread(doubled, self._database, *key)
        except StoreError:
            return known
        found = excused(field_noise(seen, rules, endpoint.comparing.count), rules)
        self._known[key] = now + _FRESH, found
        return found
