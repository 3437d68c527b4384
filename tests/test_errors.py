"""The error tree: one root, stable exit statuses, all parts said and none of a secret's kind."""

from __future__ import annotations

import inspect

import pytest

from stranglerfig import errors
from stranglerfig.errors import FigError, MappingError

STATUS = {
    "FigError": 1,
    "ConfigError": 3,
    "InputError": 4,
    "MappingError": 4,
    "ContractError": 4,
    "EnvelopeError": 4,
    "Conflict": 4,
    "RouteError": 5,
    "RouteConflict": 5,
    "LegacyError": 6,
    "LegacyUnavailable": 6,
    "InDoubt": 6,
    "SchemaDrift": 6,
    "ReplacementError": 7,
    "ReplacementUnavailable": 7,
    "Declined": 7,
    "NotAsked": 7,
    "CircuitOpen": 7,
    "DeadlineExceeded": 7,
    "StoreError": 8,
    "StoreUnavailable": 8,
    "Overtaken": 8,
    "MissingExtra": 9,
    "RunbookError": 10,
    "RunConflict": 10,
}


def test_the_tree_is_whole_and_its_statuses_are_stable():
    found = {
        name: kind.exit_status
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, FigError)
    }
    assert found == STATUS
    assert set(errors.__all__) == set(STATUS)


@pytest.mark.parametrize("name", sorted(STATUS))
def test_every_one_says_all_of_its_parts(name):
    kind = getattr(errors, name)
    parts = {"place": "fig.toml: a.b", "value": "7", "expected": "8", "remedy": "mend it"}
    error = kind("is wrong", **parts)
    assert str(error) == "fig.toml: a.b: is wrong; value: 7; expected: 8; remedy: mend it"
    assert error.as_dict() == {"error": name, "message": "is wrong", **parts}
    assert str(kind("is wrong")) == "is wrong"
    assert kind.__doc__


def test_a_mapping_error_holds_each_of_its_problems():
    problems = (FigError("one"), FigError("two"))
    assert MappingError("two problems", problems=problems).problems == problems
    assert MappingError("none").problems == ()


def test_no_two_ways_out_share_what_a_usage_error_uses():
    assert 2 not in STATUS.values()
    assert 0 not in STATUS.values()
