"""What systemd is told: that we are ready, reload, stop, make progress. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

from ..telemetry import log

__all__ = ["Notify"]

_MICRO: Final = 1_000_000


class Notify:
    """Sends to the socket that systemd names in the environment; silent where there is none.

    A message that cannot be sent is given up: nothing of ours may wait for systemd. ``watchdog`` is
    after how many seconds without a word systemd ends us, 0 where it never does.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, pid: int = 0) -> None:
        found = os.environ if environment is None else environment
        self._address = _address(found.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(found, pid or os.getpid())
        self._socket: socket.socket | None = None
        self._status = ""

    def ready(self, status: str) -> None:
        """Say that start-up, or a reload, is over."""
        self._send(f"READY=1\nSTATUS={_line(status)}")
        self._status = status

    def reloading(self) -> None:
        """Say that a reload begins; systemd tells by the time whether it is the one it asked for.

        The time is CLOCK_MONOTONIC's, which ``time.monotonic`` reads where systemd runs.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """Say that the end has begun."""
        self._send(f"STOPPING=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """Say in a line how things stand, where that has changed."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={_line(status)}")

    def progress(self) -> None:
        """Say that there is progress. Called only while there is."""
        if self.watchdog:
            self._send("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket. May be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto(text.encode(), self._address)
        except OSError as error:
            log.debug("systemd was not told %r: %s", text, error)


def _address(name: str) -> str:
    """Give the socket's address: a name that begins with @ stands for an abstract one."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def _watchdog(environment: Mapping[str, str], pid: int) -> float:
    mine = environment.get("WATCHDOG_PID", "")
    micro = environment.get("WATCHDOG_USEC", "")
    if not micro.isdecimal() or (mine and mine != str(pid)):
        return 0.0
    return int(micro) / _MICRO


def _line(text: str) -> str:
    return " ".join(text.split())
