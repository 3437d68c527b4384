"""``fig.toml``: what is read from it, and that every refusal names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

import stranglerfig
from stranglerfig.config import Guardrail, load
from stranglerfig.errors import ConfigError

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
WHOLE = """
[workspace]
name = "acme"

[legacy.claims]
adapter = "soap"
address = "http://127.0.0.1/claims"

[legacy.rows]
adapter = "tables"

[replacement.model]
provider = "local"
deadline = 1.5
model = "models/triage"

[facade.soap]
listen = "127.0.0.1:8700"

[endpoint.triage]
operation = "claim.triage@1"
listen = { facade = "soap", system = "claims", operation = "Triage" }
mapping = "acl/triage.toml"
legacy = "claims"
replacement = "model"
ladder = [10, 50]
guardrail = { alpha = 0.05 }
"""


@pytest.fixture
def read(tmp_path):
    def write(text):
        (tmp_path / "fig.toml").write_text(text, "utf-8")
        return load(tmp_path)

    return write


def test_reads_the_whole_of_it(read, tmp_path):
    workspace = read(WHOLE)
    assert workspace.name == "acme"
    assert workspace.store_url == f"sqlite:///{tmp_path / 'fig.db'}"
    assert workspace.legacy["claims"].options == {"address": "http://127.0.0.1/claims"}
    assert workspace.replacement["model"].options == {"model": "models/triage"}
    assert workspace.replacement["model"].deadline == 1.5
    assert workspace.replacement["model"].process == "own"
    endpoint = workspace.endpoint["triage"]
    assert endpoint.name == "triage"
    assert endpoint.ladder == (10.0, 50.0)
    assert endpoint.guardrail == Guardrail(alpha=0.05)
    assert workspace.place("endpoint", "triage") == "fig.toml: endpoint.triage"
    assert workspace.path("acl/triage.toml") == tmp_path / "acl" / "triage.toml"


def test_reads_the_example():
    assert set(load(EXAMPLE).endpoint) == {"triage-ticket", "ticket-opened"}


def test_a_file_may_be_named_instead_of_its_folder(read, tmp_path):
    read(WHOLE)
    assert load(tmp_path / "fig.toml").root == tmp_path


@pytest.mark.parametrize(
    ("store", "url"),
    [
        ("sqlite:///deep/fig.db", "sqlite:///{root}/deep/fig.db"),
        ("sqlite:////var/fig.db", "sqlite:////var/fig.db"),
        ("postgresql+psycopg://host/fig", "postgresql+psycopg://host/fig"),
    ],
)
def test_a_relative_store_is_the_workspaces(read, tmp_path, store, url):
    workspace = read(WHOLE.replace('name = "acme"', f'name = "acme"\nstore = "{store}"'))
    assert workspace.store_url == url.format(root=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("[workspace]", "[workspce]", "fig.toml: workspce", "did you mean 'workspace'?"),
        ('name = "acme"', 'nam = "acme"', "fig.toml: workspace.nam", "did you mean 'name'?"),
        ('name = "acme"', "", "fig.toml: workspace", "missing required field `name`"),
        ('name = "acme"', "name = 7", "fig.toml: workspace.name", "Expected `str`"),
        ('listen = "127', 'lisen = "127', "fig.toml: facade.soap.lisen", "mean 'listen'?"),
        ("deadline = 1.5", 'deadline = "soon"', "replacement.model.deadline", "Expected `float`"),
        ("deadline = 1.5", 'process = "other"', "replacement.model.process", "Invalid enum"),
        ('provider = "local"', "", "fig.toml: replacement.model", "`provider`"),
        ('adapter = "soap"', "", "fig.toml: legacy.claims.adapter", "missing or not text"),
        ('adapter = "soap"', "adapter = 1", "fig.toml: legacy.claims.adapter", "not text"),
        ("ladder =", "lader =", "fig.toml: endpoint.triage.lader", "did you mean 'ladder'?"),
        ("[10, 50]", "[50, 10]", "fig.toml: endpoint.triage.ladder", "does not rise"),
        ("[10, 50]", "[10, 10]", "fig.toml: endpoint.triage.ladder", "does not rise"),
        ("[10, 50]", "[0]", "fig.toml: endpoint.triage.ladder", "not a percent"),
        ("[10, 50]", "[100]", "fig.toml: endpoint.triage.ladder", "not a percent"),
        ("[10, 50]", "10", "fig.toml: endpoint.triage.ladder", "Expected `array`"),
        ("alpha =", "alfa =", "fig.toml: endpoint.triage.guardrail", "alfa"),
        ('system = "claims"', 'sistem = "claims"', "fig.toml: endpoint.triage.listen", "sistem"),
        ('facade = "soap"', 'facade = "rest"', "endpoint.triage.listen.facade", "[facade.rest]"),
        ('system = "claims"', 'system = "cls"', "endpoint.triage.listen.system", "[legacy.cls]"),
        ('legacy = "claims"', 'legacy = "no"', "fig.toml: endpoint.triage.legacy", "[legacy.no]"),
        ('= "model"\n', '= "none"\n', "fig.toml: endpoint.triage.replacement", "one of model"),
        ('{ facade = "soap", ', "{ ", "fig.toml: endpoint.triage.listen", "facade or a source"),
        ("{ facade", '{ source = "rows", facade', "endpoint.triage.listen", "facade or a source"),
        ("[legacy.rows]", '[legacy."a b"]', "fig.toml: legacy.a b", "not a name"),
        ("[facade.soap]", "[facade]", "fig.toml: facade.listen", "[facade.listen]"),
        ("[workspace]", "[workspace", "fig.toml", "cannot be read"),
        ('name = "acme"', 'name = "a"\nname = "b"', "fig.toml", "cannot be read"),
    ],
)
def test_every_refusal_names_file_and_key(read, old, new, place, said):
    assert old in WHOLE
    with pytest.raises(ConfigError) as refused:
        read(WHOLE.replace(old, new, 1))
    assert place in refused.value.place
    assert said in str(refused.value)
    assert refused.value.exit_status == 3


def test_a_section_that_is_no_table(read):
    with pytest.raises(ConfigError, match="not a table") as refused:
        read(
            'legacy = "soap"\n' + WHOLE.replace("[legacy.claims]", "[x.claims]").partition("[x")[0]
        )
    assert refused.value.place == "fig.toml: legacy"


def test_a_folder_without_a_workspace(tmp_path):
    with pytest.raises(ConfigError, match="no such file") as refused:
        load(tmp_path)
    assert "fig init" in refused.value.remedy


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "fig.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
