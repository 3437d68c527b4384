"""The fuzzer itself: every reader can be fed, and what must not happen is noticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from ctypes import c_char, c_int
from pathlib import Path

import pytest

from stranglerfig.errors import FigError, InputError
from stranglerfig.fuzz import chunk, run
from stranglerfig.fuzz.mutate import Mutator
from stranglerfig.fuzz.target import Target
from stranglerfig.fuzz.targets import TARGETS
from stranglerfig.tests.importable import importable

RUN = Path(chunk.__file__).with_name("run.py")
CASES = 200


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_inputs_are_read_or_refused(name: str) -> None:
    target = TARGETS[name]()
    mutator = Mutator(target.seeds, target.words, seed=7)
    for _ in range(CASES):
        case = mutator.case()
        try:
            target.read(case)
        except FigError:
            mutator.keep(case)


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_of_every_reader_is_good(name: str) -> None:
    target = TARGETS[name]()
    refused = []
    for seed in target.seeds:
        try:
            target.read(seed)
        except FigError as error:
            refused.append(str(error))
    assert len(refused) < len(target.seeds), refused


def test_the_same_seed_makes_the_same_cases() -> None:
    def some(seed: int) -> list[bytes]:
        mutator = Mutator([b"a = 1\nb = 22\n", b"xyz"], [b"word"], seed)
        return [mutator.case() for _ in range(100)]

    assert some(1) == some(1)
    assert some(1) != some(2)
    assert len(set(some(1))) > 80
    assert all(len(case) <= chunk.ROOM for case in some(1))


def _outcome(read, monkeypatch: pytest.MonkeyPatch, cases: int = 50) -> chunk.Outcome:
    target = Target([b"seed"], [b"word"], read)
    monkeypatch.setattr(chunk, "TARGETS", {"bad": lambda: target})
    watched = chunk.Watched(c_int(0), c_int(0), (c_char * chunk.ROOM)())
    return chunk.read_all(chunk.Chunk("bad", 1, cases), watched)


def test_what_is_no_error_of_ours_is_a_failure_with_its_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(case: bytes) -> None:
        if len(case) % 2:
            raise KeyError(case)
        raise InputError("no")

    found = _outcome(read, monkeypatch)
    (failure,) = found.failures.values()
    assert failure.kind.startswith("KeyError")
    assert len(failure.case) % 2 == 1
    assert "KeyError" in failure.report
    assert found.taken == 0
    assert found.refused + failure.count == 50
    assert found.refused > 0


def test_different_failures_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(case: bytes) -> None:
        if len(case) % 3 == 0:
            raise AssertionError("one thing")
        if len(case) % 2 == 0:
            raise AssertionError("another")

    found = _outcome(read, monkeypatch)
    assert len(found.failures) == 2
    assert found.taken > 0


@pytest.mark.process
def test_a_process_that_dies_is_a_failure() -> None:
    ((_, found),) = run.run([chunk.Chunk("no such reader", 1, 5)], 1)
    assert list(found.failures) == ["the process died"]


@pytest.mark.process
def test_a_process_that_no_signal_reaches_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DEAD", 0.5)
    stopped: list[int] = []

    class Stopped(run.Job):
        def over(self) -> chunk.Outcome | None:
            if self.watched.number.value and not stopped:
                stopped.append(self.process.pid)
                os.kill(self.process.pid, signal.SIGSTOP)
            if not stopped:  # it may take its time to begin
                self.seen[1] = time.monotonic()
            return super().over()

    monkeypatch.setattr(run, "Job", Stopped)
    ((_, found),) = run.run([chunk.Chunk("copybook-any", 1, 10_000)], 1)
    (failure,) = found.failures.values()
    assert failure.kind == "it hangs where no signal reaches it"
    assert failure.case


def _run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUN), *arguments],
        env={**os.environ, "PYTHONPATH": importable()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.process
def test_the_program_says_what_it_did(tmp_path: Path) -> None:
    only = ("--only", "keys", "--only", "form", "--jobs", "1", "--summary", "figures.json")
    done = _run(tmp_path, "--cases", "60", *only)
    assert done.returncode == 0, done.stderr
    *readers, sums = map(json.loads, done.stdout.splitlines())
    assert [one["reader"] for one in readers] == ["keys", "form"]
    assert sums["cases"] == sums["taken"] + sums["refused"] == 60
    assert sums["failed"] == 0
    assert json.loads((tmp_path / "figures.json").read_text("utf-8"))["cases"] == 60
    assert [file.name for file in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.process
def test_a_case_that_was_kept_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "record-files-0123456789ab.bin").write_bytes(b"\x00")
    assert _run(tmp_path, "--again", "record-files-0123456789ab.bin").returncode == 0
    (tmp_path / "envelope-0123456789ab.bin").write_bytes(b"<")
    refused = _run(tmp_path, "--again", "envelope-0123456789ab.bin")
    assert refused.returncode == 1
    assert "EnvelopeError" in refused.stderr
