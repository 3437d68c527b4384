"""The guardrails' tables of ``fig.toml``: what can be said, and what is refused where."""

from __future__ import annotations

import pytest

from stranglerfig import config
from stranglerfig.errors import ConfigError
from stranglerfig.guardrail_settings import Breaker, Errors, Latency, bounds_of

HEAD = """
[workspace]
name = "w"
[legacy.s]
adapter = "tables"
[metrics.prom]
prometheus = "http://127.0.0.1:9090"
[metrics.own]
sql = "postgresql+psycopg://reader@127.0.0.1/own"
password = "env:OWN"
[endpoint.a]
operation = "a@1"
mapping = "m.toml"
listen = { source = "s" }
"""


@pytest.fixture
def read(tmp_path):
    def load(text):
        (tmp_path / "fig.toml").write_text(HEAD + text)
        return config.load(tmp_path).endpoint["a"]

    return load


def test_each_guardrail_is_on_off_or_has_bounds_of_its_own(read) -> None:
    found = read(
        "[endpoint.a.guardrail]\nerrors = false\nmismatch = true\n"
        "latency = { at_most = 3 }\nbreaker = { failures = 9 }\nbudget = { tokens = 5 }\n"
    ).guardrail
    assert bounds_of(found.errors, Errors) is None
    assert bounds_of(found.latency, Latency).at_most == 3
    assert bounds_of(found.breaker, Breaker) == Breaker(failures=9, seconds=60)
    assert found.budget == {"tokens": 5}


def test_a_metric_brings_its_source_with_the_workspace_s_folder(read, tmp_path) -> None:
    found = read(
        "[endpoint.a.guardrail]\n"
        'metrics = [{ name = "q", source = "own", query = "SELECT 1", max = 3 }]\n'
    )
    assert list(found.sources) == ["own"]
    assert (found.sources["own"].root, found.sources["own"].place) == (
        tmp_path,
        "fig.toml: metrics.own",
    )


METRIC = '{{ name = "q", source = "prom", query = "up", {} }}'


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("alpha = 0", "guardrail", "alpha must be above 0"),
        ("margin = 1", "guardrail", "margin must be above 0 and below 1"),
        ("mismatch = { p0 = 0.5, p1 = 0.1 }", "guardrail.mismatch", "p0 must be less"),
        ("latency = { at_most = 0 }", "guardrail.latency", "at_most must be above 0"),
        ("latency = { at_most = 50 }", "guardrail.latency", "between 1/32 and 32"),
        ("breaker = { seconds = -1 }", "guardrail.breaker", "seconds must be above 0"),
        ("breaker = { failurs = 5 }", "guardrail.breaker", "failurs"),
        ("stay = { requests = -1 }", "guardrail.stay", "must not be negative"),
        ("ratio = { alpha = 2 }", "guardrail.ratio", "alpha"),
        ("errors = 5", "guardrail.errors", "bool"),
        ("budget = { cost = -1 }", "guardrail", "budget.cost must not be negative"),
        ("window = 0", "guardrail", "window must be above 0"),
        (f"metrics = [{METRIC.format('every = 5')}]", "guardrail.metrics", "neither min nor max"),
        (f"metrics = [{METRIC.format('min = 5, max = 4')}]", "guardrail.metrics", "min is more"),
        (
            f"metrics = [{METRIC.format('min = 1')}, {METRIC.format('min = 2')}]",
            "guardrail",
            "two metrics have one name",
        ),
        (
            'metrics = [{ name = "q", source = "promm", query = "up", min = 1 }]',
            "guardrail.metrics",
            "no \\[metrics.promm\\]",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(read, text, place, says) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        read(f"[endpoint.a.guardrail]\n{text}\n")
    assert place in error.value.place


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('sql = "sqlite:///x"\nprometheus = "http://x"', "either sql or prometheus"),
        ("timeout = 5", "either sql or prometheus"),
        ('prometheus = "file:///etc/passwd"', "http:// or https://"),
        ('sql = "sqlite:///x"\ntoken = "env:X"', "sql takes a password"),
        ('sql = "sqlite:///x"\ntimeout = 0', "timeout must be above 0"),
    ],
)
def test_a_source_is_one_of_two_kinds(read, text, says) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        read(f"[metrics.bad]\n{text}\n")
    assert "metrics.bad" in error.value.place
