"""``fig mask``: what would leave, and the keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.acl.masking.keys import ENV, ENV_FILE, load_keys, new_key
from stranglerfig.acl.masking.ledger import scope_key
from stranglerfig.app import Masking
from stranglerfig.cli import fig
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.errors import ConfigError, ContractError, FigError
from stranglerfig.migrations.schema.upgrade import upgrade

BODY = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="urn:example:helpdesk">'
    "<s:Body><t:{0}>{1}</t:{0}></s:Body></s:Envelope>"
)
REQUEST = BODY.format(
    "TriageTicket",
    "<t:customer>K-4711</t:customer><t:channel>M</t:channel>"
    "<t:text>K-4711: DE89370400440532013000</t:text>",
)
FIXTURE = f"""
fixture = 1
id = "one"
mapping = "acl/triage_ticket.toml"
[request]
body = '''{REQUEST}'''
"""
ORDER = """
name = "order.check"
version = 1
effect = "read"
[input."lines[].name"]
type = "text"
tag = "pii.name"
[input."lines[].price"]
type = "decimal"
tag = "pii.amount"
[input."tags[]"]
type = "text"
tag = "secret"
[input.more]
type = "json"
tag = "none"
required = false
[input.lost]
type = "text"
tag = "pii.lost"
required = false
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv(ENV, raising=False)
    monkeypatch.delenv(ENV_FILE, raising=False)
    root = tmp_path / "desk"
    copy_example(root)
    (root / "fixtures").mkdir(exist_ok=True)
    (root / "fixtures" / "one.toml").write_text(FIXTURE)
    (root / "operations" / "order.check@1.toml").write_text(ORDER)
    upgrade(load(root).store_url)
    monkeypatch.chdir(root)
    return root


def run(*arguments, error=None):
    done = CliRunner().invoke(fig, ["mask", *arguments])
    if error is not None:
        assert isinstance(done.exception, error), done.output
        return done.exception
    assert done.exit_code == 0, done.exception or done.output
    return done.stdout


def lines(*arguments):
    return {one["field"]: one for one in map(json.loads, run(*arguments, "--json").splitlines())}


@pytest.mark.parametrize("name", ["one", "fixtures/one.toml"])
def test_a_fixture_is_read_by_its_mapping(workspace, name):
    found = lines("explain", name)
    assert found["customer"]["after"].startswith("⟦id:")
    assert found["text"]["before"] == "K-4711: DE89370400440532013000"
    assert found["text"]["after"].startswith(found["customer"]["after"] + ": ⟦iban:")
    assert "number" not in found, "what is not there is not shown"


def test_the_table_shows_both_sides(workspace):
    shown = run("explain", "one", "--for", "log")
    assert "ticket.triage@1 input, for log" in shown
    (line,) = (one for one in shown.splitlines() if one.startswith(" customer"))
    assert line.split() == ["customer", "pii.id", "redact", "K-4711", "⟦id⟧"]


def test_lists_are_shown_entry_by_entry(workspace):
    payload = {
        "lines": [{"name": "Anna", "price": 12.50}, {"name": "Bert", "price": 1}],
        "tags": ["a", "b"],
        "more": {"x": [1]},
        "lost": "x",
    }
    Path("p.json").write_text(json.dumps(payload))
    Path("masking.toml").write_text('[masking.provider]\n"pii.lost" = "drop"\n')
    found = lines("explain", "p.json", "--operation", "order.check@1")
    assert list(found) == [
        *("lines[0].name", "lines[0].price", "lines[1].name", "lines[1].price"),
        *("tags[0]", "tags[1]", "more", "lost"),
    ]
    assert found["lines[0].price"]["before"] == "12.5"
    assert found["lines[1].name"]["after"].startswith("⟦name:")
    assert (found["tags[1]"]["after"], found["more"]["after"]) == ("⟦secret⟧", '{"x":[1]}')
    assert found["lost"]["after"] is None
    assert "nothing" in run("explain", "p.json", "--operation", "order.check@1")


def test_a_toml_file_may_hold_the_payload(workspace):
    text = '[request.payload]\ncustomer = "C"\nchannel = "mail"\ntext = "t"\nopened = 2026-01-02\n'
    Path("p.toml").write_text(text)
    found = lines("explain", "p.toml", "--operation", "ticket.triage@1")
    assert found["opened"]["after"] == "2026-01-02"
    error = run("explain", "p.toml", "--operation", "ticket.triage@1", "--reply", error=ConfigError)
    assert error.place == "p.toml: reply.payload"


