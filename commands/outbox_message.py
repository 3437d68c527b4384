"""What is shown of a message of the outbox, to people and to programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.markup import escape

from ..store.messages import Kept
from .screen import Screen

__all__ = ["parts", "print_message", "row", "summary"]

_SHORT: Final = 60


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def row(one: Kept) -> list[str]:
    """Give its cells for the list."""
    error = one.error.partition("\n")[0]
    error = error if len(error) <= _SHORT else f"{error[: _SHORT - 1]}…"
    state = f"[yellow]{one.state}[/]" if one.state == "held" else one.state
    words = (one.message.destination, one.message.key, str(one.attempts), error)
    return [str(one.id), _when(one.at), state, *(escape(word) for word in words)]


def summary(one: Kept) -> dict[str, object]:
    """Give what the list says of it, for programs."""
    return {
        "id": one.id,
        "at": one.at,
        "state": one.state,
        "destination": one.message.destination,
        "message_id": one.message.message_id,
        "key": one.message.key,
        "attempts": one.attempts,
        "next_at": one.next_at,
        "ended_at": one.ended_at,
        "error": one.error,
    }


def parts(one: Kept, behind: int, *, headers: bool) -> dict[str, object]:
    """Give the rest of it but its bytes; of its headers the values on request only."""
    found = one.message.headers
    return {
        "headers": found if headers else [name for name, _ in found],
        "bytes": len(one.message.body),
        "behind": behind,
    }


def print_message(screen: Screen, one: Kept, behind: int, *, headers: bool) -> None:
    """Print it whole, but for its bytes; of its headers the values on request only."""
    message = one.message
    screen.say(f"message [bold]{one.id}[/], {one.state}: to {escape(message.destination)}")
    ended = "" if one.ended_at is None else f"{_when(one.ended_at)} UTC"
    facts = {
        "id": message.message_id,
        "written": f"{_when(one.at)} UTC, tried {one.attempts} times",
        one.state if ended else "ended": ended,
        "again": f"{_when(one.next_at)} UTC" if one.next_at > 0 and not ended else "",
        "key": message.key,
        "behind": f"{behind} under its key wait for it" if behind else "",
        "body": f"{len(message.body)} bytes",
        "error": one.error,
    }
    for name, value in facts.items():
        if value:
            screen.say(f"  [dim]{name:<9}[/] {escape(value)}")
    for name, value in message.headers:
        shown = value if headers else f"({len(value)} characters)"
        screen.say(f"  [dim]header[/]    {escape(name)}: {escape(shown)}")
