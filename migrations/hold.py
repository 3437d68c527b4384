"""Who works on a run: one process at a time, under a lease that it keeps while it works."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from ..errors import RunbookError, StoreError
from ..store.leases import Leases
from ..store.processes import new_incarnation
from ..store.run import Run, lease_of
from .site import Said, Site

__all__ = ["PATIENCE", "Hold", "held"]

PATIENCE: Final = 15.0
"""Seconds that one waits for the lease of another. One who was killed has lost it by then."""

_LEASE: Final = 10.0
_RENEW: Final = 3.0
_LOOK: Final = 1.0
_BEAT: Final = 0.1
"""Seconds: of a lease, between two renewals, between two looks at the run, between two at us."""


class Hold:
    """A lease that is held. ``wake`` is set where whoever works is to look anew, and soon.

    That is: told to stop (``stop``, by Ctrl-C), the deadline over, the run changed by somebody, or
    the lease lost. ``rest`` sleeps until then.
    """

    def __init__(self, site: Site, run: int, token: int, stop: threading.Event) -> None:
        self.run, self.token, self.stop = run, token, stop
        self.wake = threading.Event()
        self._site = site
        self._state = "running"
        self._deadline: float | None = None
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"run {run}", daemon=True)
        self._thread.start()

    def begin(self, state: str, deadline: float | None) -> threading.Event:
        """Begin a look at a step, in a run of this state; give the event that ends it."""
        self.wake = threading.Event()
        self._state, self._deadline = state, deadline
        return self.wake

    def check(self) -> None:
        """Raise ``RunbookError`` where another one has the lease now, as ours was not renewed."""
        if self._lost:
            raise RunbookError(
                "another one works on it: this process was silent for too long",
                place=f"run {self.run}",
                remedy="watch it: fig runbook status --watch",
            )

    def rest(self, seconds: float) -> None:
        """Sleep, until something is to be looked at."""
        self.wake.wait(seconds)

    def end(self) -> None:
        """Let go: another may have it at once."""
        self._ended.set()
        self._thread.join()
        with suppress(StoreError):  # it ends by itself
            Leases(self._site.store.database).release(lease_of(self.run), self.token)

    def _keep(self) -> None:
        renewed = looked = time.monotonic()
        while not self._ended.wait(_BEAT):
            now = time.monotonic()
            if now - renewed >= _RENEW:
                renewed = now
                self._renew()
            if now - looked >= _LOOK:
                looked = now
                self._look()
            late = self._deadline is not None and self._site.clock() >= self._deadline
            if late or self.stop.is_set():
                self.wake.set()

    def _renew(self) -> None:
        with suppress(StoreError):  # whatever is written is fenced; we try again
            if not Leases(self._site.store.database).renew(lease_of(self.run), self.token, _LEASE):
                self._lost = True
                self.wake.set()

    def _look(self) -> None:
        with suppress(StoreError):
            if self._site.store.runs.get(self.run).state != self._state:
                self.wake.set()


@contextmanager
def held(
    site: Site, run: Run, stop: threading.Event, *, patience: float = PATIENCE
) -> Iterator[Hold]:
    """Hold a run's lease. Raises ``RunbookError`` where another one keeps it, ``StoreError``."""
    hold = Hold(site, run.id, _acquire(site, run, stop, patience), stop)
    try:
        yield hold
    finally:
        hold.end()


def _acquire(site: Site, run: Run, stop: threading.Event, patience: float) -> int:
    leases, name = Leases(site.store.database), lease_of(run.id)
    me = f"{site.who} on {socket.gethostname()}, process {os.getpid()} ({new_incarnation()[:8]})"
    until, told = time.monotonic() + patience, False
    while True:
        token = leases.acquire(name, me, _LEASE)
        if token is not None:
            return token
        owner = leases.holder(name) or "another process"
        if time.monotonic() >= until or stop.is_set():
            raise RunbookError(
                "is worked on by somebody else",
                place=f"run {run.id} of {run.runbook}",
                value=owner,
                expected="nobody who applies it",
                remedy=f"watch it: fig runbook status {run.runbook} --watch; "
                f"hold it: fig runbook pause {run.runbook}",
            )
        if not told:
            text = f"{owner} has the lease; waiting for it, {patience:.0f} s at most"
            site.tell(Said(kind="run", text=text))
            told = True
        stop.wait(0.2)
