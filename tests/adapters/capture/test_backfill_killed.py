"""A walk that was killed anywhere is gone on with by another process: no row is lost, none twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stranglerfig.tests.adapters.capture.field import Field
from stranglerfig.tests.importable import importable

ONE = Path(__file__).with_name("one_backfill.py")
ROWS = 400


def walk(url, folder, *arguments):
    return subprocess.Popen(
        [sys.executable, str(ONE), url, str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": importable()},
    )


@pytest.mark.process
def test_a_killed_walk_is_gone_on_with(url, tmp_path):
    check(url, tmp_path)


@pytest.mark.process
def test_a_killed_walk_without_locks_is_gone_on_with(server_url, tmp_path):
    check(server_url, tmp_path, "no-locks")


def check(url, tmp_path, *mode):
    field = Field(url, tmp_path, "CREATE TABLE orders (nr INTEGER PRIMARY KEY, v VARCHAR(9))")
    values = ", ".join(f"({at}, 'v')" for at in range(ROWS))
    field.run(f"INSERT INTO orders VALUES {values}")
    field.install()
    for least in (40, 200):
        process = walk(url, tmp_path, "20", *mode)
        with process.stdout:
            for line in process.stdout:
                if int(line) >= least:
                    break
            process.kill()
            process.wait()
    # The mark says that a process walks; this one sees that it is gone.
    process = walk(url, tmp_path, "100", *mode)
    said, _ = process.communicate(timeout=60)
    assert said.splitlines()[-1] == "done"
    assert int(said.splitlines()[0]) >= 200
    taken = [int(one["nr"]) for _, one in field.images()]
    assert sorted(taken) == list(range(ROWS))
    assert field.events("parked", "parked <> 0") == []
