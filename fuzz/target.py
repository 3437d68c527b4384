"""What the fuzzer throws its cases at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

__all__ = ["Target", "folder"]


class Target(NamedTuple):
    """One reader of what others wrote.

    ``read`` takes a case and raises nothing but errors of ours; where what was read can be written
    again, it asserts that the same comes back. ``seeds`` are cases as they come in good order,
    ``words`` pieces that mean something to the reader.
    """

    seeds: Sequence[bytes]
    words: Sequence[bytes]
    read: Callable[[bytes], object]


def folder() -> Path:
    """Make a folder of one's own for readers of files; whoever runs the cases sets ``TMPDIR``."""
    return Path(mkdtemp(prefix="fuzz-"))
