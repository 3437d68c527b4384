"""What is to be written as one: all of it is durable, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ..errors import StoreError
from ..model import Comparison, Record
from .effects import Effect
from .expect import Expect
from .line import Line

__all__ = ["DeadLetter", "InboxMark", "Write"]

_OURS: Final = {
    "comparison": "give the Comparison in observations; its line comes with it",
    "cut": "lines are removed by retention; its line comes with it",
    "dead": "give the DeadLetter in dead; its line comes with it",
    "route": "change the route with Routes.put; its line comes with it",
}


class InboxMark(msgspec.Struct, frozen=True, gc=False):
    """That a consumer has taken a message. The same message with other bytes is an error.

    ``result`` is what it came to, as JSON text: a duplicate is answered from it.
    """

    consumer: str
    message_id: str
    payload_hash: str
    result: str | None = None


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that could not be taken, whole, with the error that says why (``as_dict``).

    ``chain`` holds that error's causes too, the outermost first; ``versions`` are those of what
    decided: our own, the operation's, the mapping's, the replacement's.
    """

    source: str
    position: str
    reason: str
    record: Record
    error: Mapping[str, str]
    attempts: int
    at: float
    endpoint: str = ""
    chain: tuple[Mapping[str, str], ...] = ()
    versions: Mapping[str, str] = {}


class Write(msgspec.Struct, frozen=True, gc=False):
    """Lines and what belongs to them. With an ``inbox`` mark it is written once, ever.

    Each observation and the dead letter bring their own journal line; ``effects`` are rows of our
    other tables. ``expect`` is what it was decided on: where that has changed, nothing is written
    and whoever waits gets ``Overtaken``. Raises ``StoreError`` where
    ``lines`` holds a line of such a kind: it would stand in the journal twice.
    """

    lines: tuple[Line, ...] = ()
    observations: tuple[Comparison, ...] = ()
    inbox: InboxMark | None = None
    dead: DeadLetter | None = None
    effects: tuple[Effect, ...] = ()
    expect: Expect | None = None

    def __post_init__(self) -> None:
        """Refuse the kinds of line that the store writes itself."""
        for line in self.lines:
            if line.kind in _OURS:
                raise StoreError(
                    "the store writes lines of this kind itself",
                    place=f"journal line of {line.endpoint or 'no endpoint'}",
                    value=line.kind,
                    remedy=_OURS[line.kind],
                )
