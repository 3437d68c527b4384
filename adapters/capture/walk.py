"""A walk over a table: a chunk, what must be waited for, the next; and where it stands."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Literal, Protocol

import msgspec
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from .ground import Again, Ground
from .mark import Mark, Stand, Unmarked
from .throttle import Bound, Pace, Wait, longest

__all__ = ["At", "Chunk", "Progress", "Walk"]

At = Mapping[str, object]
"""Where a walk stands, as JSON; empty at its beginning."""

_LOOK: Final = 0.25
_ALIVE: Final = 10.0
_LOCKED: Final = Wait("a row that legacy holds locked", 0.05)
_RECENT: Final = 32
_PATIENCE: Final = 10.0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk stands. ``total`` is about how many rows there are; times are in seconds.

    ``rate`` is in rows a second, lately; ``left`` is -1 where nobody can say. ``waiting`` names
    what is being waited for, if anything.
    """

    kind: str
    state: Literal["running", "paused", "done"]
    rows: int
    total: int
    rate: float = 0.0
    left: float = -1.0
    waiting: str = ""


class Chunk(Protocol):
    """What is done with one chunk, in transactions of its own."""

    def __call__(
        self, connection: Connection, at: At, size: int, save: Callable[[At, int], None]
    ) -> tuple[At, int] | None:
        """Take up to ``size`` rows behind ``at``; give the new place and how many, None at the end.

        ``save`` is called with both in the transaction of what was captured.
        """


class Walk:
    """One walk of one process, in the thread that calls ``run``.

    ``report`` is called at every chunk and while something is waited for; ``stop`` ends the walk at
    a chunk's end. Raises ``LegacyError``; what was walked stays walked.
    """

    def __init__(
        self,
        ground: Ground,
        mark: Mark | Unmarked,
        *,
        bounds: Sequence[Bound],
        pace: Pace,
        stop: threading.Event,
        report: Callable[[Progress], None],
    ) -> None:
        self._ground, self._mark, self._bounds, self._pace = ground, mark, bounds, pace
        self._stop, self._report = stop, report
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RECENT)
        self._rows = self._total = 0
        self._touched = 0.0

    def run(
        self,
        begin: Callable[[Connection, Stand], tuple[Chunk, At, int]],
        *,
        restart: bool = False,
        finish: Callable[[Connection], None] | None = None,
    ) -> Progress:
        """Walk to the end, or until it is told to stop; say where it stands then.

        ``begin`` gives what to do with chunks, where to begin and how many rows there are;
        ``finish`` belongs to the transaction that marks the end.
        """
        with self._ground.connected() as connection:
            with self._ground.writing(connection):
                stand = self._mark.take(connection, restart=restart)
            state: Literal["paused", "done"] = "paused"
            try:
                chunk, at, self._total = begin(connection, stand)
                self._rows = stand.rows
                self._recent.append((time.monotonic(), 0))
                if self._walk(connection, chunk, at):
                    state = "done"
                    self._end(connection, "done", partial(finish, connection) if finish else None)
            finally:
                if state == "paused":
                    self._end(connection, state)
        return self._progress(state)

    def _end(
        self,
        connection: Connection,
        state: Literal["paused", "done"],
        finish: Callable[[], None] | None = None,
    ) -> None:
        """Give the mark up; ask for a while where legacy holds a lock that this needs."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._ground.writing(connection):
                    if finish is not None:
                        finish()
                    self._mark.leave(connection, state)
            except SQLAlchemyError as error:
                if not self._ground.is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(_LOCKED.seconds)
            else:
                return

    def _walk(self, connection: Connection, chunk: Chunk, at: At) -> bool:
        while not self._stop.is_set():
            self._say()
            if not self._clear(connection) or self._stop.is_set():
                continue
            begun = time.monotonic()
            try:
                step = chunk(connection, at, self._pace.size, self._save(connection))
            except Again as again:
                if again.reason:
                    self._wait(connection, Wait(again.reason, again.seconds))
                continue
            except SQLAlchemyError as error:
                if not self._ground.is_busy(error):
                    raise
                self._pace.refused()
                self._wait(connection, _LOCKED)
                continue
            if step is None:
                return True
            at, rows = step
            self._took(rows, time.monotonic() - begun)
        return False

    def _save(self, connection: Connection) -> Callable[[At, int], None]:
        def save(at: At, rows: int) -> None:
            done = self._rows + rows
            self._mark.advance(connection, at, rows=done, total=max(self._total, done))
            self._touched = time.monotonic()

        return save

    def _took(self, rows: int, seconds: float) -> None:
        self._rows += rows
        self._recent.append((time.monotonic(), rows))
        self._pace.took(rows, seconds)
        for bound in self._bounds:
            bound.took(rows)

    def _clear(self, connection: Connection) -> bool:
        wait = longest([bound.wait(connection) for bound in self._bounds])
        if wait is not None:
            self._wait(connection, wait)
        return wait is None

    def _wait(self, connection: Connection, wait: Wait) -> None:
        self._say(wait.reason)
        if time.monotonic() - self._touched > _ALIVE:
            self._mark.touch(connection)
            self._touched = time.monotonic()
        self._stop.wait(min(wait.seconds, _LOOK))

    def _say(self, waiting: str = "") -> None:
        self._report(self._progress("running", waiting))

    def _progress(self, state: Literal["running", "paused", "done"], waiting: str = "") -> Progress:
        seconds = time.monotonic() - self._recent[0][0] if self._recent else 0.0
        rows = sum(rows for _, rows in list(self._recent)[1:])
        rate = rows / seconds if seconds > 0 else 0.0
        total = self._rows if state == "done" else max(self._total, self._rows)
        return Progress(
            kind=self._mark.kind,
            state=state,
            rows=self._rows,
            total=total,
            rate=rate,
            left=(total - self._rows) / rate if rate else -1.0,
            waiting=waiting,
        )
