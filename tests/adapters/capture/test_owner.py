"""Whether the owner of a lease is surely gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stranglerfig.adapters.capture.owner import is_gone, new_token

PRINT = "from stranglerfig.adapters.capture.owner import new_token; print(new_token(), flush=True); input()"


def test_tokens_differ_and_their_living_owner_is_not_gone():
    first, second = new_token(), new_token()
    assert first != second
    assert not is_gone(first)


@pytest.mark.process
def test_a_process_is_gone_when_it_has_ended():
    child = subprocess.Popen(
        [sys.executable, "-c", PRINT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    token = child.stdout.readline().strip()
    assert not is_gone(token)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, but not reaped yet
    assert is_gone(token)
    child.communicate()
    assert is_gone(token)


def test_a_process_id_that_was_given_to_another_does_not_deceive():
    host, pid, start, rest = new_token().rsplit(":", 3)
    assert is_gone(f"{host}:{pid}:{int(start) - 1}:{rest}")


@pytest.mark.parametrize("token", ["", "another", "a:b:c:d", "otherhost/0:1:2:abc"])
def test_other_hosts_and_other_texts_are_left_alone(token):
    assert not is_gone(token)
