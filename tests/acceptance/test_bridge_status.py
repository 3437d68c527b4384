"""``fig bridge status`` as people and programs see it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from stranglerfig.store.dead_letters import DeadLetters


def command(desk):
    return [sys.executable, "-m", "stranglerfig", "-w", str(desk.root), "bridge", "status"]


def test_without_a_bridge_it_says_so_and_shows_what_waits(any_desk):
    done = any_desk.fig("bridge", "status")
    assert done.status == 0
    assert "no bridge runs" in done.out
    assert "0 dead letters" in done.out
    said = any_desk.fig("bridge", "status", "--json").json()
    assert said["processes"] == []
    assert said["waiting"]["dead"] == 0


def test_without_a_store_it_fails_as_every_command_does(desk):
    desk.store_file.unlink()
    done = desk.fig("bridge", "status")
    assert done.status == 8
    assert "there is no store" in done.err


def test_a_bridge_its_sources_and_what_waits(any_desk, wait):
    desk = any_desk
    desk.install()
    desk.at("shadow", "ticket-opened")
    process = desk.bridge()
    desk.tickets(4)
    desk.sql("UPDATE tickets SET text = text WHERE 0")
    wait(lambda: desk.waiting() == 0, "all are settled")
    wait(lambda: "4" in desk.fig("bridge", "status").out, "it is seen")

    def said():
        return desk.fig("bridge", "status", "--json").json()["processes"][0]

    wait(lambda: said()["status"]["sources"]["tickets"]["status"]["done"] == 4, "it is seen")
    one = said()
    assert one["process"]["pid"] == process.pid
    assert one["process"]["kind"] == "bridge"
    assert one["status"]["ready"]
    assert not one["gone"]
    assert not one["other"]
    assert sum(one["status"]["sources"]["tickets"]["recent"]) == 4
    shown = desk.fig("bridge", "status").out
    assert f"bridge {process.pid}" in shown
    assert re.search(r"tickets\s+flowing", shown)
    assert "█" in shown, "what was settled has a shape"
    desk.edit("acl/ticket_row.toml", "the desk's own", "nobody's")
    assert said()["other"]
    assert "another than on disk" in desk.fig("bridge", "status").out


def test_dead_letters_are_counted(desk, wait):
    desk.install()
    desk.at("shadow", "ticket-opened")
    desk.bridge()
    desk.sql("INSERT INTO tickets VALUES (NULL, 'C-1', '?', 'x', 'C10', 1, '1', '20260101', 'O')")
    wait(lambda: DeadLetters(desk.reader.database).count(), "one is dead")
    wait(lambda: "1 dead letters" in desk.fig("bridge", "status").out, "it is seen")


def test_watched_it_is_drawn_again_in_place_until_ctrl_c(desk):
    desk.install()
    process = desk.bridge()
    watched, terminal = pty.openpty()
    env = {**desk.env, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    watch = subprocess.Popen(
        [*command(desk), "--watch"], env=env, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    text, until = "", time.monotonic() + 90
    while text.count(f"bridge {process.pid}") < 3:
        assert time.monotonic() < until, text
        if select.select([watched], [], [], 0.5)[0]:
            text += re.sub(r"\x1b\[[0-9;]*m", "", os.read(watched, 65536).decode())
    assert "\x1b[1A" in text, "the cursor goes up: it is drawn in place"
    watch.send_signal(signal.SIGINT)
    assert watch.wait(90) == 0
    os.close(watched)


def test_watched_by_a_program_it_is_a_line_a_second(desk):
    process = subprocess.Popen(
        [*command(desk), "--watch", "--json"],
        env=desk.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert '"processes":[]' in process.stdout.readline()
    assert '"processes":[]' in process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
