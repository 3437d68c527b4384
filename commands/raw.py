"""What was sent, as it was sent: into a file, or in hex."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .screen import Screen

__all__ = ["print_hex", "write"]


def write(file: Path, raw: bytes) -> None:
    """Write bytes to a file that only its owner can read; ``-`` is standard output."""
    if str(file) == "-":
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
        return
    # For its owner's eyes only: it is a customer's record.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)


def print_hex(screen: Screen, raw: bytes) -> None:
    """Print bytes, 16 a line, each after its offset."""
    for start in range(0, len(raw), 16):
        screen.say(f"  {start:08x}  {raw[start : start + 16].hex(' ')}")
