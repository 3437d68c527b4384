"""Processes of the same machine: which of those on the store are here, and still themselves."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

from ..store.processes import Process

__all__ = ["born", "local"]


def born(pid: int) -> str:
    """Say when a process was born: its boot and its clock ticks since; "" where nobody can tell.

    With the process id it names a process for good: an id is given away again, a birth is not.
    """
    try:
        # The name in brackets may hold anything; after the last one stand the numbers, see proc(5).
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
    return f"{boot}/{stat.rpartition(b')')[2].split()[19].decode('ascii')}"


def local(processes: Iterable[Process], root: Path, lease: float) -> list[Process]:
    """Give those of one workspace that run on this machine, and are no others under their ids."""
    found = []
    for one in processes:
        here = one.host == socket.gethostname() and one.status.get("workspace") == str(root)
        if here and one.silent <= lease and _is_itself(one):
            found.append(one)
    return found


def _is_itself(one: Process) -> bool:
    try:
        os.kill(one.pid, 0)
    except OSError:
        return False
    said = one.status.get("born", "")
    return not said or said == born(one.pid)
