"""What a comparison finds."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Found"]


@dataclass(slots=True)
class Found:
    """Paths that differ, in the order of the fields.

    ``broken`` are those of them whose function failed, with how: such a difference may be none.
    """

    paths: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
