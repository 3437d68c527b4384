"""Every reader of what others wrote, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from stranglerfig.fuzz import copybooks
from stranglerfig.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: Final[Mapping[str, Callable[[], Target]]] = {
    "copybook": copybooks.books,
    "copybook-any": copybooks.any_codecs,
    "copybook-rules": copybooks.rules,
    "records": copybooks.codecs,
    "record-files": copybooks.record_files,
    "record-lines": copybooks.lines,
    "quarantine": copybooks.quarantines,
}
"""Each is made in the process that it is read in."""
