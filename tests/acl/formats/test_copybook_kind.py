"""Kind ``copybook``: a mapping over records of a copybook, there and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.formats.kinds import sides
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ConfigError, MappingError
from stranglerfig.model import Record

OPERATION = """
name = "claim.triage"
version = 2
effect = "read"
[input]
"customer.id" = { type = "text" }
"customer.name" = { type = "text" }
"account.balance" = { type = "decimal", unit = "EUR" }
"account.opened" = { type = "date", required = false }
"account.status" = { type = "text", enum = ["active", "closed"] }
"items[].code" = { type = "text" }
"items[].amount" = { type = "decimal", required = false }
company = { type = "text", required = false }
staff = { type = "integer", required = false }
rate = { type = "decimal", required = false }
tags = { type = "text", required = false }
[output]
decision = { type = "text" }
reasons = { type = "integer", required = false }
"""

CLAIM = """
       01  CLAIM.
           05  CUST-ID        PIC 9(8).
           05  CUST-NAME      PIC X(12).
           05  FILLER         PIC X(3).
           05  BAL-AMT        PIC S9(7)V99 COMP-3.
           05  OPEN-DT        PIC 9(8).
           05  STAT-CD        PIC 9(2).
           05  KIND           PIC X.
           05  PERSON.
               10  NOTE       PIC X(6).
               10  FILLER     PIC X(2).
           05  FIRM REDEFINES PERSON.
               10  COMPANY    PIC X(5).
               10  STAFF      PIC 9(5) COMP-3.
           05  RATE           COMP-2.
           05  ITEM-CT        PIC 9(2).
           05  ITEM OCCURS 0 TO 3 DEPENDING ON ITEM-CT.
               10  ITEM-CD    PIC X(2).
               10  FILLER     PIC X.
               10  ITEM-AMT   PIC S9(3)V99.
           05  LAST-TERM      PIC X(4).
"""
REPLY = """
       01  REPLY.
           05  FILLER         PIC X(4) VALUE 'RPLY'.
           05  RESP-CD        PIC X(2).
           05  REASON-CT      PIC 9(3).
           05  SPARE          PIC X(2) VALUE 'zz'.
"""
MAPPING = """
operation = "claim.triage@2"
[from]
kind = "copybook"
schema = "legacy/claim.cpy"
answer = "legacy/reply.cpy"
encoding = "cp037"
occurs = "OCCURS"
digits = ["CUST-ID", "STAT-CD", "OPEN-DT"]
rules = { PERSON = "KIND = 'p'", FIRM = "KIND = 'f'" }

[[fields]]
src = "CUST-ID"
dst = "customer.id"
[[fields]]
src = "CUST-NAME"
dst = "customer.name"
[[fields]]
src = "BAL-AMT"
dst = "account.balance"
as = "decimal(2)"
unit = "EUR"
[[fields]]
src = "OPEN-DT"
dst = "account.opened"
as = "date(YYYYMMDD)"
null = ["00000000"]
[[fields]]
src = "STAT-CD"
dst = "account.status"
as = "code(status)"
[[fields]]
src = "ITEM[].ITEM-CD"
dst = "items[].code"
[[fields]]
src = "ITEM[].ITEM-AMT"
dst = "items[].amount"
as = "decimal(2)"
[[fields]]
src = "COMPANY"
dst = "company"
[[fields]]
src = "STAFF"
dst = "staff"
as = "integer"
[[fields]]
src = "RATE"
dst = "rate"
as = "decimal(2, lax)"
[[fields]]
src = "NOTE"
dst = "tags"
null = [""]

[ignore]
LAST-TERM = "screen id"
KIND = "decided by rules"
ITEM-CT = "counts the items"

[[reply]]
src = "decision"
dst = "RESP-CD"
as = "code(decision)"
else = "90"
[[reply]]
src = "reasons"
dst = "REASON-CT"
as = "integer"
null = ["0"]

[reply_ignore]
SPARE = "for later"

