"""Takes back differences that stood open before they were known to be noise."""

from __future__ import annotations

from collections.abc import Collection

from ...store.adjudications import Adjudication, adjudicate
from ...store.reviews import Reviews
from ...store.store import Store
from ..comparison.path import field_of

__all__ = ["settle_noise"]


def settle_noise(store: Store, endpoint: str, revision: str, noisy: Collection[str]) -> int:
    """Decide the open differences in nothing but noisy fields: both were right. Say how many.

    Called when noise was measured; blocks. Raises ``StoreUnavailable``.
    """
    settled = 0
    if not noisy:
        return settled
    for one in Reviews(store.database, store.inserts, endpoint, revision).queue():
        fields = dict.fromkeys(field_of(path) for path in one.comparison.differs)
        if fields.keys() <= set(noisy):
            settled += adjudicate(
                store.database,
                store.inserts,
                Adjudication(
                    endpoint=endpoint,
                    revision=revision,
                    unit=one.comparison.unit,
                    winner="both",
                    by="noise",
                    why="only noise: " + ", ".join(fields),
                ),
            )
    return settled
