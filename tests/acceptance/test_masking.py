"""An outside provider in a process of its own: what it is sent, and what callers get back."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from stranglerfig.acl.masking.keys import new_key

TEXT = "Cancel it, I pay from DE89 3704 0044 0532 0130 00. Regards, quote, anna@example.com"
POLICY = '[masking.provider]\npii = { action = "token", scope = "tenant" }\n"pii.text" = "keep"\n'


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    desk.edit("fig.toml", "acceptance.scripted:Scripted", "acceptance.far:Far")
    desk.edit("fig.toml", 'process = "shared"\ndeadline = 0.4', "deadline = 10.0")
    return desk


def sent(desk):
    return (desk.root / "sent.txt").read_text("utf-8").splitlines()


def customers(desk):
    """Give what stood in the place of the customer in all that was sent."""
    return {re.search(r"'customer': '(.*?)'", one)[1] for one in sent(desk)}


def served(desk):
    """Have the replacement answer a customer whose number is the name of a category."""
    serving = desk.start("serve").with_model()
    answers = [serving.facade.triage(TEXT, "quote") for _ in range(2)]
    serving.stop()
    assert [one.status for one in answers] == [200, 200]
    assert all(b"C10" in one.body for one in answers), "its token became the value again"


def test_it_is_sent_tokens_and_its_answer_comes_back_whole(desk):
    desk.at("live")
    served(desk)
    requests = sent(desk)
    assert len(requests) == 2
    for one in requests:
        assert "Cancel it, I pay from ⟦iban:" in one
        assert "Regards, ⟦id:" in one
        for hidden in ("DE89", "0130 00", "anna@", "quote", "<tns:", "TriageTicket"):
            assert hidden not in one
    entries = desk.lines_of("quote")
    assert [entry.line.data["served_by"] for entry in entries] == ["replacement"] * 2


def test_an_untagged_text_keeps_everything_from_starting(desk):
    desk.edit(
        "operations/ticket.triage@1.toml",
        'tag         = "none"\ndescription = "How',
        'description = "How',
    )
    done = desk.fig("check", "--json")
    assert done.status == 3
    wrong = [one for one in done.lines() if not one["ok"]]
    assert {one["part"] for one in wrong} >= {"endpoint.triage-ticket"}
    assert wrong[-1]["value"] == "channel"
    assert 'tag = "none"' in wrong[-1]["remedy"]
    started = subprocess.run(
        [sys.executable, "-m", "stranglerfig", "-w", str(desk.root), "serve"],
        env=desk.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 3
    assert "does not leave for an outside provider" in started.stderr


def test_another_policy_is_another_revision(desk):
    before = desk.at("live").revision
    (desk.root / "masking.toml").write_text('[masking.provider]\npii.id = "redact"\n')
    assert desk.route("deploy")["revision"] != before


def test_tokens_of_a_tenant_outlive_the_process_and_the_keys(desk, monkeypatch):
    old, new = new_key(), new_key()
    (desk.root / "masking.toml").write_text(POLICY)
    assert desk.fig("check").status == 3, "it needs keys, and says so"
    desk.env["FIG_MASKING_KEYS"] = old
    monkeypatch.setenv("FIG_MASKING_KEYS", old)
    desk.at("live")
    served(desk)
    desk.env["FIG_MASKING_KEYS"] = f"{new},{old}"
    served(desk)
    assert len(customers(desk)) == 1
    counts = desk.fig("mask", "keys", "--json").lines()
    assert [one["tokens"] for one in counts] == [0, 3]
    assert desk.fig("mask", "rotate", "--json").json() == {"tokens": 3}
    desk.env["FIG_MASKING_KEYS"] = new
    served(desk)
    assert len(customers(desk)) == 1
    assert desk.fig("mask", "forget", "--days", "0", "--json").json() == {"tokens": 3}
    shown = desk.fig("mask", "keys")
    assert new not in shown.out + shown.err


def test_explain_shows_what_would_leave(desk):
    payload = {"customer": "C-1", "channel": "mail", "text": TEXT, "number": 7}
    (desk.root / "p.json").write_text(json.dumps(payload))
    done = desk.fig("mask", "explain", "p.json", "--operation", "ticket.triage@1", "--json")
    assert done.status == 0, done.err
    parts = {one["field"]: one for one in done.lines()}
    assert parts["customer"]["before"] == "C-1"
    assert parts["customer"]["after"].startswith("⟦id:")
    assert parts["text"]["note"] == "searched"
    assert "DE89" not in parts["text"]["after"]
    assert parts["number"]["after"] == "7"
    table = desk.fig("mask", "explain", "p.json", "--operation", "ticket.triage@1", "--for", "log")
    assert "⟦text⟧" in table.out
    assert not (desk.root / "sent.txt").exists()
