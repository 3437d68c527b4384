"""Who holds a lease: enough of a process's identity to know, on the same host, that it is gone."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from pathlib import Path

__all__ = ["is_gone", "new_token"]


def new_token() -> str:
    """Make a token for one claim: ``host:pid:start:uuid``. It also fences: no two are equal."""
    return f"{_host()}:{os.getpid()}:{_started(os.getpid())}:{uuid.uuid4().hex}"


def is_gone(token: str) -> bool:
    """Say whether the process that made the token has surely ended.

    False for another host or container (its lease runs out by itself) and for what is no token.
    A process id that now belongs to a younger process counts as gone.
    """
    host, pid, start, _ = [*token.rsplit(":", 3), "", "", ""][:4]
    if host != _host() or not pid.isdigit():
        return False
    return not _alive(int(pid)) or _started(int(pid)) != start


@cache
def _host() -> str:
    # Containers may share a name and a volume but not their process ids: the namespace tells.
    try:
        space = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        space = "0"
    return f"{socket.gethostname()}/{space}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _stat(pid)[:1] != ["Z"]  # a zombie is dead, only not reaped yet


def _started(pid: int) -> str:
    """Give the start time in clock ticks since boot, or 0 where the system does not tell."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else "0"


def _stat(pid: int) -> list[str]:
    # The name (field 2) may hold spaces and brackets: what follows the last bracket is safe.
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
