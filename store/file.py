"""The file of a SQLite store: whether it is still the one that was opened, and may be written."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ..errors import StoreUnavailable

__all__ = ["Identity", "StoreFile", "replaced"]

_BUSY_SECONDS = 0.25  # a lock is noticed and tried again, never waited on for long
_SIDES = ("-wal", "-shm")


class Identity(NamedTuple):
    """Which file stands at a path."""

    device: int
    inode: int


class StoreFile:
    """A SQLite file and its two side files. Called by the database before and after it writes.

    SQLite keeps writing into a file that was deleted or replaced, and through a descriptor that was
    opened before the file was made read-only: each such line would be lost, or written against
    somebody's will. So both are looked at with every group. ``opened`` is set by the writer's
    session while it holds the file, and ``when_replaced`` wakes the writer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)  # the hot path: os.stat of a Path costs twice as much
        self.opened: Identity | None = None
        self.when_replaced: Callable[[], None] | None = None
        self._sides: dict[str, Identity] = {}

    def identity(self) -> Identity:
        """Say which file stands at the path now. Raises ``StoreUnavailable`` where none does."""
        found = self._stat()
        return Identity(found.st_dev, found.st_ino)

    def writable_identity(self) -> Identity:
        """Do as ``identity``, in one look; also raise where the file was made read-only."""
        found = self._stat()
        self._check_writable(found.st_mode)
        return Identity(found.st_dev, found.st_ino)

    def check_writable(self) -> None:
        """Raise ``StoreUnavailable`` where the file was made read-only, for root too."""
        self._check_writable(self._stat().st_mode)

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self._name)  # noqa: PTH116
        except OSError as error:
            raise StoreUnavailable(
                "the store's file is gone",
                place=str(self.path),
                value=error.strerror or "",
                remedy="bring the file back; for a new, empty store stop us and run 'fig init'",
            ) from None

    def _check_writable(self, mode: int) -> None:
        if mode & 0o222 and os.access(self._name, os.W_OK):
            return
        raise StoreUnavailable(
            "the store's file is read-only",
            place=str(self.path),
            value=stat.filemode(mode),
            remedy="give our user write access to the file and its folder",
        )

    def check_same(self) -> None:
        """Raise ``StoreUnavailable`` where no file stands, or another than our writer has open.

        Opening that one beside it would mix up their side files; so the writer is told first.
        """
        now, opened = self.identity(), self.opened
        try:
            if opened is None:
                return
            if now != opened:
                raise replaced(self.path)
            self.check_sides()
        except StoreUnavailable:
            if self.when_replaced is not None:
                self.when_replaced()
            raise

    def connect(self, *, create: bool = False) -> sqlite3.Connection:
        """Open the file; never make an empty one, unless told to."""
        mode = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,  # transactions begin where we say
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def remember_sides(self) -> None:
        """Note which side files belong to the file as it stands; called once it is open."""
        sides: dict[str, Identity] = {}
        for side in self._side_paths():
            with contextlib.suppress(OSError):
                sides[str(side)] = _identity(str(side))
        self._sides = sides  # at once: other threads look at it

    def check_sides(self) -> None:
        """Raise ``StoreUnavailable`` where a side file is gone or another one stands in its place.

        SQLite would go on writing its log where nobody reads it, or without the others' locks.
        """
        for side, identity in self._sides.items():
            if _stands(side, identity):
                continue
            raise StoreUnavailable(
                "a side file of the store was taken away while it was in use",
                place=side,
                remedy="leave it alone while one of us runs: it holds the newest lines",
            )

    def forget_sides(self) -> None:
        """Take it that the side files are new: SQLite removes them with its last connection."""
        self._sides = {}

    def drop_stale_sides(self) -> None:
        """Remove the side files of a file that was replaced, before its successor is opened.

        SQLite would take the old one's log for the new one's, and damage it.
        """
        for side, identity in self._sides.items():
            with contextlib.suppress(OSError):
                if _stands(side, identity):
                    Path(side).unlink()
        self._sides = {}

    def drop_orphans(self) -> None:
        """Remove side files that stand without their file, before a new store is made."""
        if not self.path.exists():
            for side in self._side_paths():
                side.unlink(missing_ok=True)

    def _side_paths(self) -> list[Path]:
        return [self.path.with_name(self.path.name + suffix) for suffix in _SIDES]


def replaced(path: Path) -> StoreUnavailable:
    """Say that another file stands where the store's stood."""
    return StoreUnavailable(
        "the store's file was replaced by another one",
        place=str(path),
        remedy="nothing, if that was meant: it is opened and written from now on",
    )


def _identity(path: str) -> Identity:
    found = os.stat(path)  # noqa: PTH116
    return Identity(found.st_dev, found.st_ino)


def _stands(path: str, identity: Identity) -> bool:
    try:
        return _identity(path) == identity
    except OSError:
        return False
