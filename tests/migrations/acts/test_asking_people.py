"""Approvals: how many, of whom, and who does not count."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError, RunbookError
from stranglerfig.migrations.people import People
from stranglerfig.migrations.ports import Waiting

PEOPLE = st.lists(st.sampled_from(["ada", "ben", "cleo", "dan", "eva"]), max_size=8)


def test_a_step_is_approved_by_somebody_else(bench):
    act = bench.act("approve")
    assert act.do(bench.ctx()).missing == "1 more person"
    bench.approve("ada")
    bench.approve("ben", step="before")
    assert "ada began the run" in act.do(bench.ctx()).missing
    bench.approve("cleo")
    assert act.do(bench.ctx()).result == {"approved_by": ["cleo"]}
    assert not act.plan(bench.planned())


def test_whoever_began_it_counts_where_the_step_says_so(bench):
    bench.approve("ada")
    done = bench.act("approve", beginner=True).do(bench.ctx())
    assert done.told == "approved by ada"


def test_of_each_role_somebody(bench):
    act = bench.act("approve", people=2, roles={"owner": ["ben"], "dba": ["eva", "dan"]})
    bench.approve("ben", "cleo")
    assert act.do(bench.ctx()).missing == "one for dba: eva or dan"
    bench.approve("dan")
    assert not isinstance(act.do(bench.ctx()), Waiting)


def test_nobody_is_a_number_that_can_approve(bench):
    with pytest.raises(ConfigError, match=">= 1"):
        bench.act("approve", people=0)


@given(PEOPLE, st.integers(1, 4), st.booleans(), st.sets(st.sampled_from(["ada", "ben", "cleo"])))
def test_it_is_enough_exactly_where_so_many_different_ones_count(approved, wanted, beginner, who):
    people = People(people=wanted, beginner=beginner, who=tuple(sorted(who)))
    count = {one for one in approved if (beginner or one != "ada") and (not who or one in who)}
    assert set(people.counted(approved, "ada")) == count
    assert (people.missing(approved, "ada") == []) == (len(count) >= wanted)


def test_learning_gives_a_revision_and_answers_nobody(bench):
    act = bench.act("learn", file="pairs.csv", columns=["text", "label"])
    with pytest.raises(RunbookError, match="no such file") as refused:
        act.plan(bench.planned())
    assert refused.value.place == "night.toml: step it.with.file"
    file: Path = bench.folder / "pairs.csv"
    file.write_text("text,label\n", "utf-8")
    assert act.plan(bench.planned()) == ("model learns from pairs.csv",)
    done = act.do(bench.ctx())
    assert done.result == {"revision": "learnt.digest"}
    assert bench.parts.learnt == [("triage", file.resolve(), ("text", "label"))]
    assert bench.told == ["learns from pairs.csv: this may take minutes"]
    assert "learnt.digest stays" in act.undo(bench.ctx(), done.result).told
    assert bench.route().version == 0
