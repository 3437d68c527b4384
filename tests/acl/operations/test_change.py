"""What changed between two operations, and whom it breaks."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.operations.change import breaks, changes
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.acl.operations.group import Group
from stranglerfig.acl.operations.operation import Operation, parse_operation
from stranglerfig.acl.versions.fits import Stored, check_fixtures

TEXT = """
name = "a.b"
version = {version}
effect = "{effect}"
owner = "{owner}"
{side}
"""
FIELDS = """
[SIDE.id]
type = "text"
max_length = 8
tag = "pii.id"
[SIDE.amount]
type = "decimal"
min = "0.00"
max = "99.99"
unit = "EUR"
[SIDE.kind]
type = "text"
enum = ["a", "b"]
[SIDE.note]
type = "text"
required = false
[SIDE.address]
type = "group"
required = false
[SIDE.address.city]
type = "text"
[SIDE."lines[]"]
type = "group"
min_items = 1
max_items = 9
[SIDE."lines[].count"]
type = "integer"
"""


def parse(fields: str, side: str = "input", *, version: int = 1, effect="idempotent", owner="x"):
    text = TEXT.format(
        version=version, effect=effect, owner=owner, side=fields.replace("SIDE", side)
    )
    return parse_operation(tomllib.loads(text), "a.b@1.toml")


def changed(old: str, new: str) -> str:
    assert old in FIELDS, old
    return FIELDS.replace(old, new, 1)


CASES = [
    # what stands in the file, what then; path, kind, level for an input, level for an output
    ("[SIDE.kind]", '[SIDE.more]\ntype="text"\n[SIDE.kind]', "more", "added", "breaking", "safe"),
    ("[SIDE.kind]", '[SIDE.more]\ntype="text"\nrequired=false\n[SIDE.kind]', "more", "added", "safe", "safe"),
    ("[SIDE.kind]", '[SIDE.more.id]\ntype="text"\n[SIDE.kind]', "more", "added", "breaking", "safe"),
    ("[SIDE.kind]", '[SIDE.more]\ntype="group"\nrequired=false\n[SIDE.more.id]\ntype="text"\n[SIDE.kind]', "more", "added", "safe", "safe"),
    ("[SIDE.kind]", '[SIDE.address.zip]\ntype="text"\n[SIDE.kind]', "address.zip", "added", "breaking", "safe"),
    ('[SIDE.note]\ntype = "text"\nrequired = false\n', "", "note", "removed", "breaking", "warning"),
    ('[SIDE.kind]\ntype = "text"\nenum = ["a", "b"]\n', "", "kind", "removed", "breaking", "breaking"),
    ('type = "integer"', 'type = "decimal"', "lines[].count", "type", "safe", "breaking"),
    ('type = "integer"', 'type = "text"', "lines[].count", "type", "breaking", "breaking"),
    ('type = "integer"', 'type = "integer"\nrequired=false', "lines[].count", "required", "safe", "breaking"),
    ('type = "text"\nrequired = false', 'type = "text"', "note", "required", "breaking", "safe"),
    ('type = "group"\nrequired = false', 'type = "group"', "address", "required", "breaking", "safe"),
    ('"a", "b"', '"a"', "kind", "enum", "breaking", "safe"),
    ('"a", "b"', '"a", "b", "c"', "kind", "enum", "safe", "breaking"),
    ('"a", "b"', '"a", "c"', "kind", "enum", "breaking", "breaking"),
    ('enum = ["a", "b"]', "", "kind", "enum", "safe", "breaking"),
    ('min = "0.00"', 'min = "0.01"', "amount", "min", "breaking", "safe"),
    ('min = "0.00"', "", "amount", "min", "safe", "breaking"),
    ('max = "99.99"', 'max = "100"', "amount", "max", "safe", "breaking"),
    ('max = "99.99"', 'max = "9"', "amount", "max", "breaking", "safe"),
    ("max_length = 8", "max_length = 7", "id", "max_length", "breaking", "safe"),
    ("max_length = 8", "", "id", "max_length", "safe", "breaking"),
    ("min_items = 1", "", "lines[]", "min_items", "safe", "breaking"),
    ("max_items = 9", "max_items = 8", "lines[]", "max_items", "breaking", "safe"),
    ('tag = "pii.id"', "", "id", "tag", "breaking", "breaking"),
    ('tag = "pii.id"', 'tag = "none"', "id", "tag", "breaking", "breaking"),
    ('tag = "pii.id"', 'tag = "pii.name"', "id", "tag", "warning", "warning"),
    ('tag = "pii.id"', 'tag = "secret"', "id", "tag", "safe", "safe"),
    ('unit = "EUR"', 'unit = "cent"', "amount", "unit", "breaking", "breaking"),
    ('unit = "EUR"', "", "amount", "unit", "breaking", "breaking"),
    ('type = "integer"', 'type = "integer"\nunit = "piece"', "lines[].count", "unit", "warning", "warning"),
    ('type = "integer"', 'type = "integer"\ndescription = "How many"', "lines[].count", "told", "safe", "safe"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "path", "kind", "sent", "read"), CASES)
def test_a_change_breaks_who_sends_or_who_reads(old, new, path, kind, sent, read):
    for side, level in (("input", sent), ("output", read)):
        found = changes(parse(FIELDS, side), parse(changed(old, new), side, version=2))
        assert [(one.path, one.kind, one.level, one.side) for one in found] == [
            (path, kind, level, side)
        ]
        assert found[0].why
        assert found[0].old != found[0].new


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("read", "irreversible", "breaking"),
        ("idempotent", "compensable", "breaking"),
        ("compensable", "read", "warning"),
    ],
)
def test_an_effect_that_does_more_breaks(old, new, level):
    found = changes(parse(FIELDS, effect=old), parse(FIELDS, effect=new, version=2))
    assert [(one.kind, one.level, one.old, one.new) for one in found] == [
        ("effect", level, old, new)
    ]


def test_a_version_that_was_not_raised_is_named():
    first = parse(FIELDS)
    assert changes(first, parse(FIELDS)) == []
    broken = changes(first, parse(changed("max_length = 8", "max_length = 7")))
    assert [one.kind for one in broken] == ["max_length", "version-not-raised"]
    assert breaks(first, parse(changed("max_length = 8", "max_length = 7"))) == broken
    safe = changes(first, parse(FIELDS, owner="y"))
    assert [(one.kind, one.level) for one in safe] == [
        ("version-not-raised", "warning"),
        ("told", "safe"),
    ]
    lowered = changes(parse(FIELDS, version=2), parse(FIELDS, version=1))
    assert [one.kind for one in lowered] == ["version-lowered"]


def test_a_field_under_another_name_is_guessed():
    renamed = changed("[SIDE.id]", "[SIDE.customer.id]").replace("kind", "kinds")
    found = {one.path: one for one in changes(parse(FIELDS), parse(renamed, version=2))}
    assert found["id"].hint == "renamed to customer.id?"
    assert found["kind"].hint == "renamed to kinds?"
    assert found["kinds"].hint == "kind under another name?"
    other = changed('[SIDE.note]\ntype = "text"', '[SIDE.notes]\ntype = "date"')
    assert not [one for one in changes(parse(FIELDS), parse(other, version=2)) if one.hint]


def test_another_operation_is_no_version():
    other = parse(FIELDS, version=2)
    named = parse_operation(
        tomllib.loads('name="a.c"\nversion=2\neffect="idempotent"\nowner="x"'), "a.c@2.toml"
    )
    assert "renamed" in [one.kind for one in breaks(other, named)]


# -- random contracts ---------------------------------------------------------------------------

LEAVES = st.one_of(
    st.builds(
        lambda required, most, enum: {"type": "text", "required": required, "max_length": most, "enum": enum},
        st.booleans(), st.sampled_from([None, 1, 2]), st.sampled_from([(), ("a",), ("a", "b")]),
    ),
    st.builds(
        lambda kind, required, low, high: {"type": kind, "required": required, "min": low, "max": high},
        st.sampled_from(["integer", "decimal"]), st.booleans(), st.sampled_from([None, 0, 1]), st.sampled_from([None, 2, 3]),
    ),
    st.builds(lambda required: {"type": "json", "required": required}, st.booleans()),
)  # fmt: skip
NAMES = ("a", "b", "g.c", "l[].d", "t[]")
GROUPS = {"g": st.none() | st.booleans(), "l[]": st.none() | st.booleans()}
SPECS = st.fixed_dictionaries({**{name: st.none() | LEAVES for name in NAMES}, **GROUPS})
VALUES = {
    "text": ["a", "b", "aa", "aaa"],
    "integer": [0, 1, 2, 3, 4],
    "decimal": [0, Decimal("1.5"), Decimal(3), 4],
    "json": [1, "a", True, [], {}],
}


def contract(spec: dict[str, object]) -> Contract:
    fields = tuple(Field(name=name, **spec[name]) for name in NAMES if spec[name])  # type: ignore[arg-type]
    groups = (
        Group(name=name, required=spec[name])  # type: ignore[arg-type]
        for name in GROUPS
        if spec[name] is not None and any(one.name.startswith(f"{name}.") for one in fields)
    )
    return Contract("x input", fields, tuple(groups))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Contract, Contract, list[dict[str, object]]]:
    """Give a contract, the same with one thing changed, and payloads that the first takes."""
    spec = draw(SPECS)
    name = draw(st.sampled_from([*NAMES, *GROUPS]))
    first = contract(spec)
    second = contract({**spec, name: draw(GROUPS[name] if name in GROUPS else st.none() | LEAVES)})
    payloads = [one for _ in range(10) if not first.problems(one := draw(taken(first)))]
    return first, second, payloads


@st.composite
def taken(draw: st.DrawFn, first: Contract) -> dict[str, object]:
    found: dict[str, dict[str, object] | object] = {}
    for name, field in first.by_name.items():
        some = st.sampled_from(VALUES[field.type]).filter(field.accepts)
        value = draw(some if field.required and not field.listed else st.none() | some)
        around, _, key = name.removesuffix("[]").rpartition(".")
        if field.listed:
            found[key] = [] if value is None else [value]
        elif around == "g":
            found["g"] = {key: value}
        elif around == "l[]":
            found["l"] = [{key: value}] * draw(st.integers(0, 2))
        else:
            found[key] = value
    return {key: draw(st.sampled_from([one, one, one, None])) for key, one in found.items()}


def operation(contract: Contract, version: int) -> Operation:
    empty = Contract("x output", ())
    return Operation(
        name="x", version=version, effect="read", input=contract, output=empty, digest=str(version)
    )


@settings(max_examples=200)
@given(pairs())
def test_what_is_called_safe_refuses_nothing_that_was_taken(pair):
    first, second, payloads = pair
    broken = breaks(operation(first, 1), operation(second, 2))
    refused = [one for one in payloads if second.problems(one)]
    assert broken or not refused
    # Read the other way round it is an output: what is safe there brings nothing new.
    old, new = (
        Contract("x output", one.fields, tuple(one.groups.values())) for one in (second, first)
    )
    none = Contract("x input", ())
    both = [
        Operation(name="x", version=at, effect="read", input=none, output=one, digest=str(at))
        for at, one in ((1, old), (2, new))
    ]
    known = [
        one for one in refused
        if not any("is not in the contract" in problem.message for problem in second.problems(one))
    ]  # fmt: skip
    assert breaks(*both) or not known


# -- stored payloads ----------------------------------------------------------------------------


def test_stored_payloads_that_are_refused_are_named():
    new = parse(changed("max_length = 8", "max_length = 1"), version=2)
    good = {"id": "7", "amount": 1, "kind": "a", "lines": [{"count": 1}]}
    stored = [
        Stored(name="first", side="input", payload=good),
        Stored(name="second", side="input", payload={**good, "id": "77", "kind": "c"}),
        Stored(name="third", side="output", payload={}),
    ]
    found = check_fixtures(new, stored)
    assert [one.stored.name for one in found] == ["second"]
    assert [problem.place for problem in found[0].problems] == ["id", "kind"]
    assert "77" not in str(found[0].problems[0])
