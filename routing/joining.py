"""Which request a decision of legacy's belongs to, and what that comes to. Pure functions."""

from __future__ import annotations

from typing import cast

import msgspec

from ..model import Comparison, Payload
from ..store.adjudications import adjudicated
from ..store.awaited import Awaiting, close_request, keep_request
from ..store.effects import Effect
from ..store.line import Line
from ..store.outcomes import Decided, change_outcome, keep_outcome
from ..store.standing import Standing
from .endpoint import Endpoint
from .payloads import loads
from .pending import Pending

__all__ = ["Joined", "join_outcome", "join_request"]


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision or a request comes to, and what is to be written for it.

    ``state`` is joined, late, abstained or echoed; duplicate or early for a decision without a
    request, waiting for a request without a decision.
    """

    state: str
    lines: tuple[Line, ...] = ()
    observations: tuple[Comparison, ...] = ()
    effects: tuple[Effect, ...] = ()


def join_outcome(endpoint: Endpoint, standing: Standing, seen: Decided) -> Joined:
    """Say what becomes of a decision, on how its key stands now.

    It belongs to the oldest request of its key that legacy recorded before it and whose window it
    fell into; else it is late for the oldest that has none. Where every request has its decision,
    it is a duplicate; where there was none yet, it is early.
    """
    before = [one for one in standing.open if one.at <= seen.at]
    found = next((one for one in before if seen.at <= one.until), next(iter(before), None))
    if found is not None:
        joined = _met(endpoint, found, seen)
        kept = keep_outcome(msgspec.structs.replace(seen, state=joined.state))
        effects = (close_request(found.id, joined.state), kept, *joined.effects)
        return msgspec.structs.replace(joined, effects=effects)
    last = standing.last
    state = "duplicate" if last is not None else "early"
    data: dict[str, object] = {"state": state, "key": seen.key, "position": seen.position}
    if last is not None:
        data |= {"agrees": _agrees(endpoint, last, seen), "first": last.position}
    line = Line(kind="outcome", endpoint=endpoint.name, data=data)
    effect = keep_outcome(msgspec.structs.replace(seen, state=state))
    return Joined(state=state, lines=(line,), effects=(effect,))


def join_request(endpoint: Endpoint, standing: Standing, asked: Awaiting) -> Joined:
    """Say what becomes of a request: its decision may have come before it, or is waited for."""
    after = [one for one in standing.early if one.at >= asked.at]
    # The oldest comes first, so where that is late all others are.
    seen = next(iter(after), None)
    if seen is None:
        return Joined(state="waiting", effects=(keep_request(asked),))
    joined = _met(endpoint, asked, seen)
    kept = keep_request(msgspec.structs.replace(asked, state=joined.state))
    effects = (kept, change_outcome(seen.id, joined.state), *joined.effects)
    return msgspec.structs.replace(joined, effects=effects)


def _met(endpoint: Endpoint, asked: Awaiting, seen: Decided) -> Joined:
    pending = Pending.read(asked.pair)
    state = _state(asked, seen, pending)
    data: dict[str, object] = {
        "state": state,
        "key": seen.key,
        "position": seen.position,
        "seconds": round(seen.at - asked.at, 3),
    }
    line = Line(
        kind="outcome",
        endpoint=endpoint.name,
        request_id=asked.request_id,
        revision=pending.revision,
        data=data,
    )
    if state != "joined":
        return Joined(state=state, lines=(line,))
    if pending.legacy is None:
        return Joined(
            state=state, lines=(line,), observations=(pending.compared(endpoint, _payload(seen)),)
        )
    ruled = pending.ruled(endpoint, _payload(seen))
    if ruled is None:
        return Joined(state=state, lines=(line,))
    write = adjudicated(ruled, asked.request_id)
    return Joined(state=state, lines=(line, *write.lines), effects=write.effects)


def _state(asked: Awaiting, seen: Decided, pending: Pending) -> str:
    if seen.at > asked.until:
        return "late"
    if pending.payload is None:
        return "abstained"
    return "echoed" if pending.sent else "joined"


def _agrees(endpoint: Endpoint, last: Decided, seen: Decided) -> bool:
    return not endpoint.comparing.differences(_payload(last), _payload(seen)).paths


def _payload(seen: Decided) -> Payload:
    return cast("Payload", loads(seen.answer))
