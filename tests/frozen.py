"""Processes that are frozen in the middle of what they do, as a machine that stalls freezes them."""

from __future__ import annotations

import signal
import subprocess
import time

from sqlalchemy import text

from stranglerfig.errors import StoreUnavailable
from stranglerfig.store.database import Database

__all__ = ["freeze", "thaw"]


def freeze(process: subprocess.Popen, url: str) -> None:
    """Freeze a process, but not in the middle of a write.

    A file's lock ends with its process, not with a lease: who is frozen holding it holds up every
    other process's writes, whatever we do. A server ends such a write, but only after seconds.
    """
    database = Database(url)
    end = time.monotonic() + 30.0
    try:
        while True:
            process.send_signal(signal.SIGSTOP)
            if _free(database):
                return
            process.send_signal(signal.SIGCONT)
            assert time.monotonic() < end, "it always holds the store's file"
    finally:
        database.engine.dispose()


def thaw(process: subprocess.Popen) -> None:
    """Let it go on."""
    process.send_signal(signal.SIGCONT)


def _free(database: Database) -> bool:
    try:
        with database.write(0.5) as connection:
            connection.execute(text("SELECT 1"))
    except StoreUnavailable:
        return False
    return True
