"""What walks over a legacy table have in common: their bounds, how they show, how they stop."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Self, TypeVar

import click
import msgspec
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from .. import app
from ..adapters.capture.ground import Ground, Grounded
from ..adapters.capture.throttle import Backlog, Bound, Lag, Rate, Window
from ..adapters.capture.walk import Progress as Stand
from ..errors import ConfigError
from .adapter_part import Overrides, login_options
from .screen import Screen

__all__ = ["Bounds", "Show", "bounded", "ground_of", "span", "stopping"]

_Function = TypeVar("_Function", bound=Callable[..., object])
_EVERY = 1.0
_LINE_EVERY = 10.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of a walk say."""

    rate: float | None
    window: str | None
    max_lag: float | None
    lag_sql: str
    backlog: int
    chunk: int
    hold: float

    def of(self, ground: Ground) -> list[Bound]:
        """Give the bounds for one table. Raises ``ConfigError``."""
        found: list[Bound] = []
        if self.window is not None:
            found.append(Window(self.window))
        if self.max_lag is not None or self.lag_sql:
            most = 10.0 if self.max_lag is None else self.max_lag
            found.append(Lag(ground, most, self.lag_sql))
        if self.backlog:
            found.append(Backlog(ground, self.backlog))
        if self.rate is not None:
            found.append(Rate(self.rate))
        return found


def bounded(command: _Function) -> _Function:
    """Add the options that bound a walk, and those that say as whom to walk."""
    options = [
        click.option(
            "--rate", type=click.FloatRange(0, min_open=True), help="Rows a second at most."
        ),
        click.option(
            "--window", metavar="FROM-TO", help="Part of the day: '22:00-05:00 Europe/Vienna'."
        ),
        click.option(
            "--max-lag",
            type=click.FloatRange(0),
            help="Seconds that replicas may be behind.  [default: any; 10 with --lag-sql]",
        ),
        click.option(
            "--lag-sql", default="", metavar="SQL", help="A query that gives that, as one number."
        ),
        click.option(
            "--backlog",
            type=click.IntRange(0),
            default=10_000,
            show_default=True,
            help="Rows that may wait for the bridge; 0: any number.",
        ),
        click.option(
            "--chunk",
            type=click.IntRange(1, 100_000),
            default=1_000,
            show_default=True,
            help="Rows in one transaction at most.",
        ),
        click.option(
            "--hold",
            type=click.FloatRange(0.01, 30),
            default=0.5,
            show_default=True,
            help="Seconds for which locks are held at most; chunks become as small as that takes.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return login_options(command)


def ground_of(screen: Screen, system: str, options: Mapping[str, object]) -> Ground:
    """Find the table of a system, as the user whom the options of ``bounded`` name.

    Raises ``ConfigError`` where it has none, ``LegacyError``.
    """
    workspace = msgspec.convert(options, Overrides).of(screen.load(), system)
    part = app.adapter(workspace, system)
    if not isinstance(part, Grounded):
        raise ConfigError(
            "has no rows to walk over",
            place=workspace.place("legacy", system, "adapter"),
            value=workspace.legacy[system].adapter,
            expected='adapter = "tables"',
        )
    return part.ground()


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and SIGTERM set; at a second one they do what they always do."""
    stop = threading.Event()
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def heard(number: int, frame: FrameType | None) -> None:
        del frame
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for one in before:
        signal.signal(one, heard)
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class Show:
    """Shows how far a walk has come: a bar for people, or a line of JSON a second.

    Off a terminal, in a log, it is a plain line every ten seconds.
    """

    def __init__(self, screen: Screen, system: str, *, as_json: bool) -> None:
        self._screen, self._system, self._as_json = screen, system, as_json
        self._said = 0.0
        self._lined = time.monotonic()
        self._bar = Progress(
            TextColumn(escape(system)),
            BarColumn(),
            TextColumn("{task.description}"),
            console=screen.err,
            transient=True,
            disable=as_json or not screen.err.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, stand: Stand) -> None:
        """Show it, where there is somebody to see it."""
        if not self._as_json:
            if self._screen.err.is_terminal:
                self._bar.update(
                    self._task, completed=stand.rows, total=stand.total, description=told(stand)
                )
            else:
                self._line(stand)
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            self._screen.json({"system": self._system, **msgspec.structs.asdict(stand)})

    def _line(self, stand: Stand) -> None:
        if time.monotonic() - self._lined >= _LINE_EVERY:
            self._lined = time.monotonic()
            self._screen.note(f"{escape(self._system)}: {escape(told(stand))}")


def told(stand: Stand) -> str:
    """Say in a line how far a walk has come, how fast it goes, and what it waits for."""
    parts = [f"{stand.rows:,} of about {stand.total:,} rows"]
    if stand.rate:
        parts.append(f"{stand.rate:,.0f} a second")
    if stand.left >= 0 and stand.rows < stand.total:
        parts.append(f"{span(stand.left)} left")
    if stand.waiting:
        parts.append(f"waiting for {stand.waiting}")
    return ", ".join(parts)


def span(seconds: float) -> str:
    """Give a length of time for people: 0.5 s, 30 s, 3 min, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
