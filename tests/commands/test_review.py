"""``fig review``: the queue, its decisions, the judge, and what nobody is shown."""

from __future__ import annotations

import json
import logging
from collections import Counter
from decimal import Decimal
from hashlib import sha256

import pytest
from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.acl.masking.keys import new_key
from stranglerfig.answering import guards, replacements
from stranglerfig.cli import fig
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Request, Route, Stage
from stranglerfig.routing.comparison.compare import compare
from stranglerfig.running.judges import sit_once
from stranglerfig.store import Write
from stranglerfig.telemetry import Counters, log

REVISION = "r1.x"
LEGACY = {"category": "refund", "priority": "normal", "score": Decimal("0.67")}
NEW = {"category": "quote", "priority": "normal", "score": Decimal("0.99")}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)
    upgrade(f"sqlite:///{root / 'fig.db'}")
    with app.store(load(root)) as store:
        route = Route(endpoint="triage-ticket", stage=Stage.SHADOW, revision=REVISION)
        store.routes.put(route, action="t", who="t", why="", evidence={})
    return root


@pytest.fixture
def say(root):
    """Add to a table of fig.toml."""

    def add(text):
        with (root / "fig.toml").open("a") as file:
            file.write("\n" + text)

    return add


@pytest.fixture
def differ(root):
    """Compare as the shadow does, and journal it: one difference for each text."""

    def write(*texts, customer="C-1", new=NEW):
        workspace = load(root)
        counters = Counters()
        pools = replacements(workspace, lambda _: None)
        endpoint = app.endpoints(workspace, {}, pools, guards(workspace, counters))["triage-ticket"]
        with app.store(workspace) as store:
            for text in texts:
                request = Request(
                    id=sha256(text.encode()).hexdigest()[:32],
                    operation="ticket.triage",
                    version=1,
                    source="s",
                    payload={"customer": customer, "channel": "mail", "text": text},
                )
                seen = compare(endpoint, request, revision=REVISION, legacy=LEGACY, replacement=new)
                store.journal.append(Write(observations=(endpoint.journalled(seen),)))

    return write


@pytest.fixture
def logged():
    """Collect warnings as text, whatever other tests made of the logger."""
    seen = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: seen.append(record.getMessage())
    log.addHandler(handler)
    yield seen
    log.removeHandler(handler)


@pytest.fixture
def clear(say, monkeypatch):
    """Let reviewers, and the judge behind its door, see what customers wrote."""
    say('[endpoint.triage-ticket.adjudication.review]\nclear = ["pii.text"]\n')
    monkeypatch.setenv("FIG_MASKING_KEYS", new_key())


@pytest.fixture
def run(root):
    def call(*arguments, keys="", status=0):
        command = ["-w", str(root), "review", "triage-ticket", *map(str, arguments)]
        result = CliRunner().invoke(fig, command, input=keys)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return call


def counts(root):
    with app.store(load(root)) as store:
        found = store.evidence.counts("triage-ticket", REVISION)
        return {name: n for name in found.__struct_fields__ if (n := getattr(found, name))}


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def letter(one, category):
    return "a" if one["a"]["category"] == category else "b"


def test_walks_the_queue_and_goes_on_where_it_stopped(root, clear, differ, run):
    differ("first", "second", "third")
    said = run("--reviewer", "ann", keys="a they had paid\nskip\nq\n").stdout
    assert "1 of 3" in said
    assert "first" in said
    assert "1 reviewed by ann, 1 of them decided, 2 left" in said
    assert sum(counts(root).values()) == 3
    assert counts(root)["open"] == 2
    said = run("--reviewer", "ann", keys="nonsense\nboth\nn\n").stdout
    assert "1 of 2" in said
    assert "first" not in said
    assert counts(root)["both"] == counts(root)["neither"] == 1
    assert "nothing waits for ann" in run("--reviewer", "ann").stdout
    with app.store(load(root)) as store:
        (note,) = [e.line.data["note"] for e in store.journal.read(kinds=["review"])][:1]
    assert note == "they had paid"


def test_nobody_is_told_which_side_is_which_and_each_sees_it_the_same_again(root, differ, run):
    differ(*(f"text {n}" for n in range(12)))
    ann, again = (rows(run("--reviewer", "ann", "--json")) for _ in range(2))
    assert ann == again
    bob = rows(run("--reviewer", "bob", "--json"))
    letters = [[letter(one, "quote") for one in told] for told in (ann, bob)]
    assert letters[0] != letters[1]
    assert {*letters[0]} == {*letters[1]} == {"a", "b"}
    shown = run("--reviewer", "ann", keys="q\n").stdout
    for text in (shown, json.dumps(ann)):
        assert not {"legacy", "replacement"} & {*text.lower().replace('"', " ").split()}


