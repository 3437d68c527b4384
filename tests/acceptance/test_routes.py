"""Moving traffic with ``fig route``: what a person types, and what callers then meet."""

from __future__ import annotations

import time

import pytest

TEXT = "I want my money back, please refund the premium of May"
NAME = "triage-ticket"
GOLDEN = 'compare = ["category"]\ngolden = "golden.csv"\nladder'


def refused(done, status, *words):
    """An error of ours: its status, its parts, nothing on standard output."""
    assert done.status == status, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    return True


@pytest.fixture
def served(desk):
    """A facade, and who answered a customer."""
    desk.process = desk.start("serve")
    desk.facade = desk.process.facade

    def replacement(customer="C-1"):
        answer = desk.facade.triage(TEXT, customer)
        assert answer.status == 200
        return b"C10" in answer.body

    desk.by_replacement = replacement
    return desk


def test_the_whole_way_up_and_back(desk):
    """Each step by hand; the history tells all of it, with who and why."""
    assert desk.route("show")["stage"] == "legacy"
    assert desk.route("advance", NAME, "--why", "to begin")["stage"] == "shadow"
    assert refused(desk.fig("route", "advance", NAME), 5, "guardrail", "50 more requests")
    assert refused(desk.fig("route", "advance", NAME, "--to", "live"), 5, "verdict pass")
    forced = desk.route("advance", NAME, "--force", "--why", "the CEO wants it", "--who", "eve")
    assert (forced["stage"], forced["percent"]) == ("canary", 10.0)
    more = desk.route("advance", NAME, "--percent", "25", "--force")
    assert (more["percent"], more["salt"]) == (25.0, forced["salt"])
    assert refused(desk.fig("route", "advance", NAME, "--percent", "20", "--force"), 5, "rollback")
    assert desk.route("rollback", NAME, "--why", "enough")["stage"] == "shadow"
    assert desk.route("rollback", NAME)["stage"] == "legacy"
    assert refused(desk.fig("route", "rollback", NAME), 5, "not further back")
    done = desk.fig("route", "history", NAME, "--json")
    changes = done.lines()
    assert [one["action"] for one in changes] == ["advance"] * 3 + ["rollback"] * 2
    assert [one["version"] for one in changes] == [1, 2, 3, 4, 5]
    assert (changes[1]["who"], changes[1]["why"]) == ("eve", "the CEO wants it")
    assert changes[1]["evidence"]["verdict"]["outcome"] == "hold"
    assert changes[0]["before"] is None
    assert [one["after"]["version"] for one in changes] == [1, 2, 3, 4, 5]
    text = desk.fig("route", "history", NAME).out
    assert "the CEO wants it" in text
    assert "canary 25 %" in text


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("advance",), ("rollback",), ("pause",), ("resume",), ("kill",), ("history",)],
)
def test_an_endpoint_that_is_not_there(desk, arguments):
    assert refused(desk.fig("route", *arguments, "triage"), 3, "triage-ticket, ticket-opened")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("advance", NAME, "--to", "sideways"), "sideways"),
        (("advance", NAME, "--to", "canary"), "--percent"),
        (("advance", NAME, "--to", "live", "--percent", "5"), "--percent"),
        (("advance", NAME, "--percent", "100"), "100"),
        (("rollback", NAME, "--to", "live"), "live"),
        (("show",), "ENDPOINT"),
        (("explain", NAME), "KEY"),
    ],
)
def test_usage_is_told_apart_from_refusal(desk, arguments, words):
    assert refused(desk.fig("route", *arguments), 2, words)


def test_events_and_latches_refuse(desk):
    assert desk.route("advance", "ticket-opened")["stage"] == "shadow"
    assert refused(desk.fig("route", "advance", "ticket-opened", "--force"), 5, "event")
    assert desk.route("pause", NAME)["paused"] is True
    assert refused(desk.fig("route", "advance", NAME), 5, "is paused", "fig route resume")
    assert refused(desk.fig("route", "deploy", NAME), 5, "is paused")
    assert desk.route("kill", NAME)["killed"] is True
    assert refused(desk.fig("route", "advance", NAME), 5, "is killed")
    listed = {one["endpoint"]: one for one in desk.fig("route", "list", "--json").lines()}
    assert (listed[NAME]["paused"], listed[NAME]["killed"]) == (True, True)
    assert "paused killed" in desk.fig("route", "list").out
    resumed = desk.route("resume", NAME)
    assert (resumed["paused"], resumed["killed"]) == (False, False)
    assert desk.route("advance", NAME)["stage"] == "shadow"


