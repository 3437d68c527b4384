"""The doors between the rooms. Each says who calls it, when, how often, and what it may raise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from .model import Delivery, Finding, Lag, Outgoing, Record, Reply, Request, Settlement

__all__ = [
    "Caller",
    "Converter",
    "Examinable",
    "Handler",
    "Installable",
    "Lagging",
    "Provider",
    "Reviewable",
    "Settling",
    "Sink",
    "Source",
    "Tabular",
]

Handler = Callable[[Request], Awaitable[Reply]]
"""Anything that answers a canonical request. Retrying, timing and recording wrap it."""


@runtime_checkable
class Source(Protocol):
    """Legacy talking to us. The bridge owns it and calls it from one task."""

    name: str

    async def open(self) -> None:
        """Connect. Called once before the first ``receive`` and again after a failure.

        Raises ``LegacyUnavailable`` where the system cannot be reached.
        """

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """Give up to ``limit`` deliveries, in order per key, waiting at most ``timeout`` seconds.

        An empty sequence means that there was nothing. What is never settled comes again after
        ``open``. Raises ``LegacyError`` only.
        """

    async def close(self) -> None:
        """Let go of everything; unsettled deliveries go back. May be called twice."""


@runtime_checkable
class Settling(Protocol):
    """A source that is told of many deliveries' ends at less than the sum of their cost."""

    async def settle_all(
        self, ends: Sequence[tuple[Delivery, Settlement]]
    ) -> Sequence[Exception | None]:
        """Do what the ``settle`` of each does; give what it would have raised, None where nothing.

        All are deliveries that it gave. What it raises itself counts for each of them.
        """


@runtime_checkable
class Lagging(Protocol):
    """A source that can say how much waits in it."""

    async def lag(self) -> Lag:
        """Count. Called every few seconds while it is open; cheap. Raises ``LegacyError``."""


@runtime_checkable
class Examinable(Protocol):
    """An adapter that can prove that what it put into the legacy system works."""

    def examine(self) -> Iterable[Finding]:
        """Look at everything, and leave nothing changed. Called by ``fig adapter doctor``; blocks.

        Raises ``LegacyError`` where nothing can be looked at.
        """


@runtime_checkable
class Sink(Protocol):
    """A place that messages of ours go to. The outbox owns it and calls it from one task.

    A class whose system can tell what it has had already says ``once = True``: what is in doubt is
    sent to it again. To any other one message is sent at a time, and what is in doubt is held.
    """

    name: str

    async def open(self) -> None:
        """Connect. Called before the first ``send`` and again after a failure."""

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all, in order; they are durable there when it returns.

        What came before under its ``message_id`` is not repeated, where the system can tell.
        Raises ``LegacyUnavailable`` where none was sent, ``InDoubt`` where some may have been, and
        any other ``FigError`` where it refuses one: the others are then sent one by one.
        """

    async def close(self) -> None:
        """Let go of everything. May be called twice."""


@runtime_checkable
class Caller(Protocol):
    """Us talking to legacy. Called by the legacy handler, concurrently."""

    async def open(self) -> None:
        """Make ready. Connecting may wait for the first call."""

    async def call(self, record: Record, deadline: float) -> Record:
        """Send the record's bytes and give what came back, faults included, untouched.

        ``deadline`` is in seconds since the epoch. Raises ``LegacyUnavailable`` where nothing was
        sent and ``InDoubt`` where no answer came to what was.
        """

    async def close(self) -> None:
        """Let go of everything. May be called twice."""


@runtime_checkable
class Installable(Protocol):
    """An adapter that puts something of ours into the legacy system, and can take it out."""

    def install_plan(self) -> Sequence[str]:
        """Give the statements that ``install`` would run, for a person to review."""

    def remove_plan(self) -> Sequence[str]:
        """Give the statements that ``remove`` would run."""

    def install(self) -> None:
        """Run the plan; harmless when it has run before. Raises ``LegacyError``."""

    def remove(self, *, discard: bool = False) -> None:
        """Undo ``install`` exactly; harmless when there is nothing.

        Raises ``LegacyError``, also while caught changes wait and ``discard`` is not given.
        """


@runtime_checkable
class Reviewable(Protocol):
    """An installable adapter that writes its statements down for whoever owns the system."""

    def script(self, action: Literal["install", "undo", "remove"]) -> str:
        """Give a script with comments; ``undo`` takes out what ``install`` would put in now.

        Empty where there is nothing to do. Raises ``LegacyError``.
        """

    def installed(self) -> Sequence[Mapping[str, str | float]]:
        """Give the record of what stands in the system, of all sources: what, since when, by whom.

        Raises ``LegacyError``.
        """


@runtime_checkable
class Tabular(Protocol):
    """A source whose records are rows, and which can say what columns those have."""

    def columns(self, *, ask: bool) -> Sequence[str] | None:
        """Give them: with ``ask`` as the legacy system says, else as ``fig.toml`` does, or None.

        Blocks where it asks. Raises ``LegacyError`` where the system cannot tell.
        """


@runtime_checkable
class Provider(Protocol):
    """A replacement: answers canonical requests with AI (or with rules).

    A class whose requests do not leave this house says ``outside = False``, or has a function
    ``outside(options)`` that says so; all others get masked payloads only. One whose answering does
    nothing by itself, or only tells it as intents where ``request.shadow`` is set, says
    ``acts = False``; others are asked in shadow only where the operation reads.
    """

    @property
    def revision(self) -> str:
        """The digest of everything that decides its answers: model, rules, options."""

    async def open(self) -> None:
        """Load. Called once, off the callers' path. Raises ``ReplacementUnavailable``."""

    async def answer(self, request: Request) -> Reply:
        """Answer; ``abstained`` where it is not sure. Raises ``ReplacementError``."""

    async def close(self) -> None:
        """Let go of everything. May be called twice."""


class Converter(Protocol):
    """One value between legacy text and a canonical value, both ways, without loss.

    Both raise ``ValueError`` with what was expected; the mapping adds place and value.
    """

    def decode(self, text: str) -> object:
        """Legacy to canonical."""

    def encode(self, value: object) -> str:
        """Canonical to legacy: ``encode(decode(x)) == x``."""