def test_two_agree_a_third_settles_and_agreement_is_told(root, say, differ, run):
    say("[endpoint.triage-ticket.adjudication.review]\nagreeing = 2\n")
    differ("one", "two")

    def decide(who, *wanted):
        told = rows(run("--reviewer", who, "--json"))
        keys = "".join(f"{letter(one, w)}\n" for one, w in zip(told, wanted, strict=True))
        run("--reviewer", who, keys=keys)

    decide("ann", "quote", "quote")
    assert counts(root) == {"open": 2}
    decide("bob", "quote", "refund")
    assert counts(root) == {"open": 1, "replacement": 1}
    told = json.loads(run("--stats", "--json").stdout)
    assert (told["waiting"], told["shared"], told["same"]) == (1, 2, 1)
    assert told["reviews"] == {"ann": 2, "bob": 2}
    decide("cid", "refund")
    assert counts(root) == {"legacy": 1, "replacement": 1}
    text = run("--stats").stdout
    assert "Krippendorff's alpha" in text
    with app.store(load(root)) as store:
        store.evidence.rebuild()
    assert counts(root) == {"legacy": 1, "replacement": 1}


def test_decisions_come_back_from_a_sheet(root, differ, run, tmp_path):
    differ("one", "two", "three")
    told = rows(run("--reviewer", "ann", "--json"))
    sheet = tmp_path / "decided.csv"
    lines = [f"{one['unit']},{letter(one, 'quote')},seen,ann" for one in told[:2]]
    empty = f"{told[2]['unit']},,,"
    sheet.write_text("\n".join(["unit,choice,note,reviewer", *lines, empty]))
    assert "2 taken, 2 decided" in run("--import", sheet, "--reviewer", "bob").stdout
    assert counts(root) == {"replacement": 2, "open": 1}
    more = tmp_path / "decided.jsonl"
    more.write_text(json.dumps({"unit": told[2]["unit"], "choice": letter(told[2], "refund")}))
    assert json.loads(run("--import", more, "--reviewer", "ann", "--json").stdout)["taken"] == 1
    assert counts(root) == {"replacement": 2, "legacy": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unit,choice\nnone,a\n", "no such item"),
        ("unit,what\n", "not a file of decisions"),
        ("unit,choice\n{unit},legacy\n", "not an answer"),
    ],
)
def test_a_sheet_with_a_mistake_changes_nothing(root, differ, run, tmp_path, text, words):
    differ("one", "two")
    unit = rows(run("--json"))[0]["unit"]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(text.replace("{unit}", unit))
    found = run("--import", sheet, status=1)
    assert words in str(found.exception)
    assert counts(root) == {"open": 2}


def files_of(root):
    return b"".join(file.read_bytes() for file in root.iterdir() if file.name.startswith("fig.db"))


def test_nobody_sees_what_the_journal_may_not_hold(root, differ, run):
    differ("my name is in the text", customer="C-77123")
    request = rows(run("--json"))[0]["request"]
    assert request == {"customer": "⟦id⟧", "channel": "mail", "text": "⟦text⟧"}
    assert b"C-77123" not in files_of(root)
    assert b"my name is" not in files_of(root)


def test_what_reviewers_may_see_is_sealed_and_only_the_keys_open_it(
    root, say, differ, run, monkeypatch
):
    say('[endpoint.triage-ticket.adjudication.review]\nclear = ["pii"]\n')
    monkeypatch.setenv("FIG_MASKING_KEYS", new_key())
    differ("hello", customer="C-77123")
    assert rows(run("--json"))[0]["request"]["customer"] == "C-77123"
    assert b"C-77123" not in files_of(root)
    monkeypatch.setenv("FIG_MASKING_KEYS", new_key())
    assert rows(run("--json"))[0]["request"]["customer"] != "C-77123", "another key opens nothing"
    monkeypatch.delenv("FIG_MASKING_KEYS")
    assert "needs a key" in str(run("--json", status=1).exception)
    checked = CliRunner().invoke(fig, ["-w", str(root), "check"])
    assert checked.exit_code != 0
    assert "needs a key" in checked.output


def test_a_request_that_is_not_to_be_kept_is_not(root, say, differ, run):
    say("[endpoint.triage-ticket.adjudication.review]\nrequest = false\n")
    differ("a very secret text")
    assert rows(run("--json"))[0]["request"] is None
    assert b"very secret" not in files_of(root)


