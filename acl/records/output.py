"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn

from ...errors import InputError

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name only when all of it is written.

    It is written beside its place and renamed, after its bytes reached the disk; where the block
    raises, is interrupted or terminated, it is removed and what stood there before stays. A device
    or a pipe is written directly. ``mode`` is the new file's, less the umask. Raises ``InputError``
    where it cannot be written.
    """
    path = path.resolve()  # what a link points to is written, and not the link
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("wb") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stream = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb")
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            place=str(path),
            remedy="name another place with --output",
        ) from error
    try:
        with stream, _terminated():
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _terminated() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that whoever is asked to end tidies up first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
