"""The end of the story in numbers: the last line of ``fig demo --json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ..model import Route
from ..store.routes import Change
from .caller import Caller
from .tally import Tally

__all__ = ["Rollback", "Summary", "summarise"]


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """The bad revision: what it was, how many requests it took, how right it was on them."""

    revision: str
    after_requests: int
    accuracy: float
    reason: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, counted from the journal; what callers met, by the callers themselves.

    ``lost``: requests that the callers made and the journal has no answer for. Accuracies are over
    distinct messages with a golden label: of what each side answered. ``coverage`` is the share
    that the replacement did not abstain from; ``replacement_accuracy_of_all`` counts what it
    abstained from as wrong. ``events``: tickets caught by the trigger, journalled beside legacy's.
    """

    endpoint: str
    stages: tuple[str, ...]
    final_stage: str
    revision: str
    requests: int
    answered: int
    lost: int
    caller_errors: int
    legacy_accuracy: float
    replacement_accuracy: float
    replacement_accuracy_of_all: float
    coverage: float
    compared: int
    fallbacks: Mapping[str, int]
    events: int
    tickets: int
    rollback: Rollback | None
    seconds: float
    event: str = "summary"


def summarise(
    tally: Tally,
    events: Tally,
    *,
    route: Route,
    history: Sequence[Change],
    caller: Caller,
    seconds: float,
) -> Summary:
    """Put the summary together."""
    legacy_right, judged = tally.accuracy("legacy", route.revision)
    right, _ = tally.accuracy("replacement", route.revision)
    abstained = tally.abstained[route.revision]
    fallbacks: dict[str, int] = {}
    for stretch in tally.stretches:
        for reason, count in stretch.fallbacks.items():
            fallbacks[reason] = fallbacks.get(reason, 0) + count
    return Summary(
        endpoint=tally.endpoint,
        stages=_stages(history),
        final_stage=route.stage.value,
        revision=route.revision,
        requests=tally.requests,
        answered=tally.answered,
        lost=max(0, caller.sent - len(caller.errors) - tally.answered),
        caller_errors=len(caller.errors),
        legacy_accuracy=_ratio(legacy_right, judged),
        replacement_accuracy=_ratio(right, judged),
        replacement_accuracy_of_all=_ratio(right, judged + abstained),
        coverage=_ratio(judged, judged + abstained),
        compared=judged,
        fallbacks=fallbacks,
        events=events.requests,
        tickets=caller.submitted,
        rollback=_rollback(tally, history),
        seconds=round(seconds, 1),
    )


def _stages(history: Sequence[Change]) -> tuple[str, ...]:
    names = ["legacy"]
    for change in history:
        after = change.after
        name = f"canary {after.percent:g} %" if after.stage == "canary" else after.stage.value
        if change.action == "deploy":
            name = f"{name}, revision {after.revision}"
        if change.action == "take back":
            name = f"taken back to {name}, revision {after.revision}"
        if name != names[-1]:
            names.append(name)
    return tuple(names)


def _rollback(tally: Tally, history: Sequence[Change]) -> Rollback | None:
    for change in history:
        if change.action == "take back" and change.before is not None:
            bad = change.before.revision
            right, judged = tally.accuracy("replacement", bad)
            took = sum(one.requests for one in tally.stretches if one.revision == bad)
            return Rollback(
                revision=bad,
                after_requests=took,
                accuracy=_ratio(right, judged),
                reason=change.why,
            )
    return None


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
