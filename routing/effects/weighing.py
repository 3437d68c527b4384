"""What a request would have done, held against what legacy was seen to do. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, cast

import msgspec

from ...model import Comparison, Payload
from ...store.awaited import Awaiting, close_request
from ...store.effects import Effect
from ...store.outcomes import Decided, change_outcome
from ...store.standing import Standing
from ..comparison.match import matched
from ..payloads import loads
from .intents import Waiting
from .kind import Kind

__all__ = ["SKEW", "Weighed", "grace", "weigh"]

SKEW: Final = 5.0
"""Seconds by which legacy's clock may be behind ours."""

_WEIGHED: Final = "weighed"
"""The state of a row that is done with: none of those that can still be joined."""

State = Literal["same", "different", "missing", "extra"]


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What one request's effects of a kind come to: how many of each state, and what is written.

    ``missing`` are those that only legacy had, ``extra`` those that only the replacement would.
    """

    request_id: str
    states: dict[State, int] = {}
    comparison: Comparison
    effects: tuple[Effect, ...] = ()


def grace(kind: Kind) -> float:
    """Give the seconds after a window in which what legacy did in it may still reach us."""
    return max(SKEW, kind.rules.within / 10)


def weigh(kind: Kind, standing: Standing, now: float) -> Weighed | None:
    """Weigh the oldest request of a key whose window is over; None where there is none.

    Equal ones are matched first, the others in the order in which they came. What is left of
    legacy's belongs to the newest request before it: only there it is missing.
    """
    due = [one for one in standing.open if one.until + grace(kind) < now]
    asked = next(iter(due), None)
    if asked is None:
        return None
    waiting = Waiting.read(asked.pair)
    later = [one for one in standing.open if one.at > asked.at]
    seen = [one for one in standing.early if asked.at - SKEW <= one.at <= asked.until]
    did = [cast("Payload", loads(one.answer)) for one in seen]
    same = matched(waiting.intents, did, lambda one, other: _alike(kind, one, other))
    ours = [at for at in range(len(waiting.intents)) if at not in same]
    theirs = [
        at
        for at in range(len(seen))
        if at not in same.values() and not any(one.at - SKEW <= seen[at].at for one in later)
    ]
    taken = [seen[at] for at in (*same.values(), *theirs)]
    return _weighed(kind, asked, waiting, did, (len(same), ours, theirs), taken)


def _alike(kind: Kind, one: object, other: object) -> bool:
    if one is None or other is None:
        return False
    found = kind.comparing.differences(cast("Payload", other), cast("Payload", one))
    return not found.paths


def _weighed(
    kind: Kind,
    asked: Awaiting,
    waiting: Waiting,
    did: Sequence[Payload],
    matches: tuple[int, list[int], list[int]],
    taken: Sequence[Decided],
) -> Weighed:
    same, ours, theirs = matches
    would = [waiting.intents[at] for at in ours]
    fit = [one for one in would if one is not None]
    had = [did[at] for at in theirs]
    pairs = list(zip(had, fit, strict=False))
    counts: dict[State, int] = {
        "different": len(pairs),
        "missing": len(had) - len(pairs),
        "extra": len(would) - len(pairs),
        "same": same,
    }
    states: dict[State, int] = {name: count for name, count in counts.items() if count}
    shown = (had[0] if had else {}, fit[0] if fit else {})
    return Weighed(
        request_id=asked.request_id,
        states=states,
        comparison=_comparison(kind, asked, waiting, _differs(kind, pairs, states), *shown),
        effects=(
            close_request(asked.id, _WEIGHED),
            *(change_outcome(one.id, _WEIGHED) for one in taken),
        ),
    )


def _differs(
    kind: Kind, pairs: Sequence[tuple[Payload, Payload]], states: Mapping[State, int]
) -> tuple[str, ...]:
    paths = [
        _under(kind, path)
        for old, new in pairs
        for path in kind.comparing.differences(old, new).paths
    ]
    paths += [f"-{kind.name}"] if "missing" in states else []
    paths += [f"+{kind.name}"] if "extra" in states else []
    return tuple(dict.fromkeys(paths))


def _under(kind: Kind, path: str) -> str:
    """Give a path as one of the whole: its sign stays in front."""
    sign = path[:1] if path[:1] in ("+", "-") else ""
    return f"{sign}{kind.name}.{path.removeprefix(sign) if sign else path}"


def _comparison(
    kind: Kind,
    asked: Awaiting,
    waiting: Waiting,
    differs: tuple[str, ...],
    legacy: Payload,
    replacement: Payload,
) -> Comparison:
    found = kind.journalled(
        Comparison(
            request_id=asked.request_id,
            endpoint=kind.endpoint,
            revision=waiting.revision,
            unit=waiting.unit,
            winner="open" if differs else "both",
            by="none" if differs else "agreement",
            why="effects" if differs else "",
            differs=differs,
            legacy=legacy,
            replacement=replacement,
        )
    )
    # Under the kind's name: a field of the endpoint's own may be called as one of the effect's.
    return msgspec.structs.replace(
        found,
        legacy={kind.name: found.legacy} if found.legacy else {},
        replacement={kind.name: found.replacement} if found.replacement else {},
    )
