"""The document for the change board: whatever the run is, it is written, and all of it is there."""

from __future__ import annotations

import datetime as dt

import lxml.html
import msgspec
import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from stranglerfig.migrations.ports import Met, Waiting
from stranglerfig.migrations.render.blocks import one_line
from stranglerfig.migrations.render.board import document
from stranglerfig.migrations.render.given import Board, Proof, Told
from stranglerfig.migrations.render.html import html
from stranglerfig.migrations.render.markdown import markdown
from stranglerfig.migrations.runbook import Need, Runbook, Step
from stranglerfig.migrations.state import GateState, RunState, StepState
from stranglerfig.model import Route, Stage, Verdict
from stranglerfig.routing.guardrails.course import Point
from stranglerfig.routing.guardrails.differences import Difference, Example
from stranglerfig.routing.guardrails.evidence import Evidence
from stranglerfig.routing.guardrails.forecast import Forecast
from stranglerfig.routing.safety import Safety
from stranglerfig.store.evidence import Counts
from stranglerfig.store.routes import Change
from stranglerfig.store.run import Approval, Run, RunStep
from stranglerfig.tests.migrations.render.boards import BOARDS, Act

AT = 1_790_000_000.0
MEANT = {"html_inline", "html_block", "link_open", "image", "em_open", "s_open"}
ROUTES = {
    "before": {"endpoint": "e", "stage": "canary", "percent": 50.0},
    "after": {"endpoint": "e", "stage": "live"},
}
CHAPTERS = [
    "In short",
    "What can go wrong, and the way back",
    "The steps",
    "The evidence now",
    "Approvals",
    "What has happened",
    "The runbook as it is written",
]


@settings(max_examples=30, deadline=None)
@given(BOARDS)
def test_any_run_is_written_and_no_text_of_it_is_obeyed(board):
    made = document(board)
    page = lxml.html.document_fromstring(html(made))
    tags = {one.tag for one in page.iter()}
    assert not tags & {"script", "img", "a", "b", "iframe", "link", "i", "em"}
    assert not [name for one in page.iter() for name in one.attrib if name.startswith("on")]
    assert [one.text for one in page.iter("h2")] == CHAPTERS
    text = markdown(made)
    found = [
        token
        for one in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        for token in (one, *(one.children or ()))
    ]
    assert not MEANT & {token.type for token in found}
    assert "SECRET" not in text + html(made)


@settings(max_examples=20, deadline=None)
@given(BOARDS)
def test_nothing_that_was_said_is_left_out(board):
    page = lxml.html.document_fromstring(html(document(board)))
    shown = " ".join(page.text_content().split())
    state = board.state
    said = [one.asks for step in state.steps for one in step.gates]
    said += [one.why for step in state.steps for one in step.approvals]
    said += [one.who for one in board.told] + [one.why for one in board.changes]
    said += [one.reason for one in state.waits]
    said += [step.blocked for step in state.steps] + [step.final for step in state.steps]
    assert not [text for text in said if one_line(text) not in shown]


def runbook(*steps):
    return Runbook(
        name="triage",
        endpoint="triage-ticket",
        owner="claims desk",
        steps=steps,
        file="triage.toml",
        text='[runbook]\nendpoint = "triage-ticket"\n',
        digest="ab" * 32,
        why="the desk is slow",
        expires=dt.date(2026, 1, 1),
    )


@pytest.fixture
def board():
    need = Need(name="verdict", gate=Act(text="x"))
    live = Step(
        name="live",
        do="live",
        act=Act(text="<everybody>"),
        needs=(need,),
        undo="freeze",
        timeout=90_000,
        on_timeout="rollback",
        why="the cut-over",
    )
    call = Step(name="tell", do="webhook", act=Act(text="t"))
    approval = Approval(step="live", who="ann", why="I saw it", at=AT - 60)
    record = RunStep(step="live", position=0, state="begun", since=AT, began_at=AT, result=ROUTES)
    states = (
        StepState(
            step=live,
            record=record,
            gates=(
                GateState(name="verdict", asks="the guardrail passes", seen=Met(found="pass")),
                GateState(name="tests", asks="tests are green", seen=None),
                GateState(
                    name="window",
                    asks="by night",
                    seen=Waiting(reason="it is day", missing="3 hours"),
                ),
            ),
            changes=("canary 50 % → live",),
            final="legacy's store is behind",
            approvals=(approval,),
        ),
        StepState(step=call),
    )
    route = Route(endpoint="triage-ticket", stage=Stage.CANARY, percent=50.0, revision="r1")
    run = Run(
        id=7,
        runbook="triage",
        endpoint="triage-ticket",
        digest="ab" * 32,
        text="t",
        state="running",
        version=3,
        who="eve",
        why="tonight",
        at=AT - 3600,
        steps=(record,),
        approvals=(approval,),
    )
    verdict = Verdict(outcome="hold", guardrail="paired", reason="too little evidence")
    counts = Counts(both=8, legacy=1, replacement=1)
    proof = Proof(
        evidence=Evidence(revision="r1", counts=counts, verdict=verdict, verdicts=(verdict,)),
        course=[Point(pairs=n, worse=0.1, not_worse=n / 10) for n in (1, 5, 10)],
        alpha=0.01,
        differences=[
            Difference(
                field="category",
                count=2,
                winners={"legacy": 1},
                examples=[Example(request_id="q", legacy="her name", replacement="his")],
            )
        ],
        looked_at=10,
        forecast=Forecast(),
    )
    return Board(
        workspace="desk",
        state=RunState(
            runbook=runbook(live, call),
            run=run,
            route=route,
            steps=states,
            at=AT,
            waits=(Waiting(reason="it is day", missing="3 hours", command="fig x"),),
            command="fig runbook approve triage live",
        ),
        kind="a call at the soap facade; effect read",
        operation="ticket.triage@1",
        effect="read",
        legacy="helpdesk",
        replacement="triage",
        proof=proof,
        changes=[
            Change(
                id=1,
                endpoint="triage-ticket",
                version=1,
                at=AT,
                action="advance",
                who="eve",
                why="go",
                before=None,
                after=route,
                evidence={"verdict": {"outcome": "pass"}},
            )
        ],
        told=[Told(at=AT, action="begin", who="eve", why="tonight")],
        stale=True,
    )