def test_a_canary_is_sticky_and_explained(served, wait):
    served.route("advance", NAME, "--percent", "50", "--force")
    wait(lambda: "canary 50 %" in served.process.said(), "the process has the route")
    served.process.with_model()
    customers = [f"C-{number}" for number in range(40)]
    told = {customer: served.by_replacement(customer) for customer in customers}
    again = {customer: served.by_replacement(customer) for customer in customers}
    assert told == again
    assert 8 <= sum(told.values()) <= 32
    for customer in customers[:2]:
        explained = served.fig("route", "explain", NAME, customer, "--json").json()
        assert (explained["side"] == "replacement") is told[customer]
        assert (explained["canary_from_percent"] <= 50) is told[customer]
    served.route("advance", NAME, "--percent", "80", "--force")
    wait(lambda: "canary 80 %" in served.process.said(), "the process has the route")
    now = {customer: served.by_replacement(customer) for customer in customers}
    assert all(now[customer] for customer in customers if told[customer]), "it keeps those it had"
    assert sum(now.values()) > sum(told.values())


def test_kill_reaches_a_running_process_and_resume_too(served, wait):
    served.at("live")
    wait(served.by_replacement, "it is live")
    served.route("kill", NAME, "--why", "it talks nonsense")
    wait(lambda: not served.by_replacement(), "everything goes to legacy", 10)
    count = len(served.journal())
    assert not served.by_replacement()
    wait(lambda: len(served.journal()) > count, "it has its line")
    entry = served.journal()[-1]
    assert entry.line.data["served_by"] == "legacy"
    assert "fallback" not in entry.line.data, "it was decided, not fallen back on"
    served.route("resume", NAME)
    wait(served.by_replacement, "it is live again", 10)


def test_kill_by_file_works_without_a_store(served, wait):
    served.at("live")
    wait(served.by_replacement, "it is live")
    away = served.root / "away"
    away.mkdir()
    for side in ("fig.db", "fig.db-wal", "fig.db-shm"):
        if (served.root / side).exists():
            (served.root / side).rename(away / side)
    assert refused(served.fig("route", "kill", NAME), 8, "there is no store")
    done = served.fig("route", "kill", NAME, "--file")
    assert done.status == 0
    assert "fig.kill" in done.err
    wait(lambda: "kill file now names: triage-ticket" in served.process.said(), "it was read", 10)
    for side in away.iterdir():
        side.rename(served.root / side.name)
    wait(lambda: "the store is back" in served.process.said(), "the store is back")
    assert not served.by_replacement("C-file"), "the file still holds"
    (served.root / "fig.kill").unlink()
    wait(served.by_replacement, "it is live again", 10)


def test_kill_by_file_of_all(served, wait):
    served.at("live")
    wait(served.by_replacement, "it is live")
    (served.root / "fig.kill").write_text("# at night\n*  # all of them\n", "utf-8")
    wait(lambda: not served.by_replacement(), "everything goes to legacy", 10)


def test_deploy_puts_the_next_revision_in_place_of_the_running_one(served, wait):
    served.at("live")
    wait(served.by_replacement, "it is live")
    before = served.route("show")
    assert refused(served.fig("route", "deploy", NAME), 5, "has this revision already")
    served.newest("0002")
    deployed = served.route("deploy", NAME, "--why", "retrained")
    assert deployed["revision"].startswith("0002.")
    assert deployed["revision"].partition(".")[2] == before["revision"].partition(".")[2]
    served.process.event("replacement", revision="0002")

    def serves_the_new_one():
        served.by_replacement("C-new")
        return any(e.line.revision == deployed["revision"] for e in served.journal())

    wait(serves_the_new_one, "the new revision serves")
    assert served.route("show")["evidence"]["counts"]["legacy"] == 0


