"""Table capture on Oracle: written down, for whoever owns the database to review and run."""

from __future__ import annotations

from collections.abc import Sequence

from ..dialect import Capture, Operation, Piece, Shape
from ..when import translated
from .shared import CLAIM, shared
from .trigger import trigger

__all__ = ["OracleCapture"]


class OracleCapture:
    """Oracle from 12.1 on. A ``Draftable``: nobody here has run it."""

    title = "Oracle 12.1 or newer"
    operations: frozenset[Operation] = frozenset({"insert", "update", "delete"})
    separator = "/"
    session: Sequence[str] = ("SET DEFINE OFF", "")
    claim = CLAIM
    notes: Sequence[str] = (
        "Run it as the owner of the table: in its schema, and with a quota there for what is ours.",
        "Not captured: direct-path loads, TRUNCATE, writes into a LOB through its locator.",
        "Disable the trigger before a captured column is dropped or renamed: an invalid trigger",
        "fails every write to its table (ORA-04098).",
    )

    def shared(self) -> Sequence[Piece]:
        """Give our sequences, tables and indexes."""
        return shared()

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give the compound trigger. Raises ``ValueError`` for types it cannot see."""
        return trigger(capture)

    def when(self, text: str, shape: Shape) -> str:
        """Translate a condition over ``old`` and ``new``. Raises ``ValueError``."""
        return translated(text, shape, dialect="oracle")