JUDGE = """
[replacement.wise]
provider = "py:stranglerfig.tests.commands.wise:Wise"
process  = "shared"

[endpoint.triage-ticket.adjudication.judge]
replacement = "wise"
"""


def test_the_judge_decides_blind_and_its_answer_is_mapped_back(root, clear, say, differ, run):
    say(JUDGE)
    differ(*(f"no {n} is quote" for n in range(8)), *(f"no {n} is refund" for n in range(4)))
    differ("this is other", "who knows: unknown", "quote again", new={**NEW, "category": "other"})
    told = json.loads(run("--judge", "--json").stdout)
    assert (told["asked"], told["decided"], told["unsure"]) == (15, 14, 1)
    assert counts(root) == {"replacement": 9, "legacy": 4, "neither": 1, "open": 1}
    asked = [json.loads(line) for line in (root / "asked").read_text().splitlines()]
    letters = Counter(letter(one["payload"], "refund") for one in asked if one["payload"]["a"])
    assert set(letters) == {"a", "b"}, "now the one side is A, now the other"
    with app.store(load(root)) as store:
        (first, *_) = store.journal.read(kinds=["adjudication"])
        judged = [entry.line.data for entry in store.journal.read(kinds=["judgement"])]
    assert first.line.data["by"] == "judge"
    assert first.line.data["who"].startswith("w1.")
    assert len(judged) == 15
    assert json.loads(run("--judge", "--json").stdout)["asked"] == 0, "nobody is asked twice"


def test_an_outside_judge_gets_what_a_replacement_would_get(root, clear, say, differ, run):
    say(JUDGE)
    differ("call 0171 2345678 or anna@example.org about a quote", customer="C-77123")
    run("--judge")
    asked = (root / "asked").read_text()
    assert "C-77123" not in asked
    assert "anna@example.org" not in asked
    (one,) = [json.loads(line) for line in asked.splitlines()]
    assert one["record"] is None
    assert not one["key"]


def test_the_judge_has_a_budget_and_its_failures_hurt_nobody(root, clear, say, differ, run):
    say(JUDGE + "calls = 3\nsure = 0.7\n")
    differ("one quote", "two is hard")
    assert json.loads(run("--judge", "--json").stdout)["left"] == 1
    assert counts(root) == {"replacement": 1, "open": 1}
    differ("boom", "late quote")
    told = json.loads(run("--judge", "--json").stdout)
    assert (told["asked"], told["failed"], told["left"]) == (1, 1, 0)
    with app.store(load(root)) as store:
        failed = [e.line.data["failed"] for e in store.journal.read(kinds=["judgement"])]
    assert failed[-1]
    assert not any("Anna" in text for text in failed)
    assert json.loads(run("--judge", "--json").stdout)["asked"] == 0


async def test_a_running_process_has_the_judge_sit(root, clear, say, differ, logged):
    workspace = load(root)
    with app.store(workspace) as store:
        await sit_once(workspace, store, "triage-ticket", REVISION)
    assert not (root / "asked").exists(), "nothing stands open, nobody is started"
    say(JUDGE)
    differ("one quote", "two refund")
    workspace = load(root)
    with app.store(workspace) as store:
        await sit_once(workspace, store, "triage-ticket", REVISION)
    assert counts(root) == {"replacement": 1, "legacy": 1}
    differ("three quote")
    (root / "fig.toml").write_text(
        (root / "fig.toml").read_text().replace("commands.wise:Wise", "commands.wise:Gone")
    )
    workspace = load(root)
    with app.store(workspace) as store:
        await sit_once(workspace, store, "triage-ticket", REVISION)
    assert any("the judge cannot sit" in text for text in logged)


def test_the_judge_is_held_against_people(root, clear, say, differ, run):
    say(JUDGE)
    differ("one quote", "two quote", "three refund")
    run("--judge")
    told = rows(run("--second", "--reviewer", "ann", "--json"))
    keys = "".join(f"{letter(one, 'quote')}\n" for one in told)
    run("--second", "--reviewer", "ann", keys=keys)
    said = json.loads(run("--stats", "--json").stdout)
    assert (said["judged"], said["judge_same"]) == (3, 2)
    assert counts(root) == {"replacement": 3}, "people are heard after the judge"


def test_where_people_decide_nothing_there_is_no_queue_for_them(root, say, run):
    say('[endpoint.triage-ticket.adjudication]\norder = ["golden"]\n')
    assert "people decide nothing" in str(run(status=1).exception)