def test_a_revision_that_is_worse_is_taken_back_by_the_running_process(desk, wait):
    """Golden labels say that legacy is right each time: the guardrail needs no person."""
    texts = [f"please refund my premium number {number}" for number in range(12)]
    rows = "".join(f"{text},refund\n" for text in texts)
    (desk.root / "golden.csv").write_text(f"text,category\n{rows}", "utf-8")
    desk.edit("fig.toml", 'compare     = ["category"]\nladder', GOLDEN)
    desk.at("live")
    process = desk.start("serve")
    wait(lambda: b"C10" in process.facade.triage(TEXT).body, "it is live")
    for number, text in enumerate(texts):
        assert process.facade.triage(text, f"C-{number}").status == 200
    wait(lambda: desk.reader.routes.get(NAME).stage == "shadow", "it is taken back")
    last = desk.fig("route", "history", NAME, "--json").lines()[-1]
    assert (last["action"], last["who"]) == ("take back", "guardrail")
    assert last["evidence"]["verdict"]["outcome"] == "fail"
    assert "worse" in last["why"]
    wait(lambda: "taken back to shadow" in process.said(), "the log says it")
    wait(lambda: b"C10" not in process.facade.triage(texts[0]).body, "legacy answers")


def test_shadow_never_delays_a_caller(served, wait):
    """Each shadow call takes a second; the callers' together take far less than one each."""
    served.edit("fig.toml", "deadline = 0.4", "deadline = 5")
    served.process.stop()
    served.behave("slow")
    served.at("shadow")
    facade = served.start("serve").with_model().facade
    right = served.legacy.triage(TEXT).body
    calls = 16
    began = time.monotonic()
    for number in range(calls):
        assert facade.triage(TEXT, f"C-{number}").body == right
    took = time.monotonic() - began
    assert took < calls / 4, "a caller waited for the shadow"
    wait(lambda: len(served.journal()) == calls, "each call has its line")
    wait(lambda: len(served.journal("comparison")) == calls, "the comparisons come later")
    for entry in served.journal("comparison"):
        assert entry.line.data["winner"] == "open"
        assert entry.line.data["replacement"] == {"category": "quote"}
        assert entry.line.data["legacy"] == {"category": "refund"}
    slow = [entry.line.data["ms"] for entry in served.journal()]
    assert max(slow) < 1000


def test_a_shadow_that_fails_costs_nothing_and_is_told(served, wait):
    served.at("shadow")
    wait(lambda: "triage-ticket: shadow" in served.process.said(), "the process has the route")
    served.process.with_model()
    right = served.legacy.triage(TEXT).body
    for behaviour, reason in (("raise", "raised"), ("hang", "deadline"), ("abstain", "abstained")):
        served.behave(behaviour)
        assert served.facade.triage(TEXT, f"C-{behaviour}").body == right
        wait(
            lambda reason=reason: (
                reason in [entry.line.data["reason"] for entry in served.journal("shadow")]
            ),
            f"the journal says {reason}",
        )
    assert served.journal("comparison") == []


def test_failures_in_a_row_trip_the_hard_breaker_of_the_running_process(desk, wait):
    """Five requests that the replacement fails: legacy answers them, and then everybody."""
    desk.at("live")
    process = desk.start("serve")
    wait(lambda: b"C10" in process.facade.triage(TEXT).body, "it is live")
    desk.behave("raise")
    for _ in range(20):  # one that is sent again and again is one failure
        assert process.facade.triage("the same again", "C-1").status == 200
    for number in range(5):
        assert desk.reader.routes.get(NAME).stage == "live"
        assert process.facade.triage(f"another one {number}", f"C-{number}").status == 200
    wait(lambda: desk.reader.routes.get(NAME).stage == "shadow", "it is taken back", 20)
    last = desk.fig("route", "history", NAME, "--json").lines()[-1]
    assert (last["action"], last["who"]) == ("take back", "guardrail")
    assert "the hard breaker trips" in last["why"]
    shown = desk.fig("evidence", NAME)
    assert shown.status == 0
