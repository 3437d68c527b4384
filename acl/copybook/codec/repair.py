"""What happens where a generated reader meets a value that it does not take: the slow way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .leaf import Scalar
from .node import Node
from .options import Choice
from .problem import Kind, Problem, RecordError

__all__ = ["Repair"]

_SHOWN: Final = 64
"""Bytes of a field that a problem shows; a mebibyte of it helps nobody."""


class Repair:
    """Reads single fields with all that is allowed, and applies the policies.

    One is made for each codec, and one for each record whose problems are asked for: ``report``
    gathers them, and then no policy raises. ``nodes`` are the copybook's, by number.
    """

    __slots__ = ("_nodes", "_report")

    def __init__(self, nodes: Sequence[Node], report: list[Problem] | None = None) -> None:
        self._nodes = nodes
        self._report = report

    def value(self, number: int, raw: bytes, offset: int) -> Scalar | None:
        """Give the value of a field's bytes, fewer of them where the record ends early.

        Raises ``RecordError`` where the policy says so.
        """
        node = self._nodes[number]
        leaf = node.leaf
        assert leaf is not None  # noqa: S101 - only elementary items are read
        if len(raw) < leaf.size:
            return self._cut(node, raw, offset)
        try:
            value = leaf.read(raw)
        except ValueError as error:
            return self._none(node, raw, offset, str(error))
        if value == 0 and node.policies.zero != "zero":
            return self.zero(number, raw, offset)
        return value

    def zero(self, number: int, raw: bytes, offset: int) -> Scalar | None:
        """Give what the policy makes of a zero."""
        node = self._nodes[number]
        return self._chosen(node, "zero", raw, offset, "zero")

    def count(self, number: int, value: object, offset: int) -> int:
        """Give how many entries a table has whose counter says what it cannot have."""
        node = self._nodes[number]
        occurs, counter = node.item.occurs, node.counter
        assert occurs is not None  # noqa: S101 - only tables are counted
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
            value = int(value)
            if occurs.least <= value <= occurs.most:
                return value
        if self._report is not None:
            name = counter.path if counter else ""
            said = "nothing" if value is None else str(value)
            reason = f"{occurs.least} to {occurs.most} entries, where {name} says {said}"
            self._told(node, b"", offset, reason, "count")
        return occurs.most

    def short(self, number: int, offset: int) -> None:
        """Say that the record ends before a table does."""
        if self._report is not None:
            reason = "the record ends before the table's last entry"
            self._told(self._nodes[number], b"", offset, reason, "short")

    def _cut(self, node: Node, raw: bytes, offset: int) -> Scalar | None:
        assert node.leaf is not None  # noqa: S101 - as above
        if not raw:
            return None
        if self._report is not None:
            reason = f"the record ends {node.size - len(raw)} bytes before it does"
            self._told(node, raw, offset, reason, "short")
        if node.leaf.numeric:
            return None
        try:
            return node.leaf.read(raw)
        except ValueError:
            return None

    def _none(self, node: Node, raw: bytes, offset: int, reason: str) -> Scalar | None:
        """Apply the policy for what cannot be read."""
        if not raw.strip(b"\0"):
            return self._chosen(node, "low", raw, offset, "low-values")
        page = node.order_page
        if page is not None and not raw.replace(page.blank, b""):
            return self._chosen(node, "blank", raw, offset, "blank")
        return self._chosen(node, "invalid", raw, offset, reason)

    def _chosen(
        self, node: Node, kind: Kind, raw: bytes, offset: int, reason: str
    ) -> Scalar | None:
        choice: Choice = getattr(node.policies, kind)
        if self._report is not None:
            self._told(node, raw, offset, reason, kind)
        elif choice == "error":
            raise RecordError([_problem(node, raw, offset, reason, kind)])
        assert node.leaf is not None  # noqa: S101 - as above
        return node.leaf.zero if choice == "zero" else None

    def _told(self, node: Node, raw: bytes, offset: int, reason: str, kind: Kind) -> None:
        assert self._report is not None  # noqa: S101 - asked by all who call
        self._report.append(_problem(node, raw, offset, reason, kind))


def _problem(node: Node, raw: bytes, offset: int, reason: str, kind: Kind) -> Problem:
    shown = raw[:_SHOWN].hex()
    if len(raw) > _SHOWN:
        shown += "…"
    return Problem(
        path=node.path, offset=offset, size=node.size, hex=shown, reason=reason, kind=kind
    )
