"""Whatever the replacement does, callers are answered: by legacy, and the journal says why."""

from __future__ import annotations

import pytest

TEXT = "I want my money back, please refund the premium of May"


@pytest.fixture(scope="module")
def live(make_desk):
    """An endpoint that is live, and those who call it."""
    desk = make_desk()
    # So many failures would trip the hard breaker, and it is to stay live.
    desk.edit("fig.toml", "{ stay = false }", "{ stay = false, breaker = false }")
    desk.at("live")
    desk.facade = desk.start("serve").with_model().facade
    return desk


@pytest.fixture(scope="module")
def right(live):
    """Legacy's answer, byte for byte."""
    answer = live.legacy.triage(TEXT)
    assert answer.status == 200
    assert b"C10" not in answer.body
    return answer.body


@pytest.mark.parametrize(
    ("behaviour", "reason", "detail"),
    [
        ("raise", "raised", "RuntimeError"),
        ("time out", "raised", "TimeoutError"),
        ("cancel", "raised", "CancelledError"),
        ("hang", "deadline", "0.40 s"),
        ("wrong enum", "contract", "priority"),
        ("missing field", "contract", "category"),
        ("out of range", "contract", "score"),
        ("wrong type", "contract", "category"),
        ("no mapping", "contract", ""),
        ("no payload", "raised", ""),
        ("no reply", "contract", "no reply"),
        ("no code", "contract", "category"),
        ("to another", "contract", "another request"),
        ("abstain", "abstained", "not sure"),
    ],
)
def test_legacy_answers_and_the_journal_says_why(live, right, behaviour, reason, detail):
    customer = f"C-{behaviour}"
    live.behave(behaviour)
    answers = [live.facade.triage(TEXT, customer) for _ in range(2)]
    assert [(one.status, one.body) for one in answers] == [(200, right)] * 2
    live.behave("answer")
    after = live.facade.triage(TEXT, f"{customer} later")
    assert after.status == 200
    assert b"C10" in after.body, "it serves again as soon as its cause is gone"
    for entry in live.lines_of(customer):
        data = entry.line.data
        assert (data["decided"], data["served_by"], data["status"]) == (
            "replacement",
            "legacy",
            "ok",
        )
        assert data["fallback"] == reason
        assert detail in data["detail"]
    (entry,) = live.lines_of(f"{customer} later")
    assert entry.line.data["served_by"] == "replacement"
    assert "fallback" not in entry.line.data


def test_a_mail_that_legacy_refuses_is_refused_as_legacy_does(live, wait):
    """What the mapping cannot take is for legacy to judge."""
    ours, theirs = live.facade.triage(TEXT, "C-bad", "Z"), live.legacy.triage(TEXT, "C-bad", "Z")
    assert (ours.status, ours.body) == (theirs.status, theirs.body) == (500, theirs.body)

    def refused():
        lines = [entry.line.data for entry in live.journal()]
        return [data for data in lines if data["status"] == "fault"]

    wait(refused, "the journal says it")
    assert [(data["fallback"], data["served_by"]) for data in refused()] == [("input", "legacy")]
    assert "channel" in refused()[0]["detail"]


def test_the_log_says_it_too(live, wait):
    live.behave("raise")
    live.facade.triage(TEXT, "C-log")
    live.behave("answer")
    log = live.root / "fig.log"
    wait(lambda: "answered from legacy (raised)" in log.read_text(), "the log says it")
