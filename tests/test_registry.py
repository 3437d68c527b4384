"""Parts by name, our own and those that a workspace names directly."""

from __future__ import annotations

import pytest

from stranglerfig import registry
from stranglerfig.errors import ConfigError, MissingExtra
from stranglerfig.ports import Caller, Installable, Source


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("adapters", {"soap", "tables"}),
        ("providers", {"local", "rules"}),
        ("converters", {"text", "integer", "decimal", "date", "code"}),
    ],
)
def test_our_own_parts_are_found_as_those_of_others_are(group, names):
    assert names <= set(registry.names(group))
    assert all(callable(registry.find(group, name)) for name in names)


def test_parts_are_what_their_ports_ask_for(tmp_path):
    soap = registry.find("adapters", "soap")
    tables = registry.find("adapters", "tables")
    caller = soap(name="a", options={"address": "http://x/y"}, place="p", root=tmp_path)
    assert isinstance(caller, Caller)
    url = {"url": "sqlite:///x.db", "table": "t"}
    source = tables(name="b", options=url, place="p", root=tmp_path)
    assert isinstance(source, Source)
    assert isinstance(source, Installable)


def test_an_unknown_name_is_told_with_those_there_are():
    with pytest.raises(ConfigError) as refused:
        registry.find("adapters", "soup", place="fig.toml: legacy.claims.adapter")
    assert refused.value.place == "fig.toml: legacy.claims.adapter"
    assert refused.value.value == "'soup'"
    assert refused.value.remedy == "did you mean 'soap'?"
    assert "tables" in refused.value.expected


def test_a_name_like_none_of_them():
    with pytest.raises(ConfigError) as refused:
        registry.find("providers", "zzz")
    assert refused.value.remedy == "mend the name"


def test_a_part_may_be_named_directly():
    assert registry.find("providers", "py:json:loads")("1") == 1


@pytest.mark.parametrize(
    "name", ["py:", "py:json", "py:json:", "py:json:nothing", "py:no.such.module:x", "py::x"]
)
def test_a_direct_name_that_leads_nowhere(name):
    with pytest.raises(ConfigError) as refused:
        registry.find("providers", name, place="fig.toml: x")
    assert refused.value.place == "fig.toml: x"
    assert refused.value.expected == "py:package.module:attribute"


def test_a_missing_package_names_its_extra():
    error = registry.missing("local", ModuleNotFoundError(name="onnxruntime"), "fig.toml: x")
    assert isinstance(error, MissingExtra)
    assert "onnxruntime" in error.message
    assert error.remedy == "pip install 'stranglerfig[local]'"
    assert error.exit_status == 9
