"""A bridge is told to stop, once or twice, with work in hand."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import Counter

import pytest

FIG = (sys.executable, "-m", "stranglerfig")


def settled(desk):
    """Count the rows that are settled, and see that nothing is leased that nobody works on."""
    assert desk.sql("SELECT count(*) FROM fig_event WHERE lease_token IS NOT NULL") == [(0,)]
    return desk.sql("SELECT count(*) FROM fig_event WHERE done_at IS NOT NULL")[0][0]


def taken(desk):
    return Counter(one.line.data["key"] for one in desk.journal(endpoint="ticket-opened"))


def in_hand(desk, wait, behaviour, count, drain):
    """Start a bridge, and give it rows that it cannot finish at once."""
    desk.install()
    desk.edit("fig.toml", "deadline = 0.4", "deadline = 60")
    desk.edit("fig.toml", "[workspace]", f"[bridge]\ndrain = {drain}\n\n[workspace]")
    desk.at("shadow", "ticket-opened")
    desk.behave(behaviour)
    desk.tickets(count)
    process = desk.bridge()
    wait(lambda: process.source()["in_flight"] >= 100, "a hundred are in hand")
    return process


def test_sigterm_with_a_hundred_in_flight_finishes_them(any_desk, wait):
    process = in_hand(any_desk, wait, "slow", 120, 60)
    began = time.monotonic()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(90) == 0
    assert time.monotonic() - began < 60
    assert process.event("stopping")
    done = settled(any_desk)
    assert 100 <= done <= 120
    assert len(taken(any_desk)) == done, "settled is what is in the journal, and no more"
    assert any_desk.fig("bridge", "status", "--json").json()["processes"] == []
    any_desk.behave("answer")
    any_desk.bridge()
    wait(lambda: any_desk.waiting() == 0, "the next one takes the rest")
    assert taken(any_desk) == {f"C-{number}": 1 for number in range(1, 121)}


def test_what_is_not_finished_in_time_goes_back_unsettled(desk, wait):
    process = in_hand(desk, wait, "hang", 120, 0.5)
    began = time.monotonic()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(90) == 0
    assert time.monotonic() - began < 30, "well before an answer's deadline"
    assert settled(desk) == len(taken(desk)) == 0
    assert "were cut off" in process.said()
    desk.behave("answer")
    desk.bridge()
    wait(lambda: desk.waiting() == 0, "the next one takes all of it")
    assert taken(desk) == {f"C-{number}": 1 for number in range(1, 121)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_twice_it_ends_at_once(desk, wait, number):
    process = in_hand(desk, wait, "hang", 120, 60)
    process.process.send_signal(number)
    wait(lambda: process.probe("/ready")[0] == 503, "it drains")
    assert "draining" in process.probe("/ready")[1]
    assert process.probe("/live")[0] == 200
    process.process.send_signal(number)
    assert process.process.wait(30) == 128 + number
    desk.behave("answer")
    desk.bridge()
    wait(lambda: desk.waiting() == 0, "nothing was lost by it", 60)
    assert taken(desk) == {f"C-{number}": 1 for number in range(1, 121)}


def test_systemd_is_told_of_start_reload_and_end(desk, tmp_path):
    """By a process that systemd started, to a socket as systemd has it."""
    desk.install()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        desk.env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}

        def until(wanted):
            """Give what is told until something is, without the status lines between."""
            heard = []
            while not heard or wanted not in heard[-1]:
                heard.append(systemd.recv(4096).decode())
            return heard

        process = desk.bridge()
        assert until("READY=1")[-1].startswith("READY=1\nSTATUS=ready")
        assert "WATCHDOG=1" in until("WATCHDOG=1")
        process.process.send_signal(signal.SIGHUP)
        told = until("READY=1")
        reloading = next(one for one in told if one.startswith("RELOADING=1"))
        at = int(reloading.partition("MONOTONIC_USEC=")[2])
        assert at <= time.monotonic_ns() // 1000
        assert "reloaded" in told[-1]
        os.kill(process.pid, signal.SIGTERM)
        assert until("STOPPING=1")
        assert process.process.wait(90) == 0


def test_a_process_without_progress_feeds_no_watchdog(desk, wait, tmp_path):
    """The loop turns, but what is in hand does not end: systemd is to end it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        desk.env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        desk.edit("fig.toml", "[workspace]", "[bridge]\nstuck = 1.0\ndrain = 0.2\n\n[workspace]")
        desk.edit("fig.toml", "deadline = 0.4", "deadline = 60")
        desk.install()
        desk.at("shadow", "ticket-opened")
        desk.behave("hang")
        process = desk.bridge()
        desk.tickets(2)
        wait(lambda: process.probe("/live")[0] == 503, "it is stuck")
        status, why = process.probe("/live")
        assert "tickets: 2 in hand, nothing settled" in why
        systemd.setblocking(False)
        list(told(systemd, 0.0))
        # Three times as long as the watchdog would have waited.
        assert not [one for one in told(systemd, 1.0) if "WATCHDOG" in one]


def told(systemd, seconds):
    """Give what is told within so many seconds, what was told before included."""
    end = time.monotonic() + seconds
    while True:
        try:
            yield systemd.recv(4096).decode()
        except BlockingIOError:
            if time.monotonic() > end:
                return
            time.sleep(0.02)


def test_told_to_stop_while_it_reloads_it_stops(desk, wait):
    """The reload is draining a source: that goes on, and nothing is opened any more."""
    process = in_hand(desk, wait, "hang", 120, 4)
    desk.edit("fig.toml", 'key     = ["customer"]', 'key = ["customer"]\nbatch = 150')
    process.process.send_signal(signal.SIGHUP)
    wait(lambda: process.status()["state"] == "reloading", "it reloads")
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(90) == 0
    assert settled(desk) == len(taken(desk)) == 0
    assert process.printed.count('{"event":"source","source":"tickets"}') == 1


def test_what_is_up_and_what_is_not_yet_is_said_to_people_and_programs(desk, wait):
    """While legacy's database is gone: nothing is ready before work can flow."""
    desk.install()
    file, aside = desk.root / "legacy" / "helpdesk.db", desk.root / "aside"
    file.rename(aside)
    process = desk.bridge()
    (missing,) = process.event("waiting")["missing"]
    assert missing.startswith("source tickets: broken")
    assert not [line for line in process.printed if '"ready"' in line or '"flows"' in line]
    people = desk.run(*FIG, "-w", str(desk.root), "bridge", "run", log="people.log")
    assert "source tickets: broken" in people.line(lambda line: line.startswith("waiting    for"))
    aside.rename(file)
    assert process.event("flows") == {"event": "flows", "source": "tickets"}
    assert process.event("ready")["endpoints"] == ["ticket-opened", "triage-ticket"]
    people.line(lambda line: line == "ready      stop with Ctrl-C")
    assert "taking     deliveries of tickets" in people.printed
