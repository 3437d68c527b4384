"""The columns of the rows that a source hands out."""

from __future__ import annotations

from .installation import Installation
from .record import agreed_on, records

__all__ = ["columns_of"]


def columns_of(installation: Installation) -> tuple[str, ...]:
    """Give those with which it was installed, else those of the table that would be captured.

    Raises ``LegacyError``.
    """
    with installation.connected() as connection:
        agreed = agreed_on(records(connection), installation.source)
        capture = installation.capture(connection) if agreed is None else agreed
    return tuple(name for name, _ in capture.shape.columns)