[codes]
status = { "07" = "active", "08" = "closed" }
decision = { "00" = "approve", "10" = "refer" }
"""


def claim(*, kind: str = "f", occurs: str = "max", count: int = 2) -> bytes:
    def text(one: str) -> bytes:
        return one.encode("cp037")

    branch = text("ACME!") + b"\x00\x12\x3f" if kind == "f" else text("hello !?")
    items = [text("AB#") + text("0125{"), text("CD#") + text("0100}"), text("EF#") + text("0000{")]
    table = b"".join(items[:count])
    table = table if occurs == "shift" else table.ljust(24, b"\x77")
    return (
        text("00441122Müller      xyz")
        + b"\x00\x00\x12\x34\x5d"
        + text("2024022907" + kind)
        + branch
        + bytes.fromhex("3ff8000000000000")
        + text(f"{count:02d}")
        + table
        + text("T001")
    )


@pytest.fixture(params=["max", "shift"])
def occurs(request) -> str:
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (
        ("operations/claim.triage@2.toml", OPERATION),
        ("legacy/claim.cpy", CLAIM),
        ("legacy/reply.cpy", REPLY),
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


def mapping(root: Path, occurs: str, text: str = MAPPING):
    file = root / "claim.toml"
    file.write_text(text.replace("OCCURS", occurs))
    return load_mapping(file, load_operation(root, "claim.triage@2"), root)


def record(body: bytes) -> Record:
    return Record(source="mq", position="1", kind="copybook", body=body)


def test_a_request_is_read(root, occurs):
    payload = mapping(root, occurs).decode_request(record(claim(occurs=occurs)))
    assert payload == {
        "customer": {"id": "00441122", "name": "Müller"},
        "account": {
            "balance": Decimal("-123.45"),
            "opened": date(2024, 2, 29),
            "status": "active",
        },
        "items": [
            {"code": "AB", "amount": Decimal("12.50")},
            {"code": "CD", "amount": Decimal("-10.00")},
        ],
        "company": "ACME!",
        "staff": 123,
        "rate": Decimal("1.50"),
        "tags": None,
    }
    other = mapping(root, occurs).decode_request(record(claim(kind="p", occurs=occurs)))
    assert (other["company"], other["staff"], other["tags"]) == (None, None, "hello")


def test_what_did_not_change_keeps_its_bytes(root, occurs):
    made = mapping(root, occurs)
    for kind in "fp":
        for count in range(4):
            body = claim(kind=kind, occurs=occurs, count=count)
            payload = made.decode_request(record(body))
            assert made.encode_request(payload, record(body)) == body


def test_a_change_touches_its_own_bytes_only(root, occurs):
    made, body = mapping(root, occurs), claim(occurs=occurs)
    payload = made.decode_request(record(body))
    payload["account"]["balance"] = Decimal("1.00")
    payload["staff"] = 9
    payload["items"][1]["amount"] = Decimal("0.50")
    patched = made.encode_request(payload, record(body))
    assert len(patched) == len(body)
    changed = {at for at, pair in enumerate(zip(body, patched, strict=True)) if len(set(pair)) > 1}
    assert changed <= {*range(23, 28), *range(44, 47), *range(68, 75)}
    assert made.decode_request(record(patched)) == payload
    assert b"ACME!".decode().encode("cp037") in patched


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_of_another_length(root, occurs, count):
    made, body = mapping(root, occurs), claim(occurs=occurs)
    payload = made.decode_request(record(body))
    payload["items"] = [{"code": "XX", "amount": Decimal("0.05")}] * count
    patched = made.encode_request(payload, record(body))
    assert made.decode_request(record(patched)) == payload
    assert patched.endswith("T001".encode("cp037"))
    assert len(patched) == (len(body) if occurs == "max" else len(body) + 8 * (count - 2))
    payload["items"] = payload["items"] * 4
    if count:
        with pytest.raises(MappingError):
            made.encode_request(payload, record(body))


def test_an_answer_is_written(root, occurs):
    made = mapping(root, occurs)
    body = made.encode_reply({"decision": "refer", "reasons": 12}, record(claim(occurs=occurs)))
    assert body == "RPLY10012zz".encode("cp037")
    assert made.decode_reply(record(body)) == {"decision": "refer", "reasons": 12}
    with pytest.raises(MappingError) as refused:
        made.encode_reply({"decision": "refer", "reasons": 1234}, record(b""))
    assert "REASON-CT" in str(refused.value.problems[0])
    assert "3 digits" in str(refused.value.problems[0])


def test_errors_name_offset_and_path(root, occurs):
    made, body = mapping(root, occurs), bytearray(claim(occurs=occurs))
    body[36:38] = "99".encode("cp037")
    with pytest.raises(MappingError) as refused:
        made.decode_request(record(bytes(body)))
    (problem,) = refused.value.problems
    assert "STAT-CD" in str(problem)
    assert "36+2" in str(problem)


def test_garbage_is_refused_and_blanks_are_null(root, occurs):
    made, body = mapping(root, occurs), bytearray(claim(occurs=occurs))
    body[28:36] = b"\x40" * 8
    assert made.decode_request(record(bytes(body)))["account"]["opened"] is None
    body[28:36] = "2024?229".encode("cp037")
    with pytest.raises(MappingError, match="OPEN-DT"):
        made.decode_request(record(bytes(body)))
    lenient = mapping(root, occurs, 'unmapped = "report"\n' + MAPPING)
    assert lenient.decode_request(record(bytes(body)))["account"]["opened"] is None
    assert lenient.unmapped() == {"OPEN-DT": 1}


def test_every_field_must_be_mapped_or_ignored(root, occurs):
    with pytest.raises(ConfigError, match="LAST-TERM"):
        mapping(root, occurs, MAPPING.replace('LAST-TERM = "screen id"\n', ""))
    with pytest.raises(ConfigError, match="BAL-AMNT"):
        mapping(root, occurs, MAPPING.replace('src = "BAL-AMT"', 'src = "BAL-AMNT"'))
    for wrong in (
        MAPPING.replace('digits = ["CUST-ID"', 'digits = ["CUST-NAME"'),
        MAPPING.replace("legacy/claim.cpy", "legacy/none.cpy"),
        MAPPING.replace("\"KIND = 'p'\"", '"KIND like 5"'),
        MAPPING.replace('encoding = "cp037"', 'encoding = "cp03x7"'),
        MAPPING.replace('encoding = "cp037"', 'encodign = "cp037"'),
    ):
        with pytest.raises(ConfigError):
            mapping(root, occurs, wrong)


def test_two_names_of_the_same_bytes_must_agree(tmp_path):
    book = "       01 R.\n          05 A PIC X(2).\n          05 B REDEFINES A PIC 9(2).\n"
    (tmp_path / "R.cpy").write_text(book)
    shape = sides({"kind": "copybook", "schema": "R.cpy"}, tmp_path, "here").request
    record = Record(source="s", position="1", kind="record", body="00".encode("cp037"))
    assert shape.patch({"A": "12", "B": "12"}, record) == "12".encode("cp037")
    with pytest.raises(ValueError, match="the same bytes"):
        shape.patch({"A": "12", "B": "13"}, record)


def test_leaves_are_named_as_short_as_they_can(tmp_path):
    (tmp_path / "a.cpy").write_text(
        """
       01 R.
          05 A.
             10 X PIC X.
             10 Y PIC 9.
          05 B.
             10 X PIC X.
             10 T OCCURS 2.
                15 N PIC 9V9.
                15 U PIC X OCCURS 3.
                15 V OCCURS 2.
                   20 X PIC 9.
          05 FILLER REDEFINES B.
             10 Z PIC X.
          05 FILLER PIC X.
