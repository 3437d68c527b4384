"""How a document says times, verdicts, states and options."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from ...model import Route, Stage
from .blocks import Mark, Span

__all__ = ["LATE", "day", "options", "outcome", "place", "said", "state"]

_STATES: Final[Mapping[str, Mark]] = {
    "waiting": "quiet",
    "begun": "waits",
    "done": "good",
    "undoing": "waits",
    "undone": "quiet",
    "failed": "bad",
    "skipped": "quiet",
    "running": "waits",
    "paused": "waits",
    "frozen": "bad",
    "aborting": "waits",
    "aborted": "quiet",
}
_OUTCOMES: Final[Mapping[str, Mark]] = {
    "pass": "good",
    "fail": "bad",
    "hold": "waits",
    "error": "bad",
}
LATE: Final[Mapping[str, str]] = {
    "fail": "the run stops, and nothing is taken back",
    "abort": "what was done is undone, in reverse",
    "pause": "the run waits for somebody",
    "rollback": "legacy answers again, and the run waits for somebody",
    "continue": "the step is skipped, and the run goes on",
}
"""What it means that a step is not done in time."""
_LATEST: Final = 253_402_300_799.0
"""The end of the year 9999: no date is later."""


def day(at: float | None) -> str:
    """Say a moment, in UTC; a dash where there is none."""
    if at is None or not 0 <= at <= _LATEST:
        return "-"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def outcome(verdict: str) -> Span:
    """Say what a guardrail says."""
    return Span(verdict, _OUTCOMES.get(verdict, ""))


def state(name: str) -> Span:
    """Say where a run or a step stands."""
    return Span(name, _STATES.get(name, ""))


def place(route: Route) -> str:
    """Say where a route stands."""
    rung = f"canary {route.percent:g} %" if route.stage is Stage.CANARY else route.stage.value
    data = "" if route.data.value == "none" else f", data {route.data.value}"
    latches = [name for name in ("paused", "frozen", "killed") if getattr(route, name)]
    return rung + data + (f", {' '.join(latches)}" if latches else "")


def options(found: object) -> str:
    """Say the options of an act or a gate: those in the file, and those that hold without a word.

    What is empty or off is left out.
    """
    if not isinstance(found, msgspec.Struct):
        return ""
    names = {one.name: one.encode_name for one in msgspec.structs.fields(type(found))}
    values = {name: getattr(found, field) for field, name in names.items()}
    return ", ".join(f"{name} = {said(value)}" for name, value in values.items() if value)


def said(value: object) -> str:
    """Say a value as JSON does, or as it says itself where JSON cannot."""
    if isinstance(value, float):
        return f"{value:g}"
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        return str(value)
