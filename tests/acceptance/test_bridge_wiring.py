"""What the rooms below do, asked of a whole bridge: replays, guards, what is sent."""

from __future__ import annotations

import re

WINNERS = ("both", "legacy", "replacement", "neither", "open")


def taken(desk):
    return [one.line.data["key"] for one in desk.journal(endpoint="ticket-opened")]


def counted(process, name, **labels):
    """Read a figure; 0 where it is not there."""
    wanted = ",".join(f'{label}="{value}"' for label, value in labels.items())
    found = re.search(
        rf"^fig_{name}{{{re.escape(wanted)}}} (\S+)$", process.probe("/metrics")[1], re.MULTILINE
    )
    return float(found[1]) if found else 0.0


def test_a_dead_letter_is_replayed_once_its_mapping_is_mended(any_desk, wait):
    desk = any_desk
    desk.edit("acl/ticket_row.toml", ', A = "app"', "")
    desk.install()
    desk.at("shadow", "ticket-opened")
    process = desk.bridge()
    desk.sql("INSERT INTO tickets VALUES (NULL, 'C-1', 'A', 'x', 'C10', 2, '1', '20260101', 'O')")
    wait(desk.reader.dead_letters.count, "it is dead")
    wait(lambda: process.status()["waiting"]["dead"] == 1, "and counted")
    desk.edit("acl/ticket_row.toml", 'W = "web"', 'W = "web", A = "app"')
    assert desk.fig("bridge", "reload").status == 0
    (letter,) = desk.reader.dead_letters.read()
    for _ in range(2):
        done = desk.fig("dead", "replay", str(letter.id))
        assert done.status in (0, 4), done.err  # 4: it is being replayed
    wait(lambda: taken(desk) == ["C-1"], "it is taken under its old id")
    wait(lambda: process.status()["waiting"]["dead"] == 0, "nobody need decide on it any more")
    wait(lambda: desk.waiting() == 0, "and its source knows")
    assert taken(desk) == ["C-1"], "twice is once"


def test_guards_come_by_a_reload_and_are_counted(desk, wait):
    desk.install()
    desk.at("shadow", "ticket-opened")
    process = desk.bridge()
    desk.edit(
        "fig.toml",
        "# -- what we serve",
        "[replacement.triage.retry]\nattempts = 3\nfirst = 0.01\nlongest = 0.02\n# -- what we serve",
    )
    done = desk.fig("bridge", "reload", "--json")
    assert done.json()["reload"]["changes"] == ["guards of triage: changed"]
    desk.behave("hang")
    desk.tickets(1)
    again = {"replacement": "replacement.triage", "guard": "retry"}
    wait(lambda: counted(process, "guards_total", **again) > 0, "it is tried again at once")
    desk.behave("answer")
    wait(lambda: taken(desk) == ["C-1"], "and came through")


def test_counters_of_a_life_are_metrics(desk, wait):
    desk.install()
    desk.at("shadow", "ticket-opened")
    process = desk.bridge()
    desk.tickets(7)
    wait(
        lambda: counted(process, "deliveries_total", source="tickets", outcome="done") == 7,
        "each delivery is counted",
    )
    assert counted(process, "source_in_flight", source="tickets") == 0
    endpoint = {"endpoint": "ticket-opened"}
    assert counted(process, "plan_version", **endpoint) == 1
    pairs = [counted(process, "shadow_pairs_total", **endpoint, winner=one) for one in WINNERS]
    assert sum(pairs) == 7
    judged = {**endpoint, "guardrail": "paired"}
    wait(lambda: counted(process, "e_value_needed", **judged) == 100, "its evidence is looked at")
    assert counted(process, "e_value", **judged) > 0
    desk.route("rollback", "ticket-opened")
    wait(lambda: counted(process, "e_value_needed", **judged) == 0, "nobody judges it any more")
