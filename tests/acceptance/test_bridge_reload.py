"""fig.toml changes while everything runs: it is taken whole, or not at all."""

from __future__ import annotations

import http.client
import json
import signal
from collections import Counter

import pytest

LETTERS = """
[legacy.letters]
adapter = "tables"
url     = "sqlite:///legacy/helpdesk.db"
table   = "letters"
key     = ["customer"]

[endpoint.letter-opened]
operation   = "ticket.triage@1"
listen      = { source = "letters" }
mapping     = "acl/ticket_row.toml"
replacement = "triage"
key         = "customer"
compare     = ["category"]
"""


def with_letters(desk):
    """Give legacy a second table, of the same shape, with triggers of ours."""
    sql = desk.sql("SELECT sql FROM sqlite_master WHERE name = 'tickets'")[0][0]
    desk.sql(sql.replace("TABLE tickets", "TABLE letters"))
    with (desk.root / "fig.toml").open("a") as file:
        file.write(LETTERS)
    done = desk.fig("adapter", "install", "letters")
    assert done.status == 0, done.err


def sources(process):
    return sorted(process.status()["sources"].keys() - {"dead letters"})


def taken(desk, endpoint="ticket-opened"):
    return Counter(one.line.data["key"] for one in desk.journal(endpoint=endpoint))


@pytest.fixture
def bridge(any_desk):
    any_desk.install()
    any_desk.at("shadow", "ticket-opened")
    any_desk.process = any_desk.bridge()
    return any_desk


def test_a_source_comes_while_another_flows_and_goes_again(bridge, wait):
    before = (bridge.root / "fig.toml").read_text()
    bridge.tickets(5)
    with_letters(bridge)
    assert [one["status"]["reload"]["number"] for one in processes(bridge)] == [0]
    done = bridge.fig("bridge", "reload", "--json")
    assert done.status == 0, done.err
    (said,) = done.lines()
    assert said["pid"] == bridge.process.pid
    assert said["reload"]["changes"] == ["source letters: new", "endpoint letter-opened: new"]
    assert bridge.process.event("reloaded")["changes"] == said["reload"]["changes"]
    bridge.tickets(5, first=6)
    bridge.tickets(3, table="letters")
    wait(lambda: len(taken(bridge, "letter-opened")) == 3, "the letters are taken")
    wait(lambda: len(taken(bridge)) == 10, "the tickets are taken as ever")
    begun = [line for line in bridge.process.printed if '"event":"source"' in line]
    assert len(begun) == 2, "the tickets' source was not opened anew"

    (bridge.root / "fig.toml").write_text(before)
    done = bridge.fig("bridge", "reload", "--json")
    assert done.json()["reload"]["changes"] == [
        "source letters: gone",
        "endpoint letter-opened: gone",
    ]
    assert sources(bridge.process) == ["tickets"]
    bridge.tickets(2, table="letters", first=50)
    bridge.tickets(1, first=50)
    wait(lambda: len(taken(bridge)) == 11, "the tickets are taken as ever")
    # A delivery is settled after its line is written, so a moment later.
    wait(lambda: bridge.waiting() == 2, "nobody takes letters any more")


def processes(desk):
    return desk.fig("bridge", "status", "--json").json()["processes"]


def test_what_is_in_hand_is_finished_the_way_it_began(bridge, wait):
    """A mapping changes while deliveries of its endpoint are being decided."""
    bridge.edit("fig.toml", "deadline = 0.4", "deadline = 20")
    assert bridge.fig("bridge", "reload").status == 0
    bridge.behave("slow")
    bridge.tickets(30)
    wait(lambda: bridge.process.source()["in_flight"] == 30, "all are in hand")
    bridge.edit("acl/ticket_row.toml", "the desk's own business", "of no use to anybody")
    done = bridge.fig("bridge", "reload", "--json")
    assert done.json()["reload"]["changes"] == ["endpoint ticket-opened: changed"]
    bridge.behave("answer")
    bridge.tickets(5, first=100)
    wait(lambda: bridge.waiting() == 0, "all are settled")
    assert taken(bridge) == {f"C-{n}": 1 for n in (*range(1, 31), *range(100, 105))}
    source = bridge.process.source()
    assert (source["done"], source["retried"], source["dead"]) == (35, 0, 0)


def test_a_source_with_other_options_is_drained_and_opened_again(bridge, wait):
    bridge.edit("fig.toml", "deadline = 0.4", "deadline = 20")
    assert bridge.fig("bridge", "reload").status == 0
    bridge.behave("slow")
    bridge.tickets(20)
    wait(lambda: bridge.process.source()["in_flight"] == 20, "all are in hand")
    bridge.edit("fig.toml", 'key     = ["customer"]', 'key = ["customer"]\nbatch = 7')
    assert bridge.fig("bridge", "reload").status == 0
    assert bridge.process.source()["received"] == 0, "it was opened anew, and nothing came again"
    bridge.behave("answer")
    bridge.tickets(5, first=100)
    wait(lambda: bridge.waiting() == 0, "all are settled")
    assert taken(bridge) == {f"C-{n}": 1 for n in (*range(1, 21), *range(100, 105))}


