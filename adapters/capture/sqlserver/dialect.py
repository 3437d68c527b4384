"""Table capture on SQL Server: written down, for whoever owns the database to review and run."""

from __future__ import annotations

from collections.abc import Sequence

from ..dialect import Capture, Operation, Piece, Shape
from ..when import translated
from .shared import CLAIM, shared
from .trigger import trigger

__all__ = ["SqlServerCapture"]


class SqlServerCapture:
    """SQL Server from 2019 on. A ``Draftable``: nobody here has run it."""

    title = "SQL Server 2019 or newer"
    operations: frozenset[Operation] = frozenset({"insert", "update", "delete"})
    separator = "GO"
    session: Sequence[str] = ("SET ANSI_NULLS, QUOTED_IDENTIFIER ON;", "GO", "")
    claim = CLAIM
    notes: Sequence[str] = (
        "With any trigger on the table, OUTPUT without INTO is an error there (334): look whether",
        "legacy's statements have such. SQLAlchemy's need implicit_returning=False on the table.",
        "Not captured: TRUNCATE, BULK INSERT without FIRE_TRIGGERS, SWITCH of partitions.",
        "What cannot be caught, and fails legacy's write: other columns of fig_event than here.",
        "Change that table only while the triggers are disabled.",
    )

    def shared(self) -> Sequence[Piece]:
        """Give our sequences, tables and indexes."""
        return shared()

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give one AFTER trigger an operation. Raises ``ValueError`` for types none can see."""
        return [trigger(capture, operation) for operation in capture.operations]

    def when(self, text: str, shape: Shape) -> str:
        """Translate a condition over ``old`` and ``new``. Raises ``ValueError``."""
        return translated(text, shape, dialect="tsql")
