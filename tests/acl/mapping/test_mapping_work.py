"""Mappings at work: both ways, and clear about records that do not fit."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.acl.envelope import SOAP11, SOAP12, read
from stranglerfig.acl.fault import render
from stranglerfig.acl.mapping.problem import Problem
from stranglerfig.errors import EnvelopeError, FigError, MappingError

ANSWER = {
    "category": "claim",
    "priority": 2,
    "score": Decimal("0.97"),
    "due": date(2024, 3, 1),
    "remark": None,
}
ROW = {
    "id": 7,
    "name": "Ann",
    "phone": None,
    "channel": "P",
    "opened": "00000000",
    "amount": 12.50,
    "note": "n",
    "category": "C01",
    "priority": 2,
    "score": "0.50",
    "due": "01.03.2024",
    "remark": None,
    "status": "O",
}


def problems(desk: SimpleNamespace, mapping: object, body: str) -> list[Problem]:
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(desk.record(body))  # type: ignore[attr-defined]
    assert caught.value.problems
    return list(caught.value.problems)  # type: ignore[arg-type]


def test_a_request_is_decoded(desk: SimpleNamespace):
    payload = desk.load("soap").decode_request(desk.record(desk.envelope(desk.ask)))
    assert payload == {
        "person": {"id": 7, "name": "Ann & Bo", "phone": None},
        "channel": "phone",
        "opened": date(2024, 2, 29),
        "amount": Decimal("12.50"),
        "note": None,
    }


def test_a_request_is_written_back_into_its_bytes(desk: SimpleNamespace):
    mapping = desk.load("soap")
    record = desk.record(desk.envelope(desk.ask))
    payload = mapping.decode_request(record)
    wanted = {**payload, "amount": None, "opened": None, "channel": "mail"}
    body = mapping.encode_request(wanted, record)
    assert mapping.decode_request(desk.record(body)) == wanted
    text = body.decode()
    for kept in ("<!-- by hand -->", "<d:trace>t-1</d:trace>", "<d:person id = '7' >", "<h:old"):
        assert kept in text
    assert "<d:opened>00000000</d:opened>" in text


def test_an_answer_is_an_envelope_in_the_order_of_the_wsdl(desk: SimpleNamespace):
    mapping = desk.load("soap")
    request = desk.record(desk.envelope(desk.ask))
    body = mapping.encode_reply({**ANSWER, "remark": "a < b"}, request)
    assert body.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Body><AskResponse xmlns="urn:t:desk">'
        "<category>C01</category><priority>2</priority><score>0.97</score>"
        "<due>01.03.2024</due><remark>a &lt; b</remark>"
        "</AskResponse></soap:Body></soap:Envelope>\n"
    )
    assert mapping.decode_reply(desk.record(body)) == {**ANSWER, "remark": "a < b"}


def test_an_answer_speaks_the_soap_version_of_its_request(desk: SimpleNamespace):
    mapping = desk.load("soap")
    mentioned = desk.record(desk.envelope(desk.ask.replace("Ann", SOAP12)))
    assert read(mapping.encode_reply(ANSWER, mentioned)).version == "1.1"
    newer = desk.record(desk.envelope(desk.ask).replace(SOAP11, SOAP12))
    assert read(mapping.encode_reply(ANSWER, newer)).version == "1.2"


def test_what_has_no_code_becomes_else(desk: SimpleNamespace):
    mapping = desk.load("soap")
    body = mapping.encode_reply({**ANSWER, "category": "other"}, desk.record(""))
    assert b"<category>C99</category>" in body
    with pytest.raises(MappingError, match="cannot be read"):
        mapping.decode_reply(desk.record(body))


def test_an_unknown_code_that_became_else_survives_the_way_back(desk: SimpleNamespace):
    mapping = desk.load(
        "soap",
        ('dst = "channel", as', 'dst = "channel", else = "other", as'),
        operation=(('enum = ["phone", "mail"]', 'enum = ["phone", "mail", "other"]'),),
    )
    record = desk.record(desk.envelope(desk.ask.replace(">P<", ">X<")))
    payload = mapping.decode_request(record)
    assert payload["channel"] == "other"
    body = mapping.encode_request({**payload, "note": "new"}, record)
    assert b"<d:channel>X</d:channel>" in body


def test_all_problems_of_a_record_come_at_once(desk: SimpleNamespace):
    mapping = desk.load("soap")
    body = desk.envelope(
        desk.ask.replace("'7'", "'x7'")
        .replace(">P<", ">Q<")
        .replace("<d:name>Ann &amp; Bo</d:name>", "")
        .replace("20240229", "20230229")
        .replace("</d:Ask>", "<d:extra/>\n</d:Ask>")
    )
    found = problems(desk, mapping, body)
    assert [(p.row, p.src, p.dst) for p in found] == [
        (0, "{urn:t:desk}extra", ""),
        (1, "person.@id", "person.id"),
        (2, "person.name", "person.name"),
        (4, "channel", "channel"),
        (5, "opened", "opened"),
    ]
    assert found[3].value == "'Q'"
    assert found[3].at == "line 4"
    assert mapping.digest[:12] in found[3].place
    assert "table channel" in found[3].expected
    assert all(p.expected for p in found)


def test_tagged_values_are_masked_everywhere(desk: SimpleNamespace):
    secret = "Hedwig"
    as_integer = ('dst = "person.name", as = "text"', 'dst = "person.name", as = "text(max=3)"')
    mapping = desk.load("soap", as_integer)
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(desk.record(desk.envelope(desk.ask.replace("Ann", secret))))
    error = caught.value
    assert error.problems[0].value == "<masked>"
    seen = [str(error), repr(error), *map(str, error.problems), str(error.as_dict())]
    assert not any(secret in text for text in seen)
    assert error.__suppress_context__


@pytest.mark.parametrize(
    ("old", "new", "src", "message"),
    [
        ("<d:channel>P</d:channel>", "", "channel", "is missing"),
        (">P<", "><d:x/><", "channel", "holds elements"),
        ("<d:channel>", "<d:channel>P</d:channel><d:channel>", "channel", "stands twice"),
        ("</d:Ask>", "<d:person id='8'/></d:Ask>", "person", "stands twice"),
        ("<d:channel>", "stray text<d:channel>", ".", "text outside any field"),
        ("<d:channel>", '<d:channel by="x">', "channel.@by", "is not in the schema"),
        ("<d:channel>", "<channel>Q</channel><d:channel>", "channel", "is not in the schema"),
        ("id = '7'", "", "person.@id", "is missing"),
        ("<d:channel>", '<d:channel xsi:nil="true">', "channel", "holds nothing"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(
    desk: SimpleNamespace, old: str, new: str, src: str, message: str
):
    assert old in desk.ask
    found = problems(desk, desk.load("soap"), desk.envelope(desk.ask.replace(old, new, 1)))
    assert [(p.src, p.message) for p in found] == [(src, message)]


def test_what_is_not_in_the_schema_may_be_reported_instead(desk: SimpleNamespace):
    report = ('operation = "desk.ask@1"', 'operation = "desk.ask@1"\nunmapped = "report"')
    mapping = desk.load("soap", report)
    record = desk.record(desk.envelope(desk.ask.replace("</d:Ask>", "<d:x/><d:x/></d:Ask>")))
    assert mapping.decode_request(record)["channel"] == "phone"
    assert mapping.unmapped() == {"{urn:t:desk}x": 2}
    for n in range(1100):
        body = desk.envelope(desk.ask.replace("</d:Ask>", f"<d:x{n}/></d:Ask>"))
        mapping.decode_request(desk.record(body))
    counts = mapping.unmapped()
    assert len(counts) == 1001
    assert sum(counts.values()) == 1102
    twice = desk.ask.replace("</d:Ask>", "<d:x/><d:channel>P</d:channel></d:Ask>")
    found = problems(desk, mapping, desk.envelope(twice))
    assert [p.message for p in found] == ["stands twice"]


def test_a_message_made_of_strays_is_refused_in_bounds(desk: SimpleNamespace):
    body = desk.envelope(desk.ask.replace("</d:Ask>", "<d:x/>" * 50_000 + "</d:Ask>"))
    found = problems(desk, desk.load("soap"), body)
    assert len(found) <= 1000
    assert found[-1].message == "too much that is not in the schema"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<other/>", "another message"),
        ("", "another message"),
        ("<d:Ask xmlns:d='urn:t:desk'/><x/>", "more than one element"),
    ],
)
def test_another_message_is_refused(desk: SimpleNamespace, body: str, expected: str):
    with pytest.raises(MappingError, match=expected):
        desk.load("soap").decode_request(desk.record(desk.envelope(body)))


def test_a_fault_of_legacy_is_named(desk: SimpleNamespace):
    mapping = desk.load("soap")
    with pytest.raises(MappingError, match=r"legacy answered with a fault \(soap:Server, no\)"):
        mapping.decode_reply(desk.record(render("Server", "no", {})))


def test_the_charset_of_the_header_counts(desk: SimpleNamespace):
    mapping = desk.load("soap")
    body = desk.envelope(desk.ask.replace("Ann", "\xc4nn")).encode("latin-1")
    headers = (("Content-Type", "text/xml; charset=ISO-8859-1"),)
    record = desk.record(body, headers=headers)
    payload = mapping.decode_request(record)
    assert payload["person"]["name"] == "\xc4nn & Bo"
    changed = mapping.encode_request({**payload, "note": "€"}, record)
    again = mapping.decode_request(desk.record(changed, headers=headers))
    assert again == {**payload, "note": "€"}
    assert "\xc4nn".encode("latin-1") in changed


@pytest.mark.parametrize(
    ("change", "src", "expected"),
    [
        ({"priority": None}, "priority", "integer"),
        ({"priority": "2"}, "priority", "a whole number"),
        ({"score": 0.5}, "score", "Decimal"),
        ({"due": "2024-03-01"}, "due", "a date"),
        ({"remark": "\0"}, "remark", "U+0000"),
        ({"remark": 5}, "remark", "text"),
    ],
)
def test_an_answer_that_cannot_be_written(
    desk: SimpleNamespace, change: dict[str, object], src: str, expected: str
):
    with pytest.raises(MappingError) as caught:
        desk.load("soap").encode_reply({**ANSWER, **change}, desk.record(""))
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert problem.src == src
    assert expected in problem.expected


def test_all_that_cannot_be_written_is_named(desk: SimpleNamespace):
    with pytest.raises(MappingError) as caught:
        desk.load("soap").encode_reply({}, desk.record(""))
    assert [p.src for p in caught.value.problems] == ["category", "priority", "score"]  # type: ignore[attr-defined]


def test_a_value_that_is_written_as_nothing_is_refused(desk: SimpleNamespace):
    mapping = desk.load("soap", ('dst = "note", as', 'dst = "note", null = ["-"], as'))
    record = desk.record(desk.envelope(desk.ask))
    payload = mapping.decode_request(record)
    with pytest.raises(MappingError, match="cannot be written"):
        mapping.encode_request({**payload, "note": "-"}, record)


def row(desk: SimpleNamespace, **change: object) -> object:
    return desk.record(json.dumps({**ROW, **change}))


def test_a_row_image_is_both_request_and_reply(desk: SimpleNamespace):
    mapping = desk.load("row")
    record = row(desk)
    assert mapping.decode_request(record) == {
        "person": {"id": 7, "name": "Ann", "phone": None},
        "channel": "phone",
        "opened": None,
        "amount": Decimal("12.5"),
        "note": "n",
    }
    assert mapping.decode_reply(record)["category"] == "claim"


def test_numbers_of_a_row_keep_their_digits(desk: SimpleNamespace):
    mapping = desk.load("row")
    body = json.dumps({**ROW, "amount": "@", "id": "#"})
    body = body.replace('"@"', "12345678901234567890.10").replace('"#"', "9007199254740993")
    payload = mapping.decode_request(desk.record(body))
    assert str(payload["amount"]) == "12345678901234567890.10"
    assert payload["person"]["id"] == 9007199254740993
    changed = mapping.encode_request({**payload, "note": 'x"y'}, desk.record(body)).decode()
    assert "12345678901234567890.10" in changed
    assert json.loads(changed)["note"] == 'x"y'
    assert list(json.loads(changed)) == list(ROW)


def test_a_reply_goes_into_the_row_as_the_kind_that_stood_there(desk: SimpleNamespace):
    mapping = desk.load("row")
    record = row(desk, amount="12.50")
    answer = {**ANSWER, "category": "question", "priority": 3, "score": Decimal("0.10")}
    image = json.loads(mapping.encode_reply(answer, record))
    assert image == {
        **ROW,
        "amount": "12.50",
        "category": "C02",
        "priority": 3,
        "score": "0.10",
        "remark": None,
    }
    assert mapping.decode_reply(desk.record(json.dumps(image))) == answer
    same = mapping.decode_request(record)
    assert mapping.encode_request(same, record) == record.body  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"{", b'{"id": NaN}', b'{"id":"\xff"}', b'{"a":' * 100_000, b"[" * 100_000],
)
def test_what_is_no_row_image_is_refused(desk: SimpleNamespace, body: bytes):
    mapping = desk.load("row")
    with pytest.raises(EnvelopeError, match="image of a row"):
        mapping.decode_request(desk.record(body))


def test_columns_that_do_not_fit_are_named(desk: SimpleNamespace):
    mapping = desk.load("row")
    image = {**ROW, "id": {"a": 1}, "channel": None, "amount": 1e40, "new": 1}
    image.pop("name")
    with pytest.raises(MappingError) as caught:
        mapping.decode_request(desk.record(json.dumps(image)))
    found = {(p.src, p.message) for p in caught.value.problems}  # type: ignore[attr-defined]
    assert ("id", "holds an object or a list") in found
    assert ("channel", "holds nothing") in found
    assert ("name", "is missing") in found
    assert ("amount", "cannot be read") in found


def test_new_columns_are_reported(desk: SimpleNamespace):
    mapping = desk.load("row")
    mapping.decode_request(row(desk, amount="1.00", new=1))
    assert mapping.unmapped() == {"new": 1}


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8).filter(
    lambda text: not {"\ufffe", "\uffff"} & set(text)
)
MONEY = st.decimals(-(10**12), 10**12, places=2)
REQUESTS = st.fixed_dictionaries(
    {
        "person": st.fixed_dictionaries(
            {
                "id": st.integers(1, 10**9),
                "name": TEXT,
                "phone": st.one_of(st.none(), TEXT),
            }
        ),
        "channel": st.sampled_from(["phone", "mail"]),
        "opened": st.one_of(st.none(), st.dates()),
        "amount": st.one_of(st.none(), MONEY),
        "note": st.one_of(st.none(), TEXT),
    }
)
ANSWERS = st.fixed_dictionaries(
    {
        "category": st.sampled_from(["claim", "question"]),
        "priority": st.integers(1, 3),
        "score": st.decimals(0, 1, places=2),
        "due": st.one_of(st.none(), st.dates()),
        "remark": st.one_of(st.none(), TEXT),
    }
)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(REQUESTS, ANSWERS)
def test_every_payload_goes_through_soap_and_back(
    desk: SimpleNamespace, request_: dict[str, object], answer: dict[str, object]
):
    mapping = desk.__dict__.setdefault("mapping", None) or desk.load("soap")
    desk.mapping = mapping
    original = desk.record(desk.envelope(desk.ask))
    body = mapping.encode_request(request_, original)
    assert mapping.decode_request(desk.record(body)) == request_
    assert b"<d:trace>t-1</d:trace>" in body
    assert mapping.encode_request(request_, desk.record(body)) == body
    reply = mapping.encode_reply(answer, original)
    assert mapping.decode_reply(desk.record(reply)) == answer


@SHARED
@given(REQUESTS, ANSWERS)
def test_every_payload_goes_through_a_row_and_back(
    desk: SimpleNamespace, request_: dict[str, object], answer: dict[str, object]
):
    mapping = desk.__dict__.setdefault("mapping", None) or desk.load("row")
    desk.mapping = mapping
    original = row(desk, amount="1.00")
    body = mapping.encode_request(request_, original)
    assert mapping.decode_request(desk.record(body)) == request_
    reply = mapping.encode_reply(answer, desk.record(body))
    assert mapping.decode_reply(desk.record(reply)) == answer
    assert mapping.decode_request(desk.record(reply)) == request_
    assert json.loads(reply)["status"] == "O"


@SHARED
@given(st.data())
def test_any_bytes_are_decoded_or_refused(desk: SimpleNamespace, data: st.DataObject):
    kind = data.draw(st.sampled_from(["soap", "row"]))
    mapping = desk.__dict__.setdefault(kind, None) or desk.load(kind)
    setattr(desk, kind, mapping)
    whole = desk.envelope(desk.ask).encode() if kind == "soap" else json.dumps(ROW).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 12)))
    body = whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:]
    try:
        payload = mapping.decode_request(desk.record(body))
    except FigError as error:
        assert isinstance(error, MappingError | EnvelopeError)
    else:
        assert mapping.encode_request(payload, desk.record(body)) == body
