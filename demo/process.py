"""Programs that the demo starts, and ends by their own process id."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from ..errors import FigError

__all__ = ["Program"]


class Program:
    """A child process whose standard output is read line by line; its errors go to a file."""

    def __init__(self, name: str, command: Sequence[str], *, folder: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._process.pid

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for(self, wanted: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Give the first line that is wanted. Raises ``FigError`` with the log's last line."""
        try:
            while (line := self._lines.get(timeout=seconds)) is not None:
                if wanted(line):
                    return line
        except Empty:
            pass
        raise FigError(
            f"{self.name} did not come up",
            place=str(self.log),
            value=self._tail(),
            remedy="read the log; a port may be taken",
        )

    def lines(self) -> Iterator[str]:
        """Give the lines that came since, without waiting."""
        while True:
            try:
                line = self._lines.get_nowait()
            except Empty:
                return
            if line is not None:
                yield line

    def running(self) -> bool:
        """Say whether it runs."""
        return self._process.poll() is None

    def stop(self, seconds: float = 15.0) -> int:
        """End it: asked first, made to after a while. Gives its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _tail(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
