"""What all tables share: the version of the schema, and how rows are numbered."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData

__all__ = ["HEAD", "OLDEST", "Id", "metadata"]

HEAD: Final = "0005"
"""The schema version that this code reads and writes; a test holds it against Alembic's head."""

OLDEST: Final = "0004"
"""The oldest schema that this code works on as well: what was added since reads as absent."""

Id = BigInteger().with_variant(Integer(), "sqlite")
"""The type of a key that numbers rows: SQLite does that only where it is spelled INTEGER."""

metadata = MetaData()
