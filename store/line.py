"""A line of the journal."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

__all__ = ["Entry", "Line"]


class Line(msgspec.Struct, frozen=True, gc=False):
    """What happened, to be journalled. Made by whoever decided it.

    ``kind``: ``request`` (one for each request of an endpoint) or ``note``. The kinds
    ``comparison``, ``dead``, ``route``, ``run``, ``cut`` and ``dropped`` are written by the store
    itself, in the transaction of the thing that they tell of. ``at`` is in seconds since the epoch.
    ``data`` is kept as JSON, so a Decimal or a date is read back as text.
    """

    kind: str
    endpoint: str = ""
    request_id: str = ""
    revision: str = ""
    at: float = msgspec.field(default_factory=time.time)
    data: Mapping[str, object] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it stands in the journal. ``hash`` chains it to all lines before it (hex).

    ``compacted``: its data is gone, by its age; the chain holds without.
    """

    id: int
    at: float
    line: Line
    hash: str
    compacted: bool = False