def test_wide_tokens_are_shown_and_not_kept(workspace, monkeypatch):
    monkeypatch.setenv(ENV, new_key())
    Path("masking.toml").write_text(
        '[masking.provider]\npii = { action = "token", scope = "tenant" }\n'
    )
    assert lines("explain", "one")["customer"]["after"].startswith("⟦id:")
    assert Masking(load(workspace)).vault().keys() == {}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["none"], ConfigError, "no such fixture"),
        (["none.json", "--operation", "ticket.triage@1"], ConfigError, "cannot be read"),
        (["one", "--reply"], ConfigError, "has no reply"),
        (["bad.json", "--operation", "ticket.triage@1"], ContractError, "is missing"),
        (["bad.json", "--operation", "nothing@1"], ConfigError, "no such file"),
    ],
)
def test_what_cannot_be_explained(workspace, arguments, error, message):
    Path("bad.json").write_text('{"customer": "C"}')
    assert message in str(run("explain", *arguments, error=error))


def test_what_must_not_leave_is_an_error_that_names_it(workspace):
    file = Path("operations/ticket.triage@1.toml")
    file.write_text(file.read_text().replace('tag         = "none"\n', ""))
    error = run("explain", "one", error=ConfigError)
    assert error.value == "channel"
    assert "untagged text does not leave" in error.message


def test_keys_are_made_listed_rotated_and_never_shown(workspace, monkeypatch):
    old, new = run("key").strip(), json.loads(run("key", "--json"))["key"]
    assert "needs a key" in str(run("keys", error=ConfigError))
    monkeypatch.setenv(ENV, old)
    Masking(load(workspace)).vault().tokens("s", [("name", "Anna"), ("name", "Bert")])
    monkeypatch.setenv(ENV, new)
    ids = [load_keys(None, {ENV: one}).first for one in (old, new)]
    shown = run("keys")
    assert "missing: its tokens cannot be read" in shown
    assert all(one in shown for one in ids)
    assert not any(one in shown for one in (old, new))
    assert "no key reads" in str(run("rotate", error=FigError))
    monkeypatch.setenv(ENV, f"{new} {old}")
    assert "2 tokens written anew" in run("rotate")
    assert json.loads(run("rotate", "--json")) == {"tokens": 0}
    listed = [json.loads(line) for line in run("keys", "--json").splitlines()]
    assert [(one["key"], one["tokens"]) for one in listed] == [(ids[1], 2), (ids[0], 0)]


def test_a_conversation_is_forgotten(workspace, monkeypatch):
    monkeypatch.setenv(ENV, new_key())
    vault = Masking(load(workspace)).vault()
    for tenant, talk in (("", "c1"), ("acme", "c1"), ("", "c2")):
        vault.tokens(scope_key("conversation", tenant, talk), [("name", "Anna")])
    assert "1 tokens forgotten" in run("forget", "--conversation", "c1")
    assert "0 tokens" in run("forget", "--conversation", "c1")
    assert json.loads(run("forget", "--conversation", "c1", "--tenant", "acme", "--json")) == {
        "tokens": 1
    }
    assert "0 tokens" in run("forget", "--days", "1")
    assert CliRunner().invoke(fig, ["mask", "forget"]).exit_code == 2
    assert (
        CliRunner().invoke(fig, ["mask", "forget", "--days", "1", "--conversation", "c"]).exit_code
        == 2
    )


def test_fig_check_looks_at_the_policy(workspace):
    def masking():
        done = CliRunner().invoke(fig, ["check", "--json"])
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return next((one for one in found if one["part"] == "masking"), None)

    assert masking() is None
    Path("masking.toml").write_text('[masking.log]\npii = "drop"\n')
    assert masking()["says"] == "needs no keys"
    Path("masking.toml").write_text('[masking.fixture]\npii = "pseudonym"\n')
    assert masking()["place"] == "masking.toml: masking.fixture"
    Path("masking.toml").write_text(
        '[masking]\nkeys = "masking.keys"\n[masking.fixture]\npii = "keep"\n'
    )
    Path("masking.keys").write_text(new_key())
    Path("masking.keys").chmod(0o644)
    assert masking()["value"] == "mode 0644"
    Path("masking.keys").chmod(0o600)
    assert masking()["says"].startswith("1 keys, ")
