"""Asks metrics of one's own in the background, and keeps their last readings."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ...config import Metrics
from ...errors import FigError
from ...guardrail_settings import Metric
from ...telemetry import log
from .metric import Reading
from .promql import ask_prometheus, check_prometheus
from .sql import ask_sql, check_sql

__all__ = ["PATIENCE", "Ask", "Meters", "check_source"]

PATIENCE: Final = 5
"""Errors in a row after which a route is paused: somebody must look at it."""

Ask = Callable[[Metric, Metrics], float | None]
"""Ask a metric's source: a number, None where it has none. Raises ``FigError``."""


class Meters:
    """The metrics of one endpoint. Owned by its ``Gathering``; any thread may call it.

    Each asking has a thread of its own that nobody joins: a source that hangs holds up no verdict
    of the other guardrails, and is an error when its time is over.
    """

    def __init__(
        self, metrics: Sequence[Metric], sources: Mapping[str, Metrics], ask: Ask | None = None
    ) -> None:
        asks = ask or _ask
        self._meters = {one.name: _Meter(one, sources[one.source], asks) for one in metrics}

    def read(self, *, wait: bool) -> dict[str, tuple[Reading, ...]]:
        """Give the last readings of each metric, oldest first, and ask those whose time has come.

        ``wait``: for those that were never read, as long as their timeouts say.
        """
        for meter in self._meters.values():
            meter.look()
        if wait:
            for meter in self._meters.values():
                meter.wait()
        return {name: meter.readings() for name, meter in self._meters.items()}


class _Meter:
    def __init__(self, metric: Metric, source: Metrics, ask: Ask) -> None:
        self._metric, self._source, self._ask = metric, source, ask
        self._readings: deque[Reading] = deque(maxlen=max(PATIENCE, metric.times))
        self._lock = threading.Lock()
        self._asking = 0
        self._since: float | None = None
        self._next = 0.0
        self._answered = threading.Event()

    def readings(self) -> tuple[Reading, ...]:
        with self._lock:
            return tuple(self._readings)

    def look(self) -> None:
        """Ask where it is time to; give up what does not answer."""
        now = time.monotonic()
        with self._lock:
            if self._since is not None:
                if now - self._since < self._source.source.timeout:
                    return
                late = f"no answer within {self._source.source.timeout:g} s"
                self._take(self._asking, Reading(error=late))
            if now < self._next:
                return
            self._next, self._since = now + self._metric.every, now
            self._asking += 1
            number = self._asking
        name = f"metric {self._metric.name}"
        threading.Thread(target=self._run, args=(number,), name=name, daemon=True).start()

    def wait(self) -> None:
        """Wait for the first answer of all."""
        if not self._answered.wait(self._source.source.timeout):
            self.look()

    def _run(self, number: int) -> None:
        try:
            reading = Reading(value=self._ask(self._metric, self._source))
        except FigError as error:
            reading = Reading(error=str(error))
        except Exception as error:  # noqa: BLE001  # a driver's fault is no reason to judge nothing
            log.debug("metric %s", self._metric.name, exc_info=error)
            reading = Reading(error=f"{type(error).__name__} that should not be: see the log")
        with self._lock:
            self._take(number, reading)

    def _take(self, number: int, reading: Reading) -> None:
        if number != self._asking or self._since is None:
            return  # it was given up
        self._since = None
        self._readings.append(reading)
        self._answered.set()


def check_source(source: Metrics) -> str:
    """Say where a source is, its secrets found. Asks nobody. Raises ``ConfigError``."""
    if source.source.sql:
        return f"sql at {check_sql(source).render_as_string(hide_password=True)}"
    check_prometheus(source)
    return f"prometheus at {source.source.prometheus}"


def _ask(metric: Metric, source: Metrics) -> float | None:
    return ask_sql(metric, source) if source.source.sql else ask_prometheus(metric, source)
