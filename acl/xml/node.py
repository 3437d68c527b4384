"""What lxml calls an element, under a name of its own."""

from __future__ import annotations

from typing import cast

from lxml.etree import _Element as Node

__all__ = ["Node", "at_line", "line_of"]


def line_of(node: Node) -> int:
    """Give the line that a node began at, 0 where nobody knows it."""
    return cast("int | None", node.sourceline) or 0


def at_line(node: Node) -> str:
    """Say where a node began, for an error."""
    line = line_of(node)
    return f"line {line}" if line else ""
