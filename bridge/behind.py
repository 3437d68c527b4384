"""What waits behind the delivery of its key that is in hand: one of a key at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..model import Delivery

__all__ = ["Behind"]


class Behind:
    """Keeps the order of keys. Used by ``Hand``.

    Sources hand out one of a key at a time; where one does not, this keeps the order. What has no
    key has no order.
    """

    def __init__(self) -> None:
        self._keys: dict[str, deque[Delivery] | None] = {}  # by each key that is in hand

    def begin(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Give those that may begin; the others wait behind those of their keys."""
        keys = self._keys
        ready: list[Delivery] = []
        for delivery in deliveries:
            key = delivery.record.key
            if key:
                if key in keys:
                    self._wait(key, delivery)
                    continue
                keys[key] = None
            ready.append(delivery)
        return ready

    def waits(self, key: str) -> bool:
        """Say whether any waits behind one that has ended; its key is free where none does."""
        if self._keys.get(key):
            return True
        self._keys.pop(key, None)
        return False

    def following(self, key: str) -> Delivery | None:
        """Give the next of a key, which begins now; where there is none, the key is free."""
        if not self.waits(key):
            return None
        waiting = self._keys[key]
        return waiting.popleft() if waiting else None

    def take_back(self, key: str) -> list[Delivery]:
        """Give all that wait; those that come now wait behind them."""
        waiting = self._keys.get(key)
        taken = list(waiting or ())
        if waiting:
            waiting.clear()
        return taken

    def forget(self, key: str) -> list[Delivery]:
        """Give all that wait; the key is free."""
        return list(self._keys.pop(key, None) or ())

    def clear(self) -> None:
        """Forget everything."""
        self._keys.clear()

    def _wait(self, key: str, delivery: Delivery) -> None:
        waiting = self._keys[key]
        if waiting is None:
            waiting = self._keys[key] = deque()
        waiting.append(delivery)
