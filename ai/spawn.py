"""Starting a worker process, and ending it for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

__all__ = ["end", "spawn", "status"]

_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


async def spawn(descriptor: int) -> asyncio.subprocess.Process:
    """Start ``ai/worker.py`` on an inherited socket; what it prints comes from its ``stdout``.

    It imports from where we import. It has its own session, so that Ctrl-C does not reach it and
    what it started can be ended with it.
    """
    quiet = dict.fromkeys(_ONE_THREAD, "1")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        f"{__package__}.worker",
        str(descriptor),
        str(os.getpid()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=(descriptor,),
        start_new_session=True,
        env={**quiet, **os.environ, "PYTHONPATH": _path(), "PYTHONUNBUFFERED": "1"},
    )


def _path() -> str:
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


async def end(process: asyncio.subprocess.Process, grace: float) -> None:
    """Wait ``grace`` seconds for a process to end, then kill what is left of its session."""
    if grace > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await process.wait()
    # Also where it ended by itself: what it had started must not outlive it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def status(process: asyncio.subprocess.Process) -> str:
    """Say how a process ended."""
    code = process.returncode
    if code is None:
        return "it runs"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
