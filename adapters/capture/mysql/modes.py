"""The ``sql_mode`` under which a trigger of ours does what it was written for.

A trigger keeps the mode of the session that created it, whatever legacy's sessions have set.
"""

from __future__ import annotations

from typing import Final

__all__ = ["is_good", "mended"]

_BAD: Final = frozenset({"PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "ORACLE"})
"""Text would not be as legacy sees it; Oracle's words are not those of our triggers."""
_STRICT: Final = frozenset({"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"})
"""What does not fit must be an error, which is caught and told, and not be cut in silence."""


def is_good(mode: str) -> bool:
    """Say whether a trigger created under this mode is as it should be."""
    modes = set(mode.split(","))
    return bool(modes & _STRICT) and not modes & _BAD


def mended(mode: str) -> str:
    """Give the mode nearest to this one that is good: a server's own as it is, nearly always.

    So that a plan which an administrator runs comes to the same triggers.
    """
    modes = [one for one in mode.split(",") if one and one not in _BAD]
    return ",".join(modes if _STRICT.intersection(modes) else [*modes, "STRICT_TRANS_TABLES"])
