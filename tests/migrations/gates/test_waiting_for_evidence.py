"""Gates on what is known: the verdict, time and samples, people, processes, a file."""

from __future__ import annotations

import os
import socket

import pytest

from stranglerfig.errors import ConfigError
from stranglerfig.migrations.ports import Met, Waiting
from stranglerfig.store.measures import Place, Sum
from stranglerfig.store.processes import Processes


def answered(bench, count):
    place = Place("triage", "new.digest", bench.rung())
    bench.store.measures.add(bench.time, sums=[Sum(place, "ms", "replacement", count, 1.0, 1.0)])


@pytest.mark.parametrize(
    ("winners", "says", "command"),
    [
        ({"both": 3}, "hold", "fig evidence triage"),
        ({"legacy": 40}, "fail", "fig route deploy triage"),
    ],
)
def test_the_guardrail_is_waited_for_with_what_is_missing(bench, winners, says, command):
    bench.put("shadow")
    bench.observe(**winners)
    waiting = bench.gate("verdict").look(bench.ctx())
    assert waiting.reason.startswith(f"the guardrail says {says}")
    assert waiting.missing
    assert waiting.command == command


def test_a_guardrail_that_passes_leaves_the_evidence_in_the_run(bench):
    bench.put("shadow")
    bench.observe(both=50, replacement=40)
    met = bench.gate("verdict").look(bench.ctx())
    assert isinstance(met, Met)
    assert met.evidence["counts"]["both"] == 50
    assert met.evidence["verdict"]["outcome"] == "pass"
    one = met.evidence["verdicts"][0]["guardrail"]
    named = bench.gate("verdict", guardrail=one)
    assert isinstance(named.look(bench.ctx()), Met)
    assert named.asks() == f"guardrail {one} passes"


def test_a_guardrail_that_says_nothing_here_is_no_pass(bench):
    bench.put("shadow")
    waiting = bench.gate("verdict", guardrail="latencies").look(bench.ctx())
    assert "says nothing on this rung" in waiting.reason


def test_time_and_samples_and_pairs(bench):
    gate = bench.gate("minimum", time="1h", samples=5, pairs=2)
    assert gate.asks() == "at least 1 h, 5 requests, 2 inputs compared on this rung"
    assert "stands at legacy" in gate.look(bench.ctx()).reason
    bench.put("shadow")
    answered(bench, 5)
    bench.observe(both=2)
    waiting = gate.look(bench.ctx())
    assert waiting.missing == "1 h more on this rung"
    assert waiting.reason.startswith("shadow: 5 requests in 0 s")
    met = bench.gate("minimum", samples=5, pairs=2).look(bench.ctx())
    assert (met.evidence["answered"], met.evidence["pairs"]) == (5, 2)
    assert bench.gate("minimum", samples=6).look(bench.ctx()).missing.startswith("1 more")


def test_what_was_seen_on_another_rung_is_no_sample_of_this_one(bench):
    bench.put("shadow")
    answered(bench, 5)
    bench.put("canary", percent=10.0)
    assert isinstance(bench.gate("minimum", samples=5).look(bench.ctx()), Waiting)


def test_nothing_asked_for_is_no_gate(bench):
    with pytest.raises(ConfigError, match="nothing is asked for"):
        bench.gate("minimum")
    with pytest.raises(ConfigError, match="time is no length"):
        bench.gate("minimum", time="long")


def test_approvals_are_those_of_this_step_by_others(bench):
    gate = bench.gate("approvals", people=2)
    bench.approve("ada", "ben")
    bench.approve("cleo", step="before")
    waiting = gate.look(bench.ctx())
    assert waiting.missing == "1 more person; ada began the run, and does not count"
    assert waiting.command == "fig runbook approve night it"
    bench.approve("cleo")
    assert gate.look(bench.ctx()).evidence == {"approved_by": ["ben", "cleo"]}
    roles = bench.gate("approvals", who=["ben", "eva"], roles={"dba": ["eva"]}, people=2)
    assert roles.asks() == (
        "approved by 2 different people of ben, eva, with one for each of dba; "
        "whoever began the run does not count"
    )
    missing = roles.look(bench.ctx()).missing
    assert "1 more person of ben, eva; one for dba: eva" in missing
    assert "cleo is none of those who count" in missing


def test_a_file_says_go_or_its_absence_does(bench):
    go, hold = bench.gate("file", path="GO"), bench.gate("file", path="HOLD", present=False)
    waiting = go.look(bench.ctx())
    assert waiting.command == f"touch {bench.folder / 'GO'}"
    assert isinstance(hold.look(bench.ctx()), Met)
    (bench.folder / "GO").touch()
    (bench.folder / "HOLD").touch()
    assert isinstance(go.look(bench.ctx()), Met)
    assert hold.look(bench.ctx()).command == f"rm {bench.folder / 'HOLD'}"
    with pytest.raises(ConfigError, match="names no file"):
        bench.gate("file", path="")


def test_every_live_process_has_adopted_the_version(bench):
    version = bench.put("shadow").version
    gate = bench.gate("adopted")
    met = gate.look(bench.ctx())
    assert met.found == f"version {version}: no process serves it now"
    processes = Processes(bench.store.database)
    for name, has in (("one", version), ("two", version - 1)):
        status = {"routes": {"triage": has}, "lease": 60.0}
        host = socket.gethostname()
        processes.beat(name, kind="bridge", host=host, pid=os.getpid(), status=status)
    waiting = gate.look(bench.ctx())
    assert waiting.reason == f"version {version}: adopted by 1 of 2 processes"
    assert waiting.again_after < 1
    processes.leave("two")
    assert isinstance(gate.look(bench.ctx()), Met)


@pytest.mark.parametrize("name", ["verdict", "minimum", "approvals", "file", "adopted", "window"])
def test_looking_at_what_is_known_costs_nothing(bench, name):
    options = {
        "minimum": {"samples": 1},
        "file": {"path": "GO"},
        "window": {"from": "22:00", "to": "05:00", "zone": "UTC"},
    }
    assert bench.gate(name, **options.get(name, {})).costly is False
