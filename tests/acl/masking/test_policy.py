"""The policy's file."""

from __future__ import annotations

import tomllib

import pytest

from stranglerfig.acl.masking.policy import DEFAULT, DESTINATIONS, load_policy, parse_policy
from stranglerfig.errors import ConfigError


def test_without_a_file_the_defaults_hold(tmp_path):
    assert load_policy(tmp_path) is DEFAULT


def test_a_file_says_otherwise_and_more(tmp_path):
    (tmp_path / "masking.toml").write_text(
        """
        [masking]
        keys      = "secrets/masking.keys"
        free_text = ["pii.text", "note"]

        [masking.provider]
        untagged   = "redact"
        pii.id     = { action = "token", scope = "conversation" }
        "pii.name" = "pseudonym"
        secret     = "drop"

        [masking.fixture]
        pii = "keep"
        """
    )
    policy = load_policy(tmp_path)
    assert policy.keys == "secrets/masking.keys"
    assert policy.is_free_text("note.inner")
    assert not policy.is_free_text("notes")
    assert policy.rule("pii.id.old", "provider").scope == "conversation"
    assert policy.rule("pii.name", "provider").action == "pseudonym"
    assert policy.rule("pii.iban", "provider").action == "token"
    assert policy.rule("secret.pin", "provider").action == "drop"
    assert policy.rule("pii.name", "fixture").action == "keep"
    assert policy.rule("secret", "fixture").action == "redact"
    assert policy.of_untagged("provider") == "redact"
    assert policy.of_untagged("fixture") == "redact"
    assert [policy.needs_keys(one) for one in DESTINATIONS] == [True, False, False, False, False]


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_nothing_of_the_defaults_needs_a_key(destination):
    assert not DEFAULT.needs_keys(destination)
    assert DEFAULT.rule("none", destination).action == "keep"
    assert DEFAULT.rule("", destination).action == "redact"
    assert DEFAULT.rule("else.where", destination).action == "redact"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[masks]", "masking.toml: masks", "unknown key"),
        ("masking = 1", "masking.toml: masking", "not a table"),
        ("[masking.providers]", "masking.toml: masking.providers", "unknown key"),
        ("[masking]\nprovider = 1", "masking.toml: masking.provider", "not a table"),
        ("[masking]\nkeys = 1", "masking.toml: masking.keys", "not text"),
        ("[masking]\nfree_text = 'x'", "masking.toml: masking.free_text", "not tags"),
        ("[masking]\nfree_text = ['X Y']", "masking.toml: masking.free_text", "not tags"),
        ("[masking.log]\npii = 'hide'", "masking.toml: masking.log.pii", "not an action"),
        ("[masking.log]\npii.name = 5", "masking.toml: masking.log.pii.name", "not a rule"),
        ("[masking.log]\n'Pii' = 'keep'", "masking.toml: masking.log.Pii", "not a tag"),
        ("[masking.log]\nuntagged = 'hide'", "masking.toml: masking.log.untagged", "not what can"),
        (
            "[masking.provider]\nuntagged = 'keep'",
            "masking.toml: masking.provider.untagged",
            "does not leave",
        ),
        (
            "[masking.log]\npii = { action = 'generalise', band = -1 }",
            "masking.toml: masking.log.pii.band",
            "not a width",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_key(tmp_path, text, place, message):
    (tmp_path / "masking.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_policy(tmp_path)
    assert caught.value.place == place


def test_quoted_and_nested_tags_say_the_same():
    quoted = tomllib.loads('"pii.name" = "drop"\n"pii.id" = "keep"')
    nested = tomllib.loads('pii.name = "drop"\npii.id = "keep"')
    one = parse_policy({"log": quoted}, "m")
    assert one == parse_policy({"log": nested}, "m")
