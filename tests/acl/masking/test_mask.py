"""What leaves for whom."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.keys import Keyring
from stranglerfig.acl.masking.ledger import Ledger
from stranglerfig.acl.masking.policy import DEFAULT, parse_policy
from stranglerfig.acl.masking.token import TOKEN
from stranglerfig.acl.masking.unmask import tokens_in, unmask
from stranglerfig.errors import ConfigError

RING = Keyring([b"k" * 32])


def masked(make, fields, payload, destination="provider", table=None, ledger=None):
    policy = DEFAULT if table is None else parse_policy({destination: table}, "masking")
    mask = compile_mask(make(*fields), policy, destination, RING)
    return mask.apply(payload, ledger if ledger is not None else Ledger())


def test_the_default_for_a_provider(make):
    fields = [
        ("name", "text", "pii.name"),
        ("born", "date", "pii.birth"),
        ("password", "text", "secret"),
        ("pin", "integer", "secret.pin"),
        ("channel", "text", "none"),
        ("count", "integer", ""),
    ]
    payload = {
        "name": "Anna",
        "born": dt.date(1984, 5, 1),
        "password": "geheim",
        "pin": 1234,
        "channel": "mail",
        "count": 3,
    }
    found = masked(make, fields, payload)
    assert TOKEN.fullmatch(found["name"])
    assert found["name"].startswith("⟦name:")
    assert found["born"].startswith("⟦birth:")
    assert found["password"] == "⟦secret⟧"
    assert found["pin"] is None
    assert (found["channel"], found["count"]) == ("mail", 3)


@pytest.mark.parametrize("destination", ["provider", "fixture", "log", "trace"])
def test_a_secret_leaves_for_nobody(make, destination):
    fields = [("a", "text", "secret"), ("b", "integer", "secret"), ("c", "json", "secret.key")]
    payload = {"a": "hunter2", "b": 31337, "c": {"x": ["hunter2"]}}
    found = masked(make, fields, payload, destination)
    assert "hunter2" not in repr(found)
    assert "31337" not in repr(found)


def test_an_untagged_text_does_not_leave_for_a_provider(make):
    fields = [("a", "text", ""), ("b", "json", ""), ("c", "bytes", ""), ("d", "integer", "")]
    with pytest.raises(ConfigError) as caught:
        compile_mask(make(*fields), DEFAULT, "provider")
    error = caught.value
    assert error.value == "a, b, c"
    assert error.place == "claim.triage@1 input for provider"
    assert 'tag = "none"' in error.remedy


@pytest.mark.parametrize(
    ("destination", "left"),
    [("fixture", "⟦value⟧"), ("trace", "⟦value⟧"), ("log", "hello"), ("facade", "hello")],
)
def test_an_untagged_text_elsewhere(make, destination, left):
    assert masked(make, [("a", "text", "")], {"a": "hello"}, destination) == {"a": left}


def test_an_untagged_text_may_be_redacted_for_a_provider_but_never_kept(make):
    assert masked(make, [("a", "text", "")], {"a": "x"}, table={"untagged": "redact"}) == {
        "a": "⟦value⟧"
    }
    with pytest.raises(ConfigError, match="does not leave"):
        parse_policy({"provider": {"untagged": "keep"}}, "masking")


@pytest.mark.parametrize("destination", ["provider", "fixture", "log", "trace", "facade"])
def test_a_tag_that_nobody_knows_is_redacted(make, destination):
    policy = DEFAULT
    mask = compile_mask(make(("a", "text", "weird.thing")), policy, destination)
    assert mask.apply({"a": "x"}) == {"a": "⟦thing⟧"}
    assert mask.rows[0].note == "unknown tag"


def test_what_the_contract_does_not_know_does_not_leave(make):
    fields = [("a.b", "text", "none"), ("c[].d", "text", "none")]
    payload = {"a": {"b": "x", "new": "y"}, "c": [{"d": "x", "new": "y"}], "new": {"z": 1}}
    assert masked(make, fields, payload) == {"a": {"b": "x"}, "c": [{"d": "x"}]}


@pytest.mark.parametrize("tag", ["none", ""])
def test_a_value_of_another_type_does_not_leave(make, tag):
    fields = [("n", "integer", tag), ("m", "integer", tag), ("d", "date", tag)]
    payload = {"n": "Anna", "m": {"x": "Anna"}, "d": ["Anna"]}
    assert masked(make, fields, payload) == {"n": None, "m": None, "d": None}
    fields = [("t", "text", "none"), ("u", "text", "none"), ("g.x", "text", "none")]
    payload = {"t": {"x": "Anna"}, "u": 7, "g": "Anna"}
    assert masked(make, fields, payload) == {"t": None, "u": None, "g": None}
    fields = [("l[].x", "text", "none"), ("s[]", "text", "none")]
    assert masked(make, fields, {"l": {"x": "Anna"}, "s": "Anna"}) == {"l": None, "s": None}
    assert masked(make, fields, {"l": ["Anna"], "s": [{"x": 1}, None, "y"]}) == {
        "l": [None],
        "s": [None, None, "y"],
    }


def test_lists_and_groups(make):
    fields = [
        ("customer.name", "text", "pii.name"),
        ("lines[].note", "text", "pii.text"),
        ("lines[].amount", "decimal", "pii.amount"),
        ("tags[]", "text", "pii.tag"),
        ("notes[]", "text", "pii.text"),
    ]
    payload = {
        "customer": {"name": "Anna Meyer"},
        "lines": [{"note": "for Anna Meyer", "amount": Decimal("1.50")}, {"note": None}],
        "tags": ["a-tag", "another"],
        "notes": ["another one", "nothing"],
    }
    ledger = Ledger()
    found = masked(make, fields, payload, ledger=ledger)
    name = found["customer"]["name"]
    assert found["lines"][0]["note"] == f"for {name}"
    assert found["lines"][1] == {"note": None}
    assert found["notes"] == [f"{found['tags'][1]} one", "nothing"]
    assert unmask(found, ledger) == payload


def test_the_same_value_has_the_same_token_and_others_have_others(make):
    fields = [("a", "text", "pii.name"), ("b", "text", "pii.name"), ("c", "text", "pii.id")]
    ledger = Ledger()
    found = masked(make, fields, {"a": "x", "b": "x", "c": "x"}, ledger=ledger)
    assert found["a"] == found["b"] != found["c"]
    other = masked(make, fields, {"a": "x", "b": "x", "c": "x"}, ledger=Ledger())
    assert other["a"] != found["a"], "nothing ties two requests together"


def test_equal_values_of_different_types_stay_apart(make):
    fields = [("a", "integer", "pii.x"), ("b", "decimal", "pii.x"), ("c", "boolean", "pii.x")]
    ledger = Ledger()
    payload = {"a": 1, "b": Decimal("1.00"), "c": True}
    found = masked(make, fields, payload, ledger=ledger)
    assert len(set(found.values())) == 3
    back = unmask(found, ledger)
    assert [type(one) for one in back.values()] == [int, Decimal, bool]
    assert str(back["b"]) == "1.00"


def test_drop_takes_the_key_away(make):
    contract = make(("a", "text", "pii.x"), ("b[]", "text", "pii.x"), required=False)
    policy = parse_policy({"log": {"pii": "drop"}}, "masking")
    mask = compile_mask(contract, policy, "log")
    assert mask.apply({"a": "x", "b": ["y"]}) == {}


def test_a_required_field_cannot_be_dropped(make):
    policy = parse_policy({"provider": {"pii.name": "drop"}}, "masking.toml: masking")
    with pytest.raises(ConfigError, match="the operation requires it") as caught:
        compile_mask(make(("name", "text", "pii.name")), policy, "provider")
    assert caught.value.value == "name"
    assert "pii.name in masking.toml: masking.provider" in caught.value.expected


def test_what_the_file_says_of_a_parent_stands_above_our_defaults():
    policy = parse_policy({"provider": {"pii": "redact"}}, "masking")
    assert policy.rule("pii.text", "provider").action == "redact"
    assert policy.rule("pii.iban", "provider").action == "redact"
    assert policy.rule("pii.text", "facade").action == "keep"


def test_free_text_is_searched_and_only_that(make):
    fields = [("text", "text", "pii.text"), ("note", "text", "none")]
    text = "IBAN DE89370400440532013000"
    found = masked(make, fields, {"text": text, "note": text})
    assert found["note"] == text
    assert "DE89" not in found["text"]
    assert found["text"].startswith("IBAN ⟦iban:")


def test_findings_follow_the_policy_of_their_own_tag(make):
    table = {
        "pii.text": "keep",
        "pii.iban": "redact",
        "pii.email": "drop",
        "pii.phone": {"action": "generalise", "prefix": 4},
        "pii.card": "keep",
        "pii.national": "pseudonym",
    }
    text = "DE89370400440532013000, a@b.de, +49 711 1234567, 4111111111111111, 12345678Z"
    found = masked(make, [("t", "text", "pii.text")], {"t": text}, table=table)["t"]
    assert found.startswith(f"⟦iban⟧, , +49 …, 4111111111111111, ⟦dni~{RING.first}:")


def test_what_a_field_says_is_masked_in_free_text_too(make):
    fields = [
        ("name", "text", "pii.name"),
        ("short", "text", "pii.x"),
        ("text", "text", "pii.text"),
    ]
    payload = {"name": "Anna", "short": "My", "text": "My name is Anna, not Annabell; Anna."}
    found = masked(make, fields, payload)
    assert found["text"] == f"My name is {found['name']}, not Annabell; {found['name']}."


def test_numbers_and_days_of_other_fields_are_masked_in_free_text(make):
    fields = [
        ("number", "integer", "pii.id"),
        ("born", "date", "pii.birth"),
        ("text", "text", "pii.text"),
    ]
    forms = ("1984-05-07", "07.05.1984", "7.5.1984", "07/05/1984", "05/07/1984")
    for form in forms:
        payload = {"number": 471108, "born": dt.date(1984, 5, 7), "text": f"471108, {form}!"}
        ledger = Ledger()
        found = masked(make, fields, payload, ledger=ledger)
        assert re.fullmatch("⟦id:[0-9a-f]+⟧, ⟦birth:[0-9a-f]+⟧!", found["text"])
        assert unmask(found, ledger) == payload


def test_what_is_dropped_is_masked_in_free_text_too(make):
    contract = make(
        ("name", "text", "pii.name"),
        ("more[]", "text", "pii.name"),
        ("text", "text", "pii.text"),
        required=False,
    )
    table = {"pii.name": "drop", "pii.text": "keep"}
    mask = compile_mask(contract, parse_policy({"provider": table}, "masking"), "provider")
    payload = {"name": "Anna", "more": ["Bert", None], "text": "Anna and Bert"}
    assert mask.apply(payload) == {"text": " and "}


def test_a_number_with_the_tag_of_free_text_goes_as_what_that_belongs_to(make):
    found = masked(make, [("n", "integer", "pii.text")], {"n": 5})
    assert TOKEN.fullmatch(found["n"])


def test_pseudonyms_are_stable_by_tenant_tag_and_key(make):
    fields = [("a", "text", "pii.name"), ("b", "text", "pii.id"), ("n", "integer", "pii.n")]
    table = {"pii": "pseudonym"}
    payload = {"a": "Anna", "b": "Anna", "n": 7}
    one = masked(make, fields, payload, "fixture", table, Ledger("acme"))
    again = masked(make, fields, payload, "fixture", table, Ledger("acme"))
    other = masked(make, fields, payload, "fixture", table, Ledger("zeta"))
    assert one == again
    assert one["a"][6:] != one["b"][4:]
    assert all(one[name] != other[name] for name in one)
    assert RING.first in one["a"]
    assert tokens_in(one) == set(), "nothing of it can be taken back"
    policy = parse_policy({"fixture": table}, "masking")
    rotated = Keyring([b"n" * 32, b"k" * 32])
    mask = compile_mask(make(*fields), policy, "fixture", rotated)
    assert rotated.first in mask.apply(payload, Ledger("acme"))["a"]


def test_a_rule_that_needs_keys_says_so_at_load(make):
    policy = parse_policy({"fixture": {"pii": "pseudonym"}}, "masking.toml: masking")
    with pytest.raises(ConfigError, match="needs a key") as caught:
        compile_mask(make(("a", "text", "pii.name")), policy, "fixture")
    assert "FIG_MASKING_KEYS" in caught.value.remedy
    assert caught.value.place == "masking.toml: masking.fixture"


def test_the_digest_changes_with_what_leaves(make):
    contract = make(("a", "text", "pii.name"))
    one = compile_mask(contract, DEFAULT, "provider").digest
    assert compile_mask(contract, DEFAULT, "provider").digest == one
    policy = parse_policy({"provider": {"pii.name": "redact"}}, "masking")
    assert compile_mask(contract, policy, "provider").digest != one


def test_nothing_shows_values_or_keys(make):
    ledger = Ledger()
    mask = compile_mask(make(("a", "text", "pii.name")), DEFAULT, "provider", RING)
    mask.apply({"a": "Anna"}, ledger)
    assert "Anna" not in f"{ledger!r} {mask!r}"
    assert "kkkk" not in f"{RING!r} {mask!r}"
