"""What a process says of itself: on the store every second, at /status, and to ``fig bridge``."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Literal

import msgspec

from ..bridge.status import SourceStatus

__all__ = ["LastTrouble", "ProcessStatus", "Reloaded", "SourceView", "State", "builtins"]

State = Literal["starting", "running", "reloading", "draining"]


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """How the last reload went. ``number`` counts them; 0: there was none.

    ``changes`` are what it did, for people; ``error`` its parts, where it was refused, and
    ``exit_status`` what ``fig bridge reload`` leaves with.
    """

    number: int = 0
    at: float = 0.0
    ok: bool = True
    changes: tuple[str, ...] = ()
    error: Mapping[str, str] = {}
    exit_status: int = 0


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A source of a process: what its bridge says of it, and the ``endpoints`` that it feeds.

    ``recent`` is what was settled in each of the last seconds, oldest first.
    """

    status: SourceStatus = SourceStatus()
    recent: tuple[int, ...] = ()
    endpoints: tuple[str, ...] = ()


class SinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A destination of a process: what its sender says, with its counts since the start."""

    state: str = "starting"
    sent: int = 0
    retried: int = 0
    held: int = 0
    in_flight: int = 0
    trouble: str = ""


class JournalView(msgspec.Struct, frozen=True, kw_only=True):
    """The journal of a process: lines that wait, lines that found no room, what is wrong."""

    backlog: int = 0
    dropped: int = 0
    trouble: str = ""


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A process, whole. ``missing`` says what keeps it from being ready, ``stuck`` from being live.

    ``digest`` is that of the workspace it runs (``running.digest``); ``routes`` are the versions
    that it has adopted, so a change is done when all who live have it; ``paused`` are endpoints
    whose route is held; ``leases`` what this process alone does now; ``trouble`` the last warning.
    """

    workspace: str = ""
    digest: str = ""
    version: str = ""
    state: State = "starting"
    live: bool = True
    ready: bool = False
    missing: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    sources: Mapping[str, SourceView] = {}
    sinks: Mapping[str, SinkView] = {}
    journal: JournalView = JournalView()
    routes: Mapping[str, int] = {}
    paused: tuple[str, ...] = ()
    leases: tuple[str, ...] = ()
    health: str = ""
    lease: float = 5.0
    reload: Reloaded = Reloaded()
    trouble: str = ""
    trouble_at: float = 0.0


class LastTrouble(logging.Handler):
    """Keeps the last warning that was logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""
        self.at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it (called by the log)."""
        self.text, self.at = record.getMessage(), time.time()


def builtins(status: ProcessStatus) -> dict[str, object]:
    """Give it as JSON has it."""
    made: dict[str, object] = msgspec.to_builtins(status)
    return made
