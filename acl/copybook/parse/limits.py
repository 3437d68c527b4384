"""What a copybook may ask for at most, so that none can exhaust the machine that reads it."""

from __future__ import annotations

__all__ = [
    "MAX_COPY_DEPTH",
    "MAX_DIGITS",
    "MAX_ITEMS",
    "MAX_NAME",
    "MAX_PICTURE",
    "MAX_RECORD",
    "MAX_REPLACEMENTS",
    "MAX_SOURCE",
    "MAX_TOKENS",
    "MAX_WORK",
]

MAX_SOURCE = 16 * 1024 * 1024
"""Characters of one source file."""
MAX_TOKENS = 1_000_000
"""Words of a copybook, its copies and their replacements written out."""
MAX_ITEMS = 100_000
"""Entries of a copybook."""
MAX_RECORD = 16 * 1024 * 1024
"""Bytes of a record, and characters of all its pictures together, written out."""
MAX_DIGITS = 1_000
"""Digits of one number. COBOL has 18 or 31; some fill space with more."""
MAX_PICTURE = 1_000
"""Characters of a picture as it is written. COBOL has 50."""
MAX_NAME = 64
"""Characters of a name. COBOL has 30 or 31."""
MAX_COPY_DEPTH = 32
"""Copybooks that copy one another."""
MAX_REPLACEMENTS = 1_000
"""Pairs of one REPLACING or REPLACE."""
MAX_WORK = 5_000_000
"""Words compared while replacing, and names while looking one up."""
