"""Runbooks, runs and evidence of any kind, for tests of what is drawn of them."""

from __future__ import annotations

import string
from collections.abc import Mapping

import msgspec
from hypothesis import strategies as st

from stranglerfig.migrations.ports import Met, Waiting
from stranglerfig.migrations.render.given import Board, Proof, Told
from stranglerfig.migrations.runbook import Need, Runbook, Step
from stranglerfig.migrations.state import GateState, RunState, StepState
from stranglerfig.model import Data, Route, Stage, Verdict
from stranglerfig.model import Step as Rung
from stranglerfig.routing.guardrails.course import Point
from stranglerfig.routing.guardrails.differences import Difference, Example
from stranglerfig.routing.guardrails.evidence import Evidence
from stranglerfig.routing.guardrails.forecast import Forecast, Missing
from stranglerfig.routing.safety import Safety
from stranglerfig.store.evidence import Counts
from stranglerfig.store.routes import Change
from stranglerfig.store.run import Approval, Run, RunStep

HOSTILE = (
    "<script>alert(1)</script>",
    "</pre></style><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png)",
    "a | b || \\| \\",
    "``` `` ~~~",
    "# h\n---\n",
    "[bold red]rich[/] [link=https://evil.example]x[/link] [/]",
    "nul \x00, bell \x07, esc \x1b[31m, half \ud800, around \u202e",
    "",
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))
NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
TIMES = st.one_of(st.floats(0, 4e9), st.floats(allow_nan=False, allow_infinity=False), st.just(0.0))
MAYBE = st.none() | TIMES
WAITS = st.builds(Waiting, reason=TEXTS, missing=TEXTS, command=TEXTS)
RESULTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=2), max_size=3)
ROUTES = st.builds(
    Route,
    endpoint=NAMES,
    stage=st.sampled_from(Stage),
    percent=st.floats(0, 100),
    data=st.sampled_from(Data),
    revision=TEXTS,
    paused=st.booleans(),
    frozen=st.booleans(),
    killed=st.booleans(),
)


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Options of an act; what is drawn of it never calls it."""

    text: str
    many: tuple[str, ...] = ()
    table: Mapping[str, str] = {}


ACTS = st.builds(
    Act,
    text=TEXTS,
    many=st.lists(TEXTS, max_size=2).map(tuple),
    table=st.dictionaries(TEXTS, TEXTS, max_size=2),
)
NEEDS = st.builds(Need, name=NAMES, gate=ACTS)
STEPS = st.builds(
    Step,
    name=NAMES,
    do=st.sampled_from(("canary", "command", "webhook", "install", "remove")) | TEXTS,
    act=ACTS,
    needs=st.lists(NEEDS, max_size=2).map(tuple),
    undo=st.sampled_from(("act", "keep", "freeze")),
    undo_by=st.none() | ACTS,
    timeout=st.none() | st.floats(0, 1e9),
    on_timeout=st.sampled_from(("fail", "abort", "pause", "rollback", "continue")),
    why=TEXTS,
)
RECORDS = st.builds(
    RunStep,
    step=NAMES,
    position=st.integers(0, 50),
    state=st.sampled_from(("waiting", "begun", "done", "undoing", "undone", "failed", "skipped")),
    since=TIMES,
    attempts=st.integers(0, 5),
    began_at=MAYBE,
    ended_at=MAYBE,
    result=RESULTS,
)
APPROVALS = st.lists(
    st.builds(Approval, step=NAMES, who=TEXTS, why=TEXTS, at=TIMES), max_size=2
).map(tuple)
GATES = st.builds(
    GateState,
    name=NAMES,
    asks=TEXTS,
    seen=st.none() | WAITS | st.builds(Met, found=TEXTS),
    kept=st.booleans(),
)
STATES = st.builds(
    StepState,
    step=STEPS,
    record=st.none() | RECORDS,
    gates=st.lists(GATES, max_size=2).map(tuple),
    changes=st.lists(TEXTS, max_size=2).map(tuple),
    blocked=TEXTS,
    deadline=MAYBE,
    final=TEXTS,
    approvals=APPROVALS,
)
RUNBOOKS = st.builds(
    Runbook,
    name=NAMES,
    endpoint=NAMES,
    owner=TEXTS,
    steps=st.just(()),
    file=TEXTS,
    text=TEXTS,
    digest=st.just("d" * 64),
    why=TEXTS,
    expires=st.none() | st.dates(),
)
RUNS = st.builds(
    Run,
    id=st.integers(1, 99),
    runbook=NAMES,
    endpoint=NAMES,
    digest=st.just("d" * 64),
    text=TEXTS,
    state=st.sampled_from(("running", "paused", "frozen", "done", "aborting", "aborted", "failed")),
    version=st.just(1),
    who=TEXTS,
    why=TEXTS,
    at=st.floats(0, 4e9),
    ended_at=MAYBE,
    said=TEXTS,
)
RUN_STATES = st.builds(
    RunState,
    runbook=RUNBOOKS,
    run=st.none() | RUNS,
    route=ROUTES,
    steps=st.lists(STATES, max_size=4).map(tuple),
    at=st.floats(0, 4e9),
    waits=st.lists(WAITS, max_size=2).map(tuple),
    command=TEXTS,
    holder=TEXTS,
)
VERDICTS = st.builds(
    Verdict,
    outcome=st.sampled_from(("pass", "fail", "hold", "error")),
    guardrail=TEXTS,
    reason=TEXTS,
    missing=TEXTS,
)
NUMBERS = st.integers(0, 1_000)
EVIDENCE = st.builds(
    Evidence,
    revision=TEXTS,
    counts=st.builds(
        Counts,
        both=NUMBERS,
        legacy=NUMBERS,
        replacement=NUMBERS,
        neither=NUMBERS,
        open=NUMBERS,
    ),
    verdict=VERDICTS,
    verdicts=st.lists(VERDICTS, max_size=3).map(tuple),
)
PROOFS = st.builds(
    Proof,
    evidence=EVIDENCE,
    course=st.lists(
        st.builds(
            Point,
            pairs=st.integers(1, 10**6),
            worse=st.floats(-9, 9),
            not_worse=st.floats(-9, 9),
        ),
        max_size=4,
    ),
    alpha=st.floats(1e-6, 0.5),
    differences=st.lists(
        st.builds(
            Difference,
            field=TEXTS,
            count=NUMBERS,
            winners=st.dictionaries(TEXTS, NUMBERS, max_size=2),
            examples=st.just([Example(request_id="r", legacy="SECRET", replacement="SECRET")]),
        ),
        max_size=2,
    ),
    looked_at=NUMBERS,
    forecast=st.builds(
        Forecast,
        missing=st.lists(
            st.builds(Missing, guardrail=TEXTS, missing=TEXTS, seconds=st.none() | NUMBERS),
            max_size=2,
        ).map(tuple),
        seconds=st.none() | NUMBERS,
    ),
    next=st.none() | st.builds(Rung, stage=st.sampled_from(Stage), percent=st.floats(0, 100)),
    times=st.none() | st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)),
)
CHANGES = st.builds(
    Change,
    id=NUMBERS,
    endpoint=NAMES,
    version=NUMBERS,
    at=TIMES,
    action=TEXTS,
    who=TEXTS,
    why=TEXTS,
    before=st.none() | ROUTES,
    after=ROUTES,
    evidence=st.sampled_from(
        ({}, {"verdict": {"outcome": "pass"}}, {"verdict": None}, {"verdict": {"outcome": "<b>"}})
    ),
)
BOARDS = st.builds(
    Board,
    workspace=TEXTS,
    state=RUN_STATES,
    kind=TEXTS,
    operation=TEXTS,
    effect=st.sampled_from(("read", "idempotent", "compensable", "irreversible")),
    legacy=TEXTS,
    replacement=TEXTS,
    proof=st.none() | PROOFS,
    changes=st.lists(CHANGES, max_size=2),
    told=st.lists(
        st.builds(Told, at=TIMES, action=TEXTS, who=TEXTS, why=TEXTS, step=TEXTS, state=TEXTS),
        max_size=2,
    ),
    stale=st.booleans(),
    safety=st.none() | st.builds(Safety, safe=st.booleans(), says=TEXTS),
)
