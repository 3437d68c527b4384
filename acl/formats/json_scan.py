"""Where each value stands in the bytes of a JSON document that was found to be well formed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec

__all__ = ["Span", "places", "scan", "twice"]

# White space, commas and colons between tokens say nothing that the tokens do not.
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\]:,"]+')
_OPEN_OBJECT, _OPEN_LIST, _CLOSE_OBJECT, _CLOSE_LIST = b"{[}]"
_MOST: Final = 1000


class Span(msgspec.Struct):
    """A value from ``start`` to ``end``; ``at`` is where its name begins, or itself."""

    start: int
    end: int
    at: int
    step: str = ""
    members: dict[str, Span] | None = None
    items: list[Span] | None = None
    again: list[tuple[str, int]] = []


class _Scan:
    """One pass over the tokens. Iterative: how deep a document goes is anybody's choice."""

    def __init__(self) -> None:
        self.open: list[Span] = []
        self.root: Span | None = None
        self.name = ""
        self.name_at = -1
        self.again: list[tuple[str, int]] = []

    def value(self, body: bytes, start: int, end: int) -> None:
        first = body[start]
        span = Span(start=start, end=end, at=start)
        if first == _OPEN_OBJECT:
            span.members = {}
        elif first == _OPEN_LIST:
            span.items = []
        self._attach(span)
        if first in (_OPEN_OBJECT, _OPEN_LIST):
            self.open.append(span)

    def _attach(self, span: Span) -> None:
        if not self.open:
            self.root = span
            return
        top = self.open[-1]
        if top.items is not None:
            span.step = f"[{len(top.items)}]"
            top.items.append(span)
        elif top.members is not None:
            span.at, span.step = self.name_at, f".{self.name}"
            if self.name in top.members and len(self.again) < _MOST:
                path = "".join(one.step for one in [*self.open, span])
                self.again.append((path.removeprefix("."), self.name_at))
            top.members[self.name] = span
            self.name_at = -1


def scan(body: bytes) -> Span:
    """Give the spans of a document in UTF-8. ``again`` of the root names what stands there twice.

    Called for patches and for errors, never where all is well.
    """
    state = _Scan()
    for match in _TOKEN.finditer(body):
        start, end = match.span()
        first = body[start]
        if first in (_CLOSE_OBJECT, _CLOSE_LIST):
            state.open.pop().end = end
        elif state.open and state.open[-1].members is not None and state.name_at < 0:
            state.name, state.name_at = json.loads(match[0]), start
        else:
            state.value(body, start, end)
    if state.root is None:
        raise ValueError("a JSON document")
    state.root.again = state.again
    return state.root


def twice(body: bytes) -> list[tuple[str, int]]:
    """Give path and offset of each name that its object already had; the first thousand."""
    return scan(body).again


def places(body: bytes) -> dict[str, str]:
    """Give the offset of each value, by its path with indices in it: ``lines[2].sku``."""
    return {path: f"offset {span.start}" for path, span in _walk(scan(body)) if path}


def _walk(root: Span) -> Iterator[tuple[str, Span]]:
    left = [("", root)]
    while left:
        path, span = left.pop()
        yield path.removeprefix("."), span
        inner = span.items if span.members is None else list(span.members.values())
        left += [(path + one.step, one) for one in inner or ()]
