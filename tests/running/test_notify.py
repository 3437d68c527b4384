"""systemd's side of the talk is a real datagram socket."""

import os
import re
import socket
import time

import pytest

from stranglerfig.running.notify import Notify


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    """A socket as systemd makes it, and its name as systemd writes it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@fig-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name.replace("@", "\0", 1))
        heard.settimeout(10)
        yield heard, name


def said(heard):
    return heard.recv(4096).decode().split("\n")


def test_what_systemd_hears_of_a_life(systemd):
    heard, name = systemd
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "6000000"})
    notify.ready("2 sources\nflow")
    assert said(heard) == ["READY=1", "STATUS=2 sources flow"]
    before = time.monotonic_ns() // 1000
    notify.reloading()
    first, second = said(heard)
    assert first == "RELOADING=1"
    assert before <= int(re.fullmatch(r"MONOTONIC_USEC=(\d+)", second)[1])
    notify.progress()
    assert said(heard) == ["WATCHDOG=1"]
    notify.status("one")
    notify.status("one")
    notify.status("two")
    assert [said(heard), said(heard)] == [["STATUS=one"], ["STATUS=two"]]
    notify.stopping("draining")
    assert said(heard) == ["STOPPING=1", "STATUS=draining"]
    notify.close()
    notify.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_watchdog_is_ours_only(environment, seconds):
    assert Notify(environment, pid=7).watchdog == seconds


def test_without_a_watchdog_no_progress_is_told(systemd):
    heard, name = systemd
    notify = Notify({"NOTIFY_SOCKET": name})
    notify.progress()
    notify.stopping("now")
    assert said(heard)[0] == "STOPPING=1"
    notify.close()


@pytest.mark.parametrize("name", ["", "vsock:1:2", "/nowhere/at/all"])
def test_nobody_waits_for_a_systemd_that_is_not_there(name):
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"})
    notify.ready("ready")
    notify.progress()
    notify.close()


def test_a_full_socket_does_not_hold_us_up(systemd):
    heard, name = systemd
    notify = Notify({"NOTIFY_SOCKET": name})
    for number in range(5_000):
        notify.status(str(number))
    assert said(heard) == ["STATUS=0"]
    notify.close()
