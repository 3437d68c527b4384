"""Whole files of records of one length as Arrow columns, decoded with NumPy."""

from __future__ import annotations

from ...errors import MissingExtra

try:
    from .columns import Columns
    from .compile import columns
except ImportError as error:
    raise MissingExtra(
        "columns need NumPy and PyArrow",
        place="stranglerfig.acl.columns",
        value=str(error),
        remedy="pip install 'stranglerfig[columns]'",
    ) from error

__all__ = ["Columns", "columns"]
