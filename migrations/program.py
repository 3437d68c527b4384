"""A program of the workspace's own: run without a shell, and told nothing that it need not know."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

from ..errors import RunbookError

__all__ = ["Ended", "Program", "StillRuns", "environment"]

PASSED: Final = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")
"""What a program is told of our environment, with every ``LC_…``: passwords stand in the rest."""

_KEPT: Final = 2_000
"""Characters of a program's output that are kept, from its end."""
_LOOK: Final = 0.05
_GRACE: Final = 5.0
_SHORTEST: Final = 4
"""A value shorter than that is no secret, and masking it would make output unreadable."""


class StillRuns(Exception):
    """The program was started before, by a process that is gone, and has not ended."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended. ``status`` as the system says, negative for a signal.

    ``cut``: it was ended by us, for its time was over or somebody asked us to stop. ``output`` is
    the end of what it printed, without the values that it was passed by name.
    """

    status: int
    seconds: float
    output: str
    cut: Literal["", "timeout", "stop"] = ""

    @property
    def text(self) -> str:
        """Say it in a few words."""
        if self.cut == "timeout":
            return f"ended by us after {self.seconds:.1f} s, its time"
        if self.cut == "stop":
            return f"ended by us after {self.seconds:.1f} s, as we were told to stop"
        if self.status < 0:
            return f"was ended by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status} after {self.seconds:.1f} s"


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program with its arguments. ``place`` names it in errors; ``env`` is all that it is told.

    ``hidden`` are values that are taken out of its output. ``lock`` is a file that it holds locked
    as long as it lives: where we are killed and it is not, it is not started a second time beside
    itself.
    """

    argv: Sequence[str]
    folder: Path
    place: str
    env: Mapping[str, str]
    timeout: float
    hidden: Sequence[str] = ()
    lock: Path | None = None

    def run(self, stop: threading.Event) -> Ended:
        """Run it to its end, its ``timeout`` in seconds, or until ``stop`` is set. Blocks.

        Raises ``RunbookError`` where it cannot be started, ``StillRuns`` where it runs.
        """
        with contextlib.ExitStack() as open_files:
            held = open_files.enter_context(_locked(self.lock))
            # A file and no pipe: were we killed, writing to a pipe would kill it halfway.
            output = open_files.enter_context(tempfile.TemporaryFile())
            begun = time.monotonic()
            process = self._start(output, held)
            cut = self._wait(process, begun, stop)
            seconds = time.monotonic() - begun
            return Ended(
                status=process.returncode,
                seconds=round(seconds, 3),
                output=self._said(output),
                cut=cut,
            )

    def _start(self, output: IO[bytes], held: int | None) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                list(self.argv),
                cwd=self.folder,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if held is None else (held,),
            )
        except (OSError, ValueError) as error:
            raise RunbookError(
                f"the program cannot be started: {type(error).__name__}",
                place=self.place,
                value=self.argv[0],
                expected=f"a program, its path absolute, of {self.folder}, or found by PATH",
                remedy="see that it is there and may be run",
            ) from error

    def _wait(
        self, process: subprocess.Popen[bytes], begun: float, stop: threading.Event
    ) -> Literal["", "timeout", "stop"]:
        cut: Literal["", "timeout", "stop"] = ""
        try:
            while process.poll() is None and not cut:
                if stop.wait(_LOOK):
                    cut = "stop"
                elif time.monotonic() - begun > self.timeout:
                    cut = "timeout"
        finally:
            if process.returncode is None:
                _end(process)
        return cut

    def _said(self, output: IO[bytes]) -> str:
        # In UTF-8 a character takes four bytes at most; what is hidden may begin before the tail.
        longest = max((len(value.encode()) for value in self.hidden), default=0)
        begin = output.seek(0, os.SEEK_END) - _KEPT * 4 - longest
        output.seek(max(0, begin))
        text = output.read().decode("utf-8", "replace")
        for value in sorted(self.hidden, key=len, reverse=True):
            if len(value) >= _SHORTEST:
                text = text.replace(value, "***")
        text = text[longest:] if begin > 0 else text
        return text.strip()[-_KEPT:]


def environment(also: Sequence[str], told: Mapping[str, str]) -> dict[str, str]:
    """Give what a program is told: what it needs to run, ``also`` by name, and ``told`` by us."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED or name.startswith("LC_") or name in also
    }
    return ours | dict(told)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started: asked first, then killed."""
    for number, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            if number == signal.SIGKILL:
                return


@contextlib.contextmanager
def _locked(file: Path | None) -> Iterator[int | None]:
    """Hold a lock that whoever inherits its descriptor holds with us."""
    if file is None:
        yield None
        return
    import fcntl  # noqa: PLC0415  # where there is none, runbooks of other steps still work

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StillRuns(str(file)) from None
        yield descriptor
        file.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
