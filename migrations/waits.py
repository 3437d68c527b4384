"""What a step waits for: told to people, noted for those who look from elsewhere, slept through."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from ..errors import StoreUnavailable
from .hold import Hold
from .ports import Waiting
from .site import Said, Site

__all__ = ["Waits"]

_AGAIN: Final = 30.0
"""Seconds after which people are told again of what still is waited for."""
_LEAST: Final = 0.05
_NUMBER: Final = re.compile(r"\d[\d.,]*( (s|min|h|d)\b)?")


class Waits:
    """Made once for each work on a run."""

    def __init__(self, site: Site, hold: Hold) -> None:
        self._site, self._hold = site, hold
        self._noted: object = None
        self._told: frozenset[str] = frozenset()
        self._at = 0.0

    def rest(self, step: str, waits: Sequence[Waiting]) -> None:
        """Wait for that, until it is worth while to look again."""
        self._tell(step, waits)
        noted = (step, [_plain(one) for one in waits])
        if step and noted != self._noted:
            with suppress(StoreUnavailable):  # it is for those who look; there is a next time
                self._site.store.runs.note(self._hold.run, step, self._hold.token, waits=noted[1])
                self._noted = noted
        self._hold.rest(max(_LEAST, min(one.again_after for one in waits)))

    def over(self) -> None:
        """Forget what was told: the next step's waits are new."""
        self._told, self._noted = frozenset(), None

    def _tell(self, step: str, waits: Sequence[Waiting]) -> None:
        """Tell what is new; now and then all of it. What only counts on is not new."""
        known = {_NUMBER.sub("", f"{step} {one.reason}"): one for one in waits}
        again = time.monotonic() - self._at >= _AGAIN
        new = tuple(one for key, one in known.items() if again or key not in self._told)
        self._told = frozenset(known)
        if new:
            self._at = time.monotonic() if len(new) == len(waits) else self._at
            text = "; ".join(one.reason for one in new)
            self._site.tell(Said(kind="wait", text=text, step=step, waits=new))


def _plain(waiting: Waiting) -> Mapping[str, object]:
    return {
        "reason": waiting.reason,
        "missing": waiting.missing,
        "command": waiting.command,
        "again_after": waiting.again_after,
    }
