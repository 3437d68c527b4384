"""From a difference in the shadow to a decision, and each side held against itself."""

from __future__ import annotations

import json
import sys

NAME = "triage-ticket"
COMPARED = 'compare     = ["category"]\nladder'
TEXTS = ("refund me please", "my car was stolen", "I want to complain about it")


def test_a_difference_in_the_shadow_is_decided_by_a_person(desk, wait):
    desk.at("shadow")
    facade = desk.start("serve").with_model().facade
    for number, text in enumerate(TEXTS):
        assert facade.triage(text, f"C-{number}").status == 200
    wait(lambda: len(desk.journal("comparison")) == 3, "all are compared")
    queue = desk.fig("review", NAME, "--json").lines()
    assert len(queue) == 3
    assert all({one["a"]["category"], one["b"]["category"]} > {"quote"} for one in queue)
    first = queue[0]
    letter = "a" if first["a"]["category"] == "quote" else "b"
    (desk.root / "decided.csv").write_text(f"unit,choice\n{first['unit']},{letter}\n")
    done = desk.fig("review", NAME, "--import", "decided.csv")
    assert done.status == 0, done.err
    shown = desk.route("show")
    assert shown["evidence"]["counts"]["replacement"] == 1
    assert shown["evidence"]["counts"]["open"] == 2
    assert desk.broken() == []
    with desk.reader.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM evidence WHERE line > 0")
    desk.reader.evidence.rebuild()
    assert desk.route("show")["evidence"]["counts"] == shown["evidence"]["counts"]


def test_each_side_is_held_against_itself(desk):
    legacy = desk.fig("noise", NAME, "--fixtures", "fixtures", "--side", "legacy", "--json")
    assert legacy.status == 0, legacy.err
    (field,) = legacy.lines()
    assert (field["field"], field["side"], field["state"]) == ("category", "legacy", "quiet")
    assert (field["asked"], field["differs"], field["pairs"], field["raw"]) == (5, 0, 5, 4)
    # What was asked twice once is one observation, whoever asks again.
    again = desk.fig("noise", NAME, "--fixtures", "fixtures", "--side", "legacy", "--json")
    assert again.lines() == legacy.lines()
    rows = [
        {
            "request": {"customer": f"C-{number}", "channel": "mail", "text": text},
            "reply": {"category": "quote", "priority": "low", "score": "0.5"},
        }
        for number, text in enumerate((*TEXTS, TEXTS[0]))
    ]
    rows[3]["request"] = rows[0]["request"]
    (desk.root / "asked.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    done = desk.fig("noise", NAME, "--from", "asked.jsonl")
    assert done.status == 0, done.err
    assert "3 requests were put to the replacement twice; 1 came again" in done.err
    assert [line.data["side"] for line in (e.line for e in desk.journal("noise"))].count(
        "replacement"
    ) == 3


def test_legacy_is_never_asked_to_do_something_twice(desk):
    desk.edit("operations/ticket.triage@1.toml", '"read"', '"idempotent"')
    before = desk.sql("SELECT count(*) FROM tickets")
    done = desk.fig("noise", NAME, "--fixtures", "fixtures", "--side", "legacy")
    assert done.status == 3
    assert "twice" in done.err
    assert "--side replacement" in done.err
    assert desk.sql("SELECT count(*) FROM tickets") == before


def test_a_share_of_the_shadow_is_waited_for(desk):
    desk.edit(
        "fig.toml",
        COMPARED,
        'compare = ["category"]\ncomparison = { noise = { replacement = 100 } }\nladder',
    )
    desk.at("shadow")
    facade = desk.start("serve").with_model().facade
    waiting = desk.run(
        *(sys.executable, "-m", "stranglerfig", "-w", str(desk.root)),
        *("noise", NAME, "--shadow", "2", "--json"),
        log="noise.log",
    )
    while waiting.process.poll() is None:
        assert facade.triage(TEXTS[0], f"C-{len(desk.journal())}").status == 200
    assert waiting.process.returncode == 0, waiting.said()
    done = desk.fig("noise", NAME, "--shadow", "1", "--side", "legacy")
    assert done.status == 3
    assert "comparison.noise.legacy" in done.err


def test_what_does_not_fit_the_operation_is_found_before_anything_starts(desk):
    wrong = 'compare = ["category"]\ncomparison = { ignore = ["catgory"] }\nladder'
    desk.edit("fig.toml", COMPARED, wrong)
    done = desk.fig("check")
    assert done.status == 3
    assert "did you mean 'category'?" in done.err
    assert "endpoint.triage-ticket.comparison.ignore" in done.err


OUTCOME = """
[legacy.rulings]
adapter = "tables"
url     = "sqlite:///legacy/helpdesk.db"
table   = "rulings"
key     = ["customer"]

[endpoint.triage-ticket.outcome]
source  = "rulings"
mapping = "outcomes/ruling.toml"
key     = "customer"
match   = "customer"
"""
RULING = """
operation = "ticket.triage@1"
from = { kind = "row", columns = ["customer", "category", "priority", "score"] }
ignore = { customer = "joined by it" }
reply = [
  { src = "category", dst = "category", as = "text" },
  { src = "priority", dst = "priority", as = "text" },
  { src = "score",    dst = "score",    as = "decimal(2)" },
]
"""


def test_what_legacy_rules_later_decides_what_callers_were_answered(desk, wait):
    desk.sql("CREATE TABLE rulings (customer TEXT PRIMARY KEY, category, priority, score)")
    (desk.root / "outcomes").mkdir()
    (desk.root / "outcomes/ruling.toml").write_text(RULING)
    with (desk.root / "fig.toml").open("a") as file:
        file.write(OUTCOME)
    desk.install()
    installed = desk.fig("adapter", "install", "rulings")
    assert installed.status == 0, installed.err
    desk.at("shadow")
    facade = desk.start("up").with_model().facade
    assert facade.triage(TEXTS[1], "C-9").status == 200
    wait(lambda: desk.journal("comparison"), "the two are compared")
    assert desk.route("show")["evidence"]["counts"]["open"] == 1
    desk.sql("INSERT INTO rulings VALUES ('C-9', 'quote', 'low', '0.90')")
    wait(lambda: desk.journal("adjudication"), "the ruling is joined")
    (told,) = desk.journal("adjudication")
    assert (told.line.data["by"], told.line.data["winner"]) == ("outcome", "replacement")
    counts = desk.route("show")["evidence"]["counts"]
    assert (counts["open"], counts["replacement"]) == (0, 1)
