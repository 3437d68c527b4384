"""Cases that are read in one process, with limits on its time and its memory."""

from __future__ import annotations

import random
import re
import resource
import signal
import tempfile
import time
import traceback
from ctypes import Array, c_char, c_int
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from stranglerfig.errors import FigError
from stranglerfig.fuzz.mutate import Mutator
from stranglerfig.fuzz.targets import TARGETS

__all__ = [
    "MEMORY",
    "PATIENCE",
    "ROOM",
    "Chunk",
    "Failure",
    "Outcome",
    "Watched",
    "read_all",
    "read_one",
    "work",
]

PATIENCE: Final = 10
"""Seconds that a reader may take for a case."""
MEMORY: Final = 1 << 30
"""Bytes of address space that a process may have: the interpreter and all libraries included."""
ROOM: Final = 1 << 16
"""Bytes that a case has at most, for whoever watches."""

_SAID: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[\d.]+|\S*[^\x20-\x7e]\S*")


class Chunk(NamedTuple):
    """So many cases of one reader; the same seed makes the same ones."""

    reader: str
    seed: int
    cases: int


class Failure(NamedTuple):
    """What a reader did that it must not, with the first case that made it; ``count`` of them."""

    kind: str
    case: bytes
    report: str
    count: int = 1


class Outcome(NamedTuple):
    """What became of a chunk.

    ``kinds`` are the different errors of ours that were met, ``slowest`` the seconds of the case
    that took longest.
    """

    taken: int
    refused: int
    kinds: int
    seconds: float
    slowest: float
    failures: dict[str, Failure]


class Watched(NamedTuple):
    """Memory shared with whoever watches: the number of the case that is read now, and itself."""

    number: c_int
    size: c_int
    case: Array[c_char]

    def now(self, number: int, case: bytes) -> None:
        """Say what is read now."""
        self.size.value = 0
        self.case[: len(case)] = case
        self.size.value = len(case)
        self.number.value = number

    def held(self) -> bytes:
        """Give the case that is read now."""
        return self.case.raw[: self.size.value]


class _Hang(BaseException):
    """It did not end; no reader catches this."""


def _ring(number: int, frame: object) -> None:
    del number, frame
    raise _Hang


def work(chunk: Chunk, watched: Watched, answer: Connection) -> None:
    """Read a chunk's cases and send the outcome. Called in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ring)
    random.seed(chunk.seed)  # what readers draw themselves, if they do
    # In memory where that is to be had: what is kept of bad records waits for the disk.
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="fuzz-", dir=shared if shared.is_dir() else None
    ) as place:
        tempfile.tempdir = place
        answer.send(read_all(chunk, watched))


def read_all(chunk: Chunk, watched: Watched) -> Outcome:
    """Read a chunk's cases here, and give the outcome."""
    target = TARGETS[chunk.reader]()
    mutator = Mutator(target.seeds, target.words, chunk.seed)
    taken = refused = 0
    known: set[str] = set()
    failures: dict[str, Failure] = {}
    started = time.monotonic()
    slowest = 0.0
    for number in range(1, chunk.cases + 1):
        case = mutator.case()
        watched.now(number, case)
        before = time.monotonic()
        try:
            signal.alarm(PATIENCE)
            target.read(case)
            signal.alarm(0)
        except FigError as error:
            signal.alarm(0)
            refused += 1
            said = _kind(error)
            if said not in known:
                known.add(said)
                mutator.keep(case)
        except (Exception, _Hang) as error:
            signal.alarm(0)
            failure = _failure(error, case)
            first = failures.get(failure.kind, failure._replace(count=0))
            failures[failure.kind] = first._replace(count=first.count + 1)
        else:
            taken += 1
            if taken % 50 == 1:
                mutator.keep(case)
        slowest = max(slowest, time.monotonic() - before)
    return Outcome(taken, refused, len(known), time.monotonic() - started, slowest, failures)


def _kind(error: FigError) -> str:
    """Tell errors apart by what they say, but for values and numbers."""
    parts = (error, *error.problems[:3])
    said = f"{type(error).__name__} " + " ".join(str(one)[:300] for one in parts)
    return _SAID.sub("*", said)


def _failure(error: BaseException, case: bytes) -> Failure:
    ours = [
        one for one in traceback.extract_tb(error.__traceback__) if "/fuzz/" not in one.filename
    ]
    last = ours[-1] if ours else None
    # Where a hang or a deep recursion was met is chance: the reader's first steps are not.
    if isinstance(error, (_Hang, RecursionError, MemoryError)) and ours:
        last = ours[min(2, len(ours) - 1)]
    where = f" {last.filename.rpartition('stranglerfig/')[2]}:{last.lineno}" if last else ""
    if isinstance(error, AssertionError):
        said = str(error).partition("\n")[0]
        where += f" {said}: {_SAID.sub('*', str(error.__cause__ or ''))[:100]}"
    lines = "".join(traceback.format_exception(error, limit=-30)).splitlines()
    report = "\n".join(line[:300] for line in lines)
    return Failure(f"{type(error).__name__}{where}", case, report[-6000:])


def read_one(reader: str, case: bytes) -> object:
    """Read one case once more, with the same limits; whatever is raised comes out."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ring)
    signal.alarm(PATIENCE)
    try:
        return TARGETS[reader]().read(case)
    finally:
        signal.alarm(0)
