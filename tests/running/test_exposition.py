"""What Prometheus reads, by the grammar of its text format."""

import re

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.bridge.status import SourceStatus
from stranglerfig.model import Lag
from stranglerfig.running.exposition import Family, exposition
from stranglerfig.running.metrics import families
from stranglerfig.running.status import ProcessStatus, SourceView
from stranglerfig.store.dual_work import Lag as Apart
from stranglerfig.store.waiting import Waiting
from stranglerfig.telemetry import GAUGES, LABELS, METRICS, Counters

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
PAIR = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({PAIR}(?:,{PAIR})*)\}})? (\S+)")
ESCAPED = {"\\": "\\", '"': '"', "n": "\n"}
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.*)")


def read(text):
    """Read the format as its description has it; fails at whatever does not fit."""
    assert text.endswith("\n") or not text
    found, kinds = {}, {}
    for line in text.split("\n")[:-1]:
        if comment := COMMENT.fullmatch(line):
            kinds.setdefault(comment[2], []).append((comment[1], comment[3]))
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        labels = {
            name: re.sub(r"\\(.)", lambda one: ESCAPED[one[1]], value)
            for name, value in re.findall(PAIR, sample[2] or "")
        }
        key = (sample[1], tuple(sorted(labels.items())))
        assert key not in found, "a series twice"
        assert sample[1] in kinds, "its kind comes first"
        found[key] = float(sample[7])
    return found, kinds


@given(
    st.lists(st.tuples(st.text(), st.floats(allow_nan=False)), unique_by=lambda sample: sample[0])
)
def test_every_text_and_every_number_comes_through(samples):
    family = Family(
        name="fig_x", help="a\nb\\", samples=tuple(({"source": text}, n) for text, n in samples)
    )
    found, kinds = read(exposition([family]))
    assert found == {("fig_x", (("source", text),)): value for text, value in samples}
    assert kinds["fig_x"] == [("HELP", "a\\nb\\\\"), ("TYPE", "gauge")]


def test_labels_have_a_name_for_every_metric():
    assert LABELS.keys() == METRICS.keys()


def test_the_figures_of_a_process():
    counters = Counters()
    counters.add("deliveries", "tickets", "done", by=3)
    counters.add("fallbacks", 'a "b"\\', "store")
    counters.show("triage", {("e_value", "triage", "paired"): 3.5})
    counters.show("other", {("e_value", "other", "paired"): 1.5})
    counters.show("other", {("e_value_needed", "other", "errors"): 100.0})
    view = SourceView(
        status=SourceStatus(
            state="flowing",
            in_flight=2,
            oldest=1.5,
            per_second_10=0.5,
            lag=Lag(pending=9, oldest=4.25, backfill=1),
        )
    )
    status = ProcessStatus(sources={"tickets": view}, ready=True, routes={"triage": 7})
    apart = {"submit": Apart(to_legacy=3, doubts=1, oldest=12.5)}
    waiting = Waiting(dead=4, outgoing=1, outgoing_age=2.0, dual=apart)
    found, kinds = read(
        exposition(families(counters.snapshot(), status, waiting, {"version": "1"}))
    )
    tickets = (("source", "tickets"),)
    assert found["fig_deliveries_total", (("outcome", "done"), *tickets)] == 3
    assert found["fig_fallbacks_total", (("endpoint", 'a "b"\\'), ("reason", "store"))] == 1
    assert found["fig_source_lag_seconds", tickets] == 4.25
    assert found["fig_source_pending", tickets] == 9
    assert found["fig_source_flowing", tickets] == 1
    assert found["fig_dead_letters", ()] == 4
    assert found["fig_outbox_oldest_seconds", ()] == 2
    submit = (("endpoint", "submit"),)
    assert found["fig_dual_write_lag", submit] == 12.5
    assert found["fig_dual_writes_in_doubt", submit] == 1
    assert found["fig_dual_writes_uncopied", (*submit, ("side", "legacy"))] == 3
    assert found["fig_info", (("version", "1"),)] == 1
    assert found["fig_plan_version", (("endpoint", "triage"),)] == 7
    assert found["fig_e_value", (("endpoint", "triage"), ("guardrail", "paired"))] == 3.5
    needed = (("endpoint", "other"), ("guardrail", "errors"))
    assert found["fig_e_value_needed", needed] == 100
    assert len([name for name, _ in found if name == "fig_e_value"]) == 1, "another look, others go"
    assert kinds["fig_e_value"][1] == ("TYPE", "gauge")
    assert {f"fig_{name}" for name in GAUGES} <= kinds.keys()


def test_what_nobody_knows_is_not_told():
    found, _ = read(exposition(families({}, ProcessStatus(), None, {})))
    assert ("fig_dead_letters", ()) not in found
    assert found["fig_ready", ()] == 0