def test_other_limits_are_taken_with_what_is_in_hand(any_desk, wait):
    bridge = any_desk
    bridge.install()
    bridge.at("shadow", "ticket-opened")
    bridge.edit("fig.toml", "deadline = 0.4", "deadline = 600")
    limits = "[bridge]\ndrain = 0.2\n[bridge.source.tickets]\nin_flight = 5\n\n[workspace]"
    bridge.edit("fig.toml", "[workspace]", limits)
    bridge.behave("hang")
    bridge.process = bridge.bridge()
    bridge.tickets(20)
    wait(lambda: bridge.process.source()["in_flight"] == 5, "what has room is in hand")
    bridge.edit("fig.toml", "in_flight = 5", "in_flight = 12\nat_once = 30\nshare = 3")
    done = bridge.fig("bridge", "reload", "--json")
    assert done.json()["reload"]["changes"] == ["settings of the bridge"]
    wait(lambda: bridge.process.source()["in_flight"] == 12, "there is more room at once")
    source = bridge.process.source()
    assert (source["received"], source["done"], source["retried"]) == (12, 0, 0)
    begun = [line for line in bridge.process.printed if '"event":"source"' in line]
    assert len(begun) == 1, "nothing was drained, and opened again, for it"


WRONG = {
    "an option of an adapter": ("fig.toml", 'table   = "tickets"', 'table = "tickets"\nbatch = 0'),
    "a mapping": ("acl/ticket_row.toml", 'as = "integer"', 'as = "whole"'),
    "an operation": ("operations/ticket.triage@1.toml", "effect", "efect"),
    "a limit": ("fig.toml", "[workspace]", "[bridge.source.tickets]\nat_once = 0\n[workspace]"),
    "a replacement": ("fig.toml", ":Scripted", ":Nothing"),
}


def test_a_wrong_file_changes_nothing_and_says_so(desk, wait):
    desk.install()
    process = desk.bridge()
    for number, what in enumerate(WRONG, 1):
        file, old, new = WRONG[what]
        desk.edit(file, old, new)
        done = desk.fig("bridge", "reload")
        assert done.status == 3, what
        assert "nothing is changed" in done.err
        assert process.said().count("reload refused") == number
        refused = json.loads([line for line in process.printed if '"refused"' in line][-1])
        assert refused["place"]
        assert refused["place"] in desk.fig("bridge", "status").out
        assert process.status()["reload"]["exit_status"] == 3
        desk.tickets(1)
        wait(lambda: desk.waiting() == 0, "it goes on as before")
        desk.edit(file, new, old)
    assert desk.fig("bridge", "reload").status == 0
    assert process.status()["reload"]["ok"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '[workspace]\nname  = "helpdesk"',
            '[workspace]\nname = "helpdesk"\nstore_password = "env:P"',
        ),
        ("[workspace]", '[bridge]\nhealth = "127.0.0.1:1"\n[workspace]'),
        ('listen = "127.0.0.1:0"', 'listen = "127.0.0.1:1"'),
        ("[facade.soap]", '[facade.more]\nlisten = "127.0.0.1:0"\n[facade.soap]'),
    ],
    ids=["store", "probes", "facade", "another facade"],
)
def test_what_needs_a_restart_is_refused_and_says_restart(desk, old, new):
    process = desk.start("up")
    desk.edit("fig.toml", old, new)
    process.process.send_signal(signal.SIGHUP)
    assert "restart the process" in process.event("refused")["remedy"]
    assert process.facade.triage("refund me").status == 200


def test_a_facade_is_swapped_under_a_connection_that_stays(desk):
    """Between two requests of one connection; the listening address is the same."""
    process = desk.start("up")
    url = process.facade.url
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)

    def post():
        body = b"<no xml " + b"x" * 2_000
        connection.request("POST", url.path, body, {"Content-Type": "text/xml"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def stays():
        connection.request("GET", f"{url.path}?wsdl")
        answer = connection.getresponse()
        assert answer.read()
        return connection.sock.getsockname()[1]

    port = stays()
    assert post() == 500
    port = stays()
    desk.edit("fig.toml", "[facade.soap]", "[facade.soap]\nmax_body = 1000")
    process.process.send_signal(signal.SIGHUP)
    assert process.event("reloaded")
    assert stays() == port
    assert post() == 413
    connection.close()


def test_a_call_under_way_gets_its_answer_from_what_it_began_with(desk, wait):
    """The replacement that answers it is taken out of fig.toml meanwhile."""
    import threading

    desk.at("live")
    desk.edit("fig.toml", "deadline = 0.4", "deadline = 20")
    process = desk.start("up").with_model()
    desk.behave("slow")
    answers = []
    call = threading.Thread(
        target=lambda: answers.append(process.facade.triage("refund", "C-slow"))
    )
    call.start()
    wait((desk.root / "asked").exists, "the replacement is being asked")
    desk.edit("fig.toml", "deadline = 20", "deadline = 19")
    process.process.send_signal(signal.SIGHUP)
    assert process.event("reloaded")["changes"] == ["replacement triage: changed"]
    call.join(30)
    assert b"C10" in answers[0].body
    (line,) = desk.lines_of("C-slow")
    assert line.line.data["served_by"] == "replacement"
    desk.behave("answer")
    wait(lambda: b"C10" in process.facade.triage("refund", "C-after").body, "the new one serves")


def test_nothing_to_reload_is_said(desk):
    done = desk.fig("bridge", "reload")
    assert done.status == 1
    assert "no process of this workspace runs on this machine" in done.err


def test_many_at_once_reload_and_each_answers(desk):
    desk.install()
    running = {desk.bridge().pid, desk.start("serve").pid}
    done = desk.fig("bridge", "reload", "--json")
    assert done.status == 0
    assert {one["pid"] for one in done.lines()} == running
    assert all(json.dumps(one["reload"]["ok"]) == "true" for one in done.lines())
