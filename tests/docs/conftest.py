"""A terminal for the blocks of a page: commands run for real, their output is held to the page's.

Numbers, digests, dates and the width of columns may differ from those on the page; words may not,
and neither may a count of 0. ``…`` stands for anything. The ports 8700 and 8701 become free ones.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
AGAIN = (
    "fig route show",
    "fig route list",
    "fig route history",
    "fig bridge status",
    "fig runbook status",
    "python -m stranglerfig route show",
)
"""What a reader would simply run once more, as the bridge and the shadow take a moment."""

_MASKS = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d"), "<day>"),
    (re.compile(r"\d\d:\d\d:\d\d(,\d+)?"), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"), "<digest>"),
    (re.compile(r"(?<![\w.])0(?![\w.]*\d)(?![.,]\d)"), "<none>"),
    (re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?"), "#"),
    (re.compile(r"[─━█▁-▉]+"), "─"),
    (re.compile(r"\s+"), " "),
)


def masked(text: str) -> str:
    """Give what must be equal of an output."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()


def agrees(expected: str, found: str) -> bool:
    """Say whether an output is what the page says it is."""
    parts = [re.escape(part.strip()) for part in masked(expected).split("…")]
    return re.fullmatch(r"\s*.*?\s*".join(parts), masked(found), re.DOTALL) is not None


class Terminal:
    """A shell in a folder of its own, with jobs in the background."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[tuple[subprocess.Popen[bytes], Path]] = []
        self.environment = {**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        if path := os.environ.get("PYTHONPATH"):
            absolute = [str(Path(part).resolve()) for part in path.split(os.pathsep)]
            self.environment["PYTHONPATH"] = os.pathsep.join(absolute)
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            self._ports = {
                usual: str(one.getsockname()[1])
                for usual, one in zip(("8700", "8701"), sockets, strict=True)
            }

    def ported(self, text: str) -> str:
        """Put this terminal's ports in place of the page's."""
        for usual, free in self._ports.items():
            text = re.sub(rf"\b{usual}\b", free, text)
        return text

    def write(self, name: str, text: str) -> None:
        """Write a file that a page shows."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.ported(text), "utf-8")

    def run(self, command: str, expected: str) -> None:
        """Run a command as a reader would, and hold its output to the page's."""
        if command.startswith("cd "):
            self.folder = (self.folder / command[3:].strip()).resolve()
        elif command.startswith("export "):
            name, _, value = command[7:].partition("=")
            self.environment[name] = value.strip("'\"")
        elif command.startswith("kill %"):
            self._kill(int(command[6:]))
        elif command.endswith("&"):
            self._background(command[:-1], expected)
        else:
            self._foreground(command, expected)

    def heard(self, number: int, expected: str) -> None:
        """Wait until a job in the background has said something."""
        job, output = self.jobs[number - 1]
        until = time.monotonic() + PATIENCE
        wanted = f"… {expected} …"
        while not agrees(wanted, f". {(said := output.read_text('utf-8'))} ."):
            assert job.poll() is None, f"job {number} ended: {said}"
            assert time.monotonic() < until, f"job {number} said:\n{said}\nnot:\n{expected}"
            time.sleep(0.05)

    def close(self) -> None:
        """End what still runs."""
        for number in range(len(self.jobs), 0, -1):
            self._kill(number)

    def _foreground(self, command: str, expected: str) -> None:
        until = time.monotonic() + (PATIENCE if command.startswith(AGAIN) else 0)
        while not agrees(expected, found := self._output(command)):
            assert time.monotonic() < until, f"$ {command}\n{found}\nis not\n{expected}"
            time.sleep(0.2)
        # The example's own files name the usual ports.
        for kind in ("*.toml", "*.py"):
            for file in self.folder.rglob(kind):
                text = file.read_text("utf-8")
                if self.ported(text) != text:
                    file.write_text(self.ported(text), "utf-8")

    def _output(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", self.ported(command)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        return done.stdout.decode()

    def _background(self, command: str, expected: str) -> None:
        output = self.folder / f".job{len(self.jobs) + 1}"
        with output.open("wb") as stream:
            job = subprocess.Popen(
                ["bash", "-c", f"exec {self.ported(command)}"],
                cwd=self.folder,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self.jobs.append((job, output))
        self.heard(len(self.jobs), expected)

    def _kill(self, number: int) -> None:
        job, _ = self.jobs[number - 1]
        if job.poll() is None:
            job.send_signal(signal.SIGTERM)
        job.wait(PATIENCE)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()
