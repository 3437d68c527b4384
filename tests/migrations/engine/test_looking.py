"""Looks at gates: in their order, and the costly ones only where the others are open."""

from typing import ClassVar

import msgspec
import pytest

from stranglerfig.migrations.looking import look_at
from stranglerfig.migrations.ports import Met, Waiting
from stranglerfig.migrations.runbook import Need


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that notes each look, and answers from a list."""

    name: str
    answers: list[bool]
    seen: list[str]
    costly: ClassVar[bool] = False

    def look(self, ctx):
        assert ctx == "ctx"
        self.seen.append(self.name)
        met = self.answers.pop(0)
        return Met(found=self.name) if met else Waiting(reason=self.name)


class Costly(Said, frozen=True, kw_only=True):
    costly: ClassVar[bool] = True


@pytest.fixture
def look():
    def looked(*gates):
        seen = []
        needs = [
            Need(name=name, gate=kind(name=name, answers=list(answers), seen=seen))
            for kind, name, answers in gates
        ]
        found, waits = look_at(needs, "ctx")
        return seen, [one["found"] for one in found], [one.reason for one in waits]

    return looked


def test_all_cheap_gates_are_looked_at(look):
    gates = ((Said, "a", [False]), (Said, "b", [True]), (Said, "c", [False]))
    assert look(*gates) == (["a", "b", "c"], ["b"], ["a", "c"])


def test_costly_ones_wait_for_the_cheap_ones(look):
    assert look((Costly, "tests", []), (Said, "a", [False])) == (["a"], [], ["a"])


def test_after_the_costly_ones_the_cheap_ones_are_looked_at_again(look):
    gates = ((Costly, "tests", [True]), (Said, "a", [True, True]))
    assert look(*gates) == (["a", "tests", "a"], ["tests", "a"], [])
    closed = ((Costly, "tests", [True]), (Said, "window", [True, False]))
    assert look(*closed)[2] == ["window"]


def test_the_first_costly_one_that_is_shut_is_the_last_to_run(look):
    gates = ((Costly, "tests", [False]), (Costly, "sums", []), (Said, "a", [True]))
    assert look(*gates) == (["a", "tests"], [], ["tests"])


def test_nothing_asked_for_is_open(look):
    assert look() == ([], [], [])
