import os
import socket
import subprocess
import sys

import pytest

from stranglerfig.running.kin import born, local
from stranglerfig.store.processes import Process

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def process(root, **changed):
    status = {"workspace": str(root), "born": born(os.getpid())}
    fields = {"host": socket.gethostname(), "pid": os.getpid(), "silent": 0.1, "status": status}
    return Process(incarnation="i", kind="bridge", started_at=0, seen_at=0, **{**fields, **changed})


def test_ours_on_this_machine(tmp_path):
    assert local([process(tmp_path)], tmp_path, 5.0) == [process(tmp_path)]


@pytest.mark.parametrize(
    "other",
    [
        {"host": "elsewhere"},
        {"silent": 6.0},
        {"status": {"workspace": "/another", "born": ""}},
        {"pid": 2**22 + 1},
    ],
)
def test_no_others(tmp_path, other):
    assert local([process(tmp_path, **other)], tmp_path, 5.0) == []


@linux
def test_another_process_under_its_id_is_not_it(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as other:
        status = {"workspace": str(tmp_path), "born": born(os.getpid())}
        assert born(other.pid) not in ("", born(os.getpid()))
        assert local([process(tmp_path, pid=other.pid, status=status)], tmp_path, 5.0) == []
        other.kill()


@linux
def test_a_birth_is_told_for_names_of_any_kind(tmp_path):
    script = tmp_path / "a) R (b"
    script.write_text("#!/bin/sh\nsleep 60\n")
    script.chmod(0o700)
    with subprocess.Popen([str(script)]) as odd:
        assert born(odd.pid).rpartition("/")[2].isdigit()
        odd.kill()
    assert born(2**22 + 1) == ""
