"""A bar on standard error for what takes long."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from .screen import Screen

__all__ = ["Meter"]

_AFTER = 2.0
_EVERY = 256
_T = TypeVar("_T")


class Place(Protocol):
    """What is read, and how far it has come."""

    @property
    def offset(self) -> int:
        """Give the bytes read so far."""


class Meter:
    """Shows how far a file is read, where standard error is a terminal and it takes over 2 s."""

    def __init__(self, screen: Screen, what: str, total: int | None) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._progress: Progress | None = None

    def over(self, items: Iterable[_T], place: Place) -> Iterator[_T]:
        """Give the items; ``place`` is asked now and then how far it has come."""
        if not self._screen.err.is_terminal:
            yield from items
            return
        begun = time.monotonic()
        try:
            for count, item in enumerate(items):
                if count % _EVERY == 0 and time.monotonic() - begun > _AFTER:
                    self._show(place.offset)
                yield item
        finally:
            if self._progress is not None:
                self._progress.stop()

    def _show(self, done: int) -> None:
        if self._progress is None:
            self._progress = Progress(
                TextColumn(self._what),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=self._screen.err,
                transient=True,
            )
            self._progress.add_task("", total=self._total)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], completed=done)