def test_it_says_what_a_board_asks(board):
    text = markdown(document(board))
    for said in (
        "the desk is slow",
        "claims desk",
        "helpdesk → triage",
        "**that is past**",
        "canary 50 %",
        "number 7, **running** begun 2026-09-21 13:13:20 UTC by eve: tonight",
        "0 of 2 done",
        "`fig runbook approve triage live`",
        "> **Mind:** The file is not what the run was begun with.",
        "it is day. Missing: 3 hours. `fig x`",
        "> **Mind:** These steps are not simply taken back:",
        "**live:** legacy's store is behind. Instead of undoing it the route and the run are frozen",
        "**tell:** tells another system",
        "**live** after 25 h: legacy answers again, and the run waits for somebody",
        "`fig route kill triage-ticket`",
        'live: text = "\\<everybody\\>"',
        "| **verdict** | the guardrail passes | **open** | pass |",
        "| **window** | by night | **waits** | it is day; missing: 3 hours |",
        "| **tests** | tests are green | not looked at |",
        "- canary 50 % → live",
        "All guardrails together: **hold** too little evidence",
        "| both sides right, or agreed | 8 | 80.0% |",
        "| 10 | 0.10 | 1.00 |",
        "| category | 2 | legacy 1 |",
        "| **live** | ann | 2026-09-21 14:12:20 UTC | I saw it |",
        "| 1 | 2026-09-21 14:13:20 UTC | advance: canary 50 % | eve | **pass** | go |",
        'endpoint = "triage-ticket"',
    ):
        assert said in text, said
    assert "| **Came to** | canary 50 % → live |" in text
    assert "her name" not in text, "values of requests stay here"


def test_html_needs_nothing_else_and_forbids_it(board):
    text = html(document(board))
    page = lxml.html.document_fromstring(text)
    assert text.startswith("<!DOCTYPE html>")
    policy = page.find(".//meta[@http-equiv]").get("content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "@media print" in text
    assert len(page.findall(".//svg")) == 1
    assert len(page.findall(".//p[@class='warns']")) == 2


def test_where_going_back_would_lose_what_was_written_nobody_overlooks_it(board):
    says = "not now: 3 writes not yet copied to legacy"
    lost = msgspec.structs.replace(board, safety=Safety(safe=False, says=says))
    assert f"> **Mind:** Going back is {says}." in markdown(document(lost))


def test_before_a_run_it_is_a_plan(board):
    steps = tuple(
        msgspec.structs.replace(one, record=None, approvals=()) for one in board.state.steps
    )
    state = msgspec.structs.replace(board.state, run=None, steps=steps)
    plain = msgspec.structs.replace(
        board, state=state, told=(), changes=(), proof=None, stale=False
    )
    text = markdown(document(plain))
    assert "not begun" in text
    assert "Nobody has approved anything yet" in text
    assert "Nothing has been compared yet" in text
    assert "It stands at legacy, and was never changed" in text
    assert "Mind:** The file" not in text


def test_of_a_long_history_the_newest_is_told_and_where_the_rest_is(board):
    told = [Told(at=AT + number, action=f"act{number}", who="eve") for number in range(203)]
    text = markdown(document(msgspec.structs.replace(board, told=told)))
    assert "act2 " not in text
    assert "act3 " in text
    assert "act202 " in text
    assert "3 older ones stand in `fig journal --kind run`" in text


def test_a_day_that_no_calendar_has_is_a_dash(board):
    told = [Told(at=at, action="begin", who="eve") for at in (-1e300, float("inf"), float("nan"))]
    text = markdown(document(msgspec.structs.replace(board, told=told)))
    assert text.count("| - | begin | eve | - |") == 3