"""
    )
    made = sides({"kind": "copybook", "schema": "a.cpy", "encoding": "ascii"}, tmp_path, "from")
    shape = made.request
    assert made.reply is shape
    assert made.root == "R"
    assert {leaf.path: leaf.type for leaf in shape.leaves} == {
        "A.X": "text",
        "Y": "integer",
        "B.X": "text",
        "T[].N": "decimal",
        "T[].U[]": "text",
        "T[].V[].X": "integer",
        "Z": "text",
    }
    body = b"a7b12abc3456def78?"
    values, strays = shape.read(record(body))
    assert not strays
    assert values == {
        "A.X": "a",
        "Y": 7,
        "B.X": "b",
        "T[]": [
            {"N": Decimal("1.2"), "U[]": ["a", "b", "c"], "V[]": [{"X": 3}, {"X": 4}]},
            {"N": Decimal("5.6"), "U[]": ["d", "e", "f"], "V[]": [{"X": 7}, {"X": 8}]},
        ],
        "Z": "b",
    }
    places = shape.places(record(body))
    assert places["Y"] == "1+1"
    assert places["T[1].N"] == "10+2"
    assert places["T[1].V[1].X"] == "16+1"
    changed = {"T[]": [{"N": "9.9", "U[]": ["x"], "V[]": [{"X": "1"}]}, {}], "Y": "0"}
    assert shape.patch(changed, record(body)) == b"a0b99xbc1456def78?"
    with pytest.raises(ValueError, match="number"):
        shape.patch({"Y": "x"}, record(body))
    with pytest.raises(ValueError, match="at most 1 digits"):
        shape.patch({"Y": "10"}, record(body))
    with pytest.raises(ValueError, match="does not end before"):
        shape.patch({"Z": "1"}, record(b"a7"))


NAMES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)


@given(
    name=NAMES.filter(lambda one: one == one.strip(" ")),
    cents=st.integers(-(10**9) + 1, 10**9 - 1),
    items=st.lists(st.integers(-99999, 99999), max_size=3),
    kind=st.sampled_from("fp"),
)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(name, cents, items, kind):
    for occurs in ("max", "shift"):
        made = MADE[occurs]
        body = claim(kind=kind, occurs=occurs)
        payload = made.decode_request(record(body))
        payload["customer"]["name"] = name
        payload["account"]["balance"] = Decimal(cents).scaleb(-2)
        payload["items"] = [{"code": "Q", "amount": Decimal(one).scaleb(-2)} for one in items]
        patched = made.encode_request(payload, record(body))
        assert made.decode_request(record(patched)) == payload
        assert made.encode_request(payload, record(patched)) == patched


@given(st.binary(max_size=90))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_payload_or_an_error(body):
    for made in MADE.values():
        try:
            payload = made.decode_request(record(body))
        except MappingError as error:
            assert error.problems
            continue
        assert isinstance(payload, dict)


@pytest.fixture(scope="module", autouse=True)
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claim")
    for name, text in (
        ("operations/claim.triage@2.toml", OPERATION),
        ("legacy/claim.cpy", CLAIM),
        ("legacy/reply.cpy", REPLY),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    MADE.update({occurs: mapping(folder, occurs) for occurs in ("max", "shift")})


MADE: dict = {}
