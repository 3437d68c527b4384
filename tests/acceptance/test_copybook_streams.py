"""``fig copybook`` on large inputs, on pipes, and when it is ended in the middle."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stranglerfig.tests.importable import importable

MEBI = 1024 * 1024
WIDE = """\
       01  WIDE.
           05  KEY-FIELD   PIC 9(8).
           05  BODY        PIC X(15992).
"""
SIZE = 16_000
FIG = ("-m", "stranglerfig", "copybook")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wide.cpy").write_text(WIDE)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``fig copybook``; what still runs at the end is ended."""
    begun: list[subprocess.Popen[bytes]] = []

    def go(*arguments: object, program=FIG, **options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, *program, *map(str, arguments)]
        env = {**os.environ, "PYTHONPATH": importable(), "TERM": "xterm"}
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=folder, env=env, **{**streams, **options})
        begun.append(process)
        return process

    yield go
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.wait(90)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


def record(number: int, size: int = SIZE) -> bytes:
    return f"{number:08d}".ljust(size, "x").encode("cp037")


WATCHED = """\
import resource, subprocess, sys
command = [sys.executable, "-m", "stranglerfig", "copybook", *sys.argv[1:]]
status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A process begins with the memory of the one that starts it: so a small one does."""


@pytest.fixture
def peak(start: Callable) -> Callable[..., tuple[int, int]]:
    """Run ``fig copybook`` to its end; gives its status and the most memory it had, in bytes."""

    def run(*arguments: object, given: Path) -> tuple[int, int]:
        with given.open("rb") as stream:
            process = start(*arguments, program=("-c", WATCHED), stdin=stream)
            out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        status, memory = map(int, out.split())
        return status, memory * 1024

    return run


def test_memory_does_not_grow_with_the_file(folder: Path, peak: Callable) -> None:
    """64 MiB through a pipe, decoded and encoded, in hardly more memory than one record."""
    peaks = []
    for many in (1, 64 * MEBI // SIZE):
        with (folder / "in.dat").open("wb") as stream:
            stream.writelines(record(number) for number in range(many))
        for command, given, output in (
            ("decode", "in.dat", "in.jsonl"),
            ("encode", "in.jsonl", "out.dat"),
        ):
            status, memory = peak(
                command, "wide.cpy", "-", "--output", output, given=folder / given
            )
            assert status == 0
            peaks.append(memory)
        assert (folder / "out.dat").read_bytes() == (folder / "in.dat").read_bytes()
    assert peaks[2] - peaks[0] < 16 * MEBI
    assert peaks[3] - peaks[1] < 16 * MEBI


@pytest.mark.parametrize("form", ["rdw-be", "vb-be", "line"])
def test_a_damaged_file_is_refused_in_bounded_memory(
    folder: Path, peak: Callable, form: str
) -> None:
    """256 MiB of holes behind a word that says 2 GB: no length, no line end."""
    with (folder / "holes").open("wb") as stream:
        stream.write(b"\xff\xff\xff\xff")
        stream.truncate(256 * MEBI)
    status, memory = peak(
        "decode", "wide.cpy", "holes", "--records", form, "--rdw-counted", "--longest", "20000",
        "--json", given=folder / "holes",
    )  # fmt: skip
    assert status == 4
    assert memory < 100 * MEBI
    kept = (folder / "holes.quarantine.jsonl").read_bytes().splitlines()
    assert json.loads(kept[0])["offset"] in (0, 4)
    told = sum(json.loads(line)["length"] for line in kept)
    assert told in (256 * MEBI, 256 * MEBI - 4)
    assert (folder / "holes.quarantine.jsonl").stat().st_size < 4 * MEBI


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["terminate", "ctrl-c"])
@pytest.mark.parametrize("before", [None, b"what stood there"], ids=["new", "replaced"])
def test_what_is_ended_leaves_no_half_written_file(
    folder: Path, start: Callable, wait: Callable, how: signal.Signals, before: bytes | None
) -> None:
    if before is not None:
        (folder / "out.jsonl").write_bytes(before)
    process = start("decode", "wide.cpy", "-", "--output", "out.jsonl")
    for number in range(200):
        process.stdin.write(record(number))
    process.stdin.flush()
    wait(lambda: list(folder.glob(".out.jsonl.*")), "it is writing")
    process.send_signal(how)
    assert process.wait(90) == (130 if how is signal.SIGINT else 128 + signal.SIGTERM)
    assert b"Traceback" not in process.stderr.read()
    names = {one.name for one in folder.iterdir()}
    assert names == {"wide.cpy"} | ({"out.jsonl"} if before else set())
    if before:
        assert (folder / "out.jsonl").read_bytes() == before


def test_a_kill_leaves_what_stood_there(folder: Path, start: Callable, wait: Callable) -> None:
    (folder / "out.jsonl").write_bytes(b"what stood there")
    process = start("decode", "wide.cpy", "-", "--output", "out.jsonl")
    process.stdin.write(record(1) * 200)
    process.stdin.flush()
    wait(lambda: list(folder.glob(".out.jsonl.*")), "it is writing")
    process.kill()
    process.wait(90)
    assert (folder / "out.jsonl").read_bytes() == b"what stood there"


def test_nobody_reads_to_the_end(folder: Path, start: Callable) -> None:
    """As behind ``head``: it ends quietly."""
    (folder / "in.dat").write_bytes(b"".join(record(number) for number in range(500)))
    process = start("decode", "wide.cpy", "in.dat", "--json")
    assert process.stdout.readline().startswith(b'{"KEY-FIELD":0,')
    process.stdout.close()
    assert process.wait(90) == 0
    assert process.stderr.read() == b""


def test_records_come_before_the_input_ends(folder: Path, start: Callable) -> None:
    """A pipe that stays open: what came is printed."""
    process = start("decode", "wide.cpy", "-", "--records", "rdw-be", "--json", bufsize=0)
    for number in range(3):
        process.stdin.write(SIZE.to_bytes(2, "big") + b"\0\0" + record(number))
    assert b'"KEY-FIELD":0' in process.stdout.read(100)
    assert process.poll() is None


def test_records_are_not_shown_on_a_terminal(folder: Path, start: Callable) -> None:
    (folder / "in.jsonl").write_bytes(b'{"KEY-FIELD":1,"BODY":"x"}\n')
    ours, theirs = pty.openpty()
    try:
        process = start("encode", "wide.cpy", "in.jsonl", stdout=theirs)
        assert process.wait(90) == 2
        assert b"--output" in process.stderr.read()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_bar_is_for_terminals_only(folder: Path, start: Callable) -> None:
    (folder / "in.dat").write_bytes(b"".join(record(number) for number in range(20)))
    process = start("decode", "wide.cpy", "in.dat", "--json")
    out, err = process.communicate(timeout=60)
    assert len(out.splitlines()) == 20
    assert err == b""
