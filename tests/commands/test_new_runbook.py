"""``fig new runbook``: for an endpoint of any kind it writes a file that loads, plans and is legal."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

import stranglerfig
from stranglerfig import config
from stranglerfig.cli import fig
from stranglerfig.demo.workspace import copy_example
from stranglerfig.errors import RouteError
from stranglerfig.migrations.loader import load
from stranglerfig.model import Data, Route, Stage, Step
from stranglerfig.routing.allowed import check_kind
from stranglerfig.routing.moves import why_not
from stranglerfig.routing.operator import Operator
from stranglerfig.store import Store
from stranglerfig.tests.stores import store_file

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
EFFECTS = ("read", "idempotent", "compensable", "irreversible")
LISTENS = {
    "call": '{ facade = "soap", system = "desk", operation = "TriageTicket" }',
    "event": '{ source = "orders" }',
    "sent": '{ source = "orders" }',
    "late": '{ source = "orders" }',
}
KINDS = (
    *itertools.product(LISTENS, EFFECTS, ("stays", "moves"), ("slow",)),
    *itertools.product(LISTENS, ("read",), ("stays", "moves"), ("brisk",)),
)
NAMES = ["_".join(kind) for kind in KINDS]

HEAD = """
[workspace]
name = "desk"
[legacy.desk]
adapter = "soap"
wsdl    = "desk.wsdl"
address = "http://127.0.0.1:9/desk"
[legacy.orders]
adapter = "tables"
url     = "sqlite:///legacy.db"
table   = "orders"
[legacy.decided]
adapter = "tables"
url     = "sqlite:///legacy.db"
table   = "decided"
[legacy.verdicts]
adapter = "table-sink"
url     = "sqlite:///legacy.db"
table   = "verdicts"
[replacement.clerk]
provider = "rules"
table    = "rules.toml"
[replacement.model]
provider = "local"
model    = "models/triage"
[facade.soap]
listen = "127.0.0.1:0"
"""


def endpoint(listen, effect, data, pace):
    name = f"{listen}_{effect}_{data}_{pace}"
    return "\n".join(
        [
            f"[endpoint.{name}]",
            f'operation   = "ticket.{effect}@1"',
            f"listen      = {LISTENS[listen]}",
            'mapping     = "acl/triage_ticket.toml"',
            'legacy      = "desk"' if listen == "call" else "",
            f'replacement = "{"model" if pace == "brisk" else "clerk"}"',
            'key         = "customer"',
            f'data        = "{data}"',
            "guardrail   = { stay = false }" if pace == "brisk" else "",
            "ladder      = [0.1, 10]" if pace == "brisk" else "",
            'send        = "verdicts"' if listen in {"sent", "late"} else "",
            'outcome     = { source = "decided" }' if listen == "late" else "",
        ]
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("desk")
    shutil.copytree(EXAMPLE / "acl", root / "acl")
    (root / "operations").mkdir()
    text = (EXAMPLE / "operations" / "ticket.triage@1.toml").read_text("utf-8")
    for effect in EFFECTS:
        changed = text.replace('"ticket.triage"', f'"ticket.{effect}"')
        changed = changed.replace('effect      = "read"', f'effect      = "{effect}"')
        (root / "operations" / f"ticket.{effect}@1.toml").write_text(changed, "utf-8")
    with closing(sqlite3.connect(root / "legacy.db")) as legacy:
        for table in ("orders", "decided", "verdicts"):
            legacy.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, text TEXT)")
    (root / "fig.toml").write_text(HEAD + "\n".join(endpoint(*kind) for kind in KINDS), "utf-8")
    store_file(root / "fig.db")
    return root


@pytest.fixture(scope="module")
def workspace(root):
    return config.load(root)


def run(root, *arguments, status=0):
    result = CliRunner().invoke(fig, ["-w", str(root), *arguments])
    assert result.exit_code == status, result.output + str(result.exception)
    return result.output


def made(root, name):
    """Write it, unless a test before did."""
    known = name.replace("_", "-")
    if not (root / "runbooks" / f"{known}.toml").exists():
        run(root, "new", "runbook", name)
    return load(root / "runbooks" / f"{known}.toml")


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_and_plans_as_it_is(root, name):
    runbook = made(root, name)
    assert runbook.endpoint == name
    assert runbook.owner == "claims-desk"
    assert all(step.timeout and step.why for step in runbook.steps)
    planned = json.loads(run(root, "runbook", "plan", runbook.name, "--json"))
    assert [one["name"] for one in planned["steps"]] == [one.name for one in runbook.steps]
    assert not [one["blocked"] for one in planned["steps"] if one["blocked"]]
    assert planned["steps"][0]["state"] == "waiting"


@pytest.mark.parametrize("name", NAMES)
def test_its_steps_lead_from_pair_to_pair_of_the_table(root, workspace, name, tmp_path):
    """Each change of the route is one that an operator is allowed, in that order."""
    runbook = made(root, name)
    listen, effect, data, _ = name.split("_")
    store = Store(store_file(tmp_path / "fig.db"))
    store.open()
    operator = Operator(
        store, workspace.endpoint[name], effect=effect, newest=lambda: "r1", who="t"
    )
    stages = []
    for step in runbook.steps:
        act = step.act
        if step.do == "data":
            assert not why_not(operator.route(), operator.route().stage, Data(act.to), effect)
            operator.move_data(Data(act.to))
        elif step.do in {"shadow", "canary", "live", "retire"}:
            stage = Stage.RETIRED if step.do == "retire" else Stage(step.do)
            operator.advance(Step(stage=stage, percent=getattr(act, "percent", 0.0)), force=True)
            stages.append(stage)
    route = operator.route()
    store.close()
    assert stages[0] is Stage.SHADOW
    if effect == "read" and listen in {"call", "sent", "late"}:
        assert route.stage is Stage.RETIRED
        assert (route.data is Data.REPLACEMENT) is (data == "moves")
    if effect == "irreversible" or listen == "event":
        assert route.stage is Stage.SHADOW


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_as_far_as_its_kind_may_and_no_further(root, workspace, name):
    """Held to the rules that changes of a route are held to, and to nothing else."""
    runbook = made(root, name)
    furthest = {step.do for step in runbook.steps} & {"shadow", "canary", "live", "retire"}
    effect = name.split("_")[1]
    moves = any(step.do == "data" for step in runbook.steps)
    planned = Route(endpoint=name, data=Data.LEGACY_FIRST if moves else Data.NONE)
    try:
        check_kind(workspace.endpoint[name], effect, Step(stage=Stage.LIVE), planned)
    except RouteError:
        assert furthest == {"shadow"}
    else:
        assert furthest == {"shadow", "canary", "live", "retire"}


def needs(runbook, name):
    return [one.name for one in runbook.step(name).needs]


def test_the_first_callers_need_proof_a_day_and_a_person(root):
    runbook = made(root, "call_read_stays_slow")
    assert [one.name for one in runbook.steps] == [
        "record", "shadow", "canary-1", "canary-5", "canary-10", "canary-25", "canary-50",
        "live", "watch", "retire",
    ]  # fmt: skip
    assert needs(runbook, "canary-1") == ["adopted", "verdict", "minimum", "approvals"]
    assert runbook.step("canary-1").needs[2].gate.time == "1d"
    assert needs(runbook, "canary-5") == ["adopted", "verdict", "minimum"]
    assert needs(runbook, "live")[-1] == "approvals"
    assert runbook.step("retire").act.people == 2


def test_where_an_endpoint_asks_for_no_time_its_runbook_asks_for_none(root):
    runbook = made(root, "call_read_stays_brisk")
    assert "canary-0-1" in [one.name for one in runbook.steps]
    for step in runbook.steps:
        for one in step.needs:
            assert getattr(one.gate, "time", 0.0) == 0.0


def test_data_that_moves_is_written_twice_before_anybody_is_served(root):
    runbook = made(root, "call_read_moves_slow")
    names = [one.name for one in runbook.steps]
    assert names.index("both-stores") < names.index("canary-1")
    assert names.index("live") < names.index("turn") < names.index("retire")
    for name in ("canary-1", "live", "turn", "retire"):
        assert {"copied", "no-doubts"} <= set(needs(runbook, name))
    assert runbook.step("retire").undo == "freeze"


def test_a_table_is_captured_first_and_its_history_is_taken(root):
    runbook = made(root, "event_read_stays_slow")
    assert [one.do for one in runbook.steps] == ["install", "shadow", "backfill", "observe"]
    assert needs(runbook, "in-shadow") == ["backfilled"]
    assert runbook.step("history").undo == "keep"


def test_where_outcomes_are_caught_that_is_installed_and_goes_again(root):
    runbook = made(root, "late_read_stays_slow")
    installs = [one.act.system for one in runbook.steps if one.do == "install"]
    removes = [one.act.system for one in runbook.steps if one.do == "remove"]
    assert installs == ["orders", "decided"]
    assert removes == ["decided"], "what is listened to is needed as long as legacy writes"


def test_it_says_why_it_goes_no_further(root):
    made(root, "event_read_stays_slow")
    text = (root / "runbooks" / "event-read-stays-slow.toml").read_text("utf-8")
    said = " ".join(text.replace("\n# ", " ").split())
    assert "goes no further than shadow. Why: is an event, which nobody waits for" in said


def test_a_file_of_examples_makes_it_learn_first(root):
    run(root, "new", "runbook", "call_read_stays_brisk", "--name", "learning", "--learn", "a.csv")
    runbook = load(root / "runbooks" / "learning.toml")
    assert runbook.steps[0].do == "learn"
    assert '# do         = "learn"' in (
        root / "runbooks" / f"{made(root, 'call_read_stays_brisk').name}.toml"
    ).read_text("utf-8")


def test_it_never_writes_over_a_file(root):
    file = root / "runbooks" / "mine.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("ours", "utf-8")
    said = run(root, "new", "runbook", NAMES[0], "--name", "mine", status=1)
    assert said == ""
    assert file.read_text("utf-8") == "ours"


def test_an_endpoint_that_is_not_there_writes_nothing(root):
    before = sorted((root / "runbooks").glob("*")) if (root / "runbooks").exists() else []
    run(root, "new", "runbook", "nobody", status=1)
    after = sorted((root / "runbooks").glob("*")) if (root / "runbooks").exists() else []
    assert before == after


def test_as_json_it_says_what_it_made(root):
    said = json.loads(run(root, "new", "runbook", NAMES[0], "--name", "told", "--json"))
    assert said["runbook"] == "told"
    assert said["steps"][:2] == ["record", "shadow"]
    tables = tomllib.loads(Path(said["file"]).read_text("utf-8"))
    assert [one["name"] for one in tables["step"]] == said["steps"]


def test_the_example_has_what_would_be_written_for_it(tmp_path):
    copy_example(tmp_path)
    store_file(tmp_path / "fig.db")
    file = tmp_path / "runbooks" / "move-triage.toml"
    shipped = file.read_text("utf-8")
    file.unlink()
    run(tmp_path, "new", "runbook", "triage-ticket", "--name", file.stem, "--learn", "learn.csv")
    # An example that is to work for years has no day by which it is to be over.
    dated = re.compile(r"^expires .*\n", re.MULTILINE)
    assert dated.sub("", file.read_text("utf-8")) == shipped
