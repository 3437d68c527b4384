"""What is shown of a dead letter, to people and to programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.markup import escape

from ..store.dead_letters import Kept
from .screen import Screen

__all__ = ["parts", "print_letter", "row", "summary"]

_SHORT = 60
_DIGEST = re.compile(r"@[0-9a-f]{12}(?=:)")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def row(one: Kept) -> list[str]:
    """Give its cells for the list."""
    letter = one.letter
    reason = letter.reason.partition("\n")[0]
    if letter.error.get("place"):
        # The mapping's name without its digest, and where in it.
        reason = f"{reason}: {_DIGEST.sub('', letter.error['place'])}"
    reason = reason if len(reason) <= _SHORT else f"{reason[: _SHORT - 1]}…"
    state = f"{one.state} ({one.replays} replays)" if one.replays else one.state
    words = (letter.source, letter.record.key, str(letter.attempts), reason)
    return [str(one.id), _when(letter.at), state, *(escape(word) for word in words)]


def summary(one: Kept) -> dict[str, object]:
    """Give what the list says of it, for programs."""
    letter = one.letter
    return {
        "id": one.id,
        "at": letter.at,
        "state": one.state,
        "replays": one.replays,
        "source": letter.source,
        "endpoint": letter.endpoint,
        "position": letter.position,
        "key": letter.record.key,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "error": letter.error.get("error", ""),
        "place": letter.error.get("place", ""),
    }


def parts(one: Kept, *, headers: bool) -> dict[str, object]:
    """Give the rest of it but its bytes; of its headers the values on request only."""
    letter, record = one.letter, one.letter.record
    return {
        "kind": record.kind,
        "encoding": record.encoding,
        "captured_at": record.captured_at,
        "headers": record.headers if headers else [name for name, _ in record.headers],
        "bytes": len(record.body),
        "chain": letter.chain or (letter.error,),
        "versions": letter.versions,
    }


def print_letter(screen: Screen, one: Kept, *, headers: bool) -> None:
    """Print it whole, but for its bytes; of its headers the values on request only."""
    letter, record = one.letter, one.letter.record
    screen.say(f"dead letter [bold]{one.id}[/], {one.state}: {escape(letter.reason)}")
    facts = {
        "when": f"{_when(letter.at)} UTC, after {letter.attempts} attempts",
        "replays": f"{one.replays} of it ended as dead again" if one.replays else "",
        "source": f"{letter.source} at {letter.position}",
        "endpoint": letter.endpoint,
        "key": record.key,
        "record": f"{record.kind}, {record.encoding}, {len(record.body)} bytes",
        "versions": ", ".join(f"{name} {value}" for name, value in letter.versions.items()),
    }
    _list(screen, facts)
    for name, value in record.headers:
        shown = value if headers else f"({len(value)} characters)"
        screen.say(f"  [dim]header[/]    {escape(name)}: {escape(shown)}")
    for depth, error in enumerate(letter.chain or (letter.error,)):
        screen.say(f"  {'because of' if depth else '[red]error[/]    '} {_error(error)}")


def _list(screen: Screen, facts: Mapping[str, str]) -> None:
    for name, value in facts.items():
        if value:
            screen.say(f"  [dim]{name:<9}[/] {escape(value)}")


def _error(error: Mapping[str, str]) -> str:
    said = f"{error.get('error', 'error')}: {error.get('message', '')}"
    parts = [f"{name}: {error[name]}" for name in ("place", "value", "expected") if error.get(name)]
    return escape("; ".join([said, *parts]))
