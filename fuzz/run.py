"""Throws inputs at everything that reads what others wrote: ``python fuzz/run.py --cases 1000000``.

Whatever a reader raises must be an error of ours, it must end within seconds, and it must do with a
gigabyte. Each reader gets its share of the cases (``--cases`` is in all), in processes of their
own: one that hangs in a library or dies is ended, and its case is kept like any other that failed.

``--only NAME`` picks readers, ``--again FILE`` reads a kept case once more. One line of JSON a
reader, the last one is of all; the exit status is 1 where a case failed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from ctypes import c_char, c_int
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, NamedTuple

from stranglerfig.fuzz.chunk import (
    PATIENCE,
    ROOM,
    Chunk,
    Failure,
    Outcome,
    Watched,
    read_one,
    work,
)
from stranglerfig.fuzz.targets import TARGETS

_AT_ONCE: Final = 10_000
DEAD: Final = 3 * PATIENCE
"""Seconds after which a process is ended that came to no other case."""
_CONTEXT: Final = multiprocessing.get_context("spawn")


class Job(NamedTuple):
    """A chunk in its process; ``seen`` is the case that it was last seen at, and when."""

    chunk: Chunk
    process: BaseProcess
    answer: Connection
    watched: Watched
    seen: list[float]

    def over(self) -> Outcome | None:
        """Give the outcome once there is one, also where the process hangs or died."""
        if self.answer.poll(0.2):
            try:
                found: Outcome = self.answer.recv()
            except EOFError:
                return self._lost("the process died")
            self.process.join()
            return found
        if self.watched.number.value != self.seen[0]:
            self.seen[:] = [self.watched.number.value, time.monotonic()]
        elif time.monotonic() - self.seen[1] > DEAD:
            self.process.kill()
            return self._lost("it hangs where no signal reaches it")
        return None

    def _lost(self, reason: str) -> Outcome:
        self.process.join()
        report = f"{reason} (exit status {self.process.exitcode})"
        failure = Failure(reason, self.watched.held(), report)
        read = int(self.watched.number.value) - 1
        # What became of those before is lost with the process: they are counted as refused.
        return Outcome(0, max(0, read), 0, 0.0, 0.0, {reason: failure})


def _start(chunk: Chunk) -> Job:
    number, size = _CONTEXT.RawValue(c_int, 0), _CONTEXT.RawValue(c_int, 0)
    watched = Watched(number, size, _CONTEXT.RawArray(c_char, ROOM))
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=work, args=(chunk, watched, theirs), daemon=True)
    process.start()
    theirs.close()
    return Job(chunk, process, ours, watched, [0, time.monotonic()])


def run(chunks: Sequence[Chunk], jobs: int) -> Iterator[tuple[Chunk, Outcome]]:
    """Read all chunks, so many at a time."""
    left, going = list(chunks), list[Job]()
    while left or going:
        while left and len(going) < jobs:
            going.append(_start(left.pop(0)))
        for job in list(going):
            outcome = job.over()
            if outcome is not None:
                going.remove(job)
                yield job.chunk, outcome


def _chunks(names: Sequence[str], cases: int, seed: int) -> list[Chunk]:
    share = -(-cases // len(names))
    parts = -(-share // _AT_ONCE)
    return [
        Chunk(name, seed * 1000 + part, min(_AT_ONCE, share - part * _AT_ONCE))
        for part in range(parts)
        for name in names
    ]


class _Tally:
    """The sums of one reader, and the files of its cases that failed."""

    def __init__(self, reader: str, folder: Path) -> None:
        self.reader = reader
        self.taken = self.refused = self.failed = self.kinds = 0
        self.seconds = self.slowest = 0.0
        self.files: dict[str, str] = {}
        self._folder = folder

    def add(self, outcome: Outcome) -> None:
        self.taken += outcome.taken
        self.refused += outcome.refused
        self.kinds = max(self.kinds, outcome.kinds)
        self.seconds += outcome.seconds
        self.slowest = max(self.slowest, outcome.slowest)
        for kind, failure in outcome.failures.items():
            self.failed += failure.count
            if kind not in self.files:
                self.files[kind] = self._kept(failure)
                print(f"{self.files[kind]}\n{failure.report}", file=sys.stderr, flush=True)

    def _kept(self, failure: Failure) -> str:
        digest = hashlib.sha256(failure.case).hexdigest()[:12]
        file = self._folder / f"{self.reader}-{digest}.bin"
        file.write_bytes(failure.case)
        file.with_suffix(".txt").write_text(f"{failure.kind}\n{failure.report}", "utf-8")
        return str(file)

    def said(self) -> dict[str, Any]:
        return {
            "reader": self.reader,
            "cases": self.taken + self.refused + self.failed,
            "taken": self.taken,
            "refused": self.refused,
            "failed": self.failed,
            "kinds of refusal": self.kinds,
            "seconds": round(self.seconds, 1),
            "slowest": round(self.slowest, 2),
            "failures": self.files,
        }


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=20_000, help="in all")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", choices=sorted(TARGETS), action="append")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--folder", type=Path, default=Path("fuzz-failures"))
    arguments.add_argument("--summary", type=Path, help="a file for the figures, as JSON")
    arguments.add_argument("--again", type=Path, help="a file of --folder")
    return arguments.parse_args()


def main() -> int:
    """Share the cases out among readers and processes."""
    given = _arguments()
    if given.again:
        print(read_one(given.again.name.rpartition("-")[0], given.again.read_bytes()))
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    tallies = {name: _Tally(name, given.folder) for name in given.only or sorted(TARGETS)}
    for chunk, outcome in run(_chunks(list(tallies), given.cases, given.seed), given.jobs):
        tallies[chunk.reader].add(outcome)
    said = [tally.said() for tally in tallies.values()]
    sums = {key: sum(one[key] for one in said) for key in ("cases", "taken", "refused", "failed")}
    for one in (*said, sums):
        print(json.dumps(one))
    if given.summary:
        given.summary.write_text(json.dumps({**sums, "readers": said}, indent=1) + "\n", "utf-8")
    if not any(given.folder.iterdir()):
        given.folder.rmdir()
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
