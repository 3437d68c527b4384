"""Loading a mapping: total, or refused with all that is wrong."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stranglerfig.errors import ConfigError, MappingError

HEAD = 'operation = "desk.ask@1"\n'
PHONE = '  { src = "person.phone", dst = "person.phone" },\n'
NOTE = '  { src = "note", dst = "note", as = "text" },\n'
REMARK = '  { src = "remark", dst = "remark", as = "text" },\n'
TRACE = 'ignore = { trace = "of the old gateway", '


def refused(desk: SimpleNamespace, *changes: tuple[str, str], **parts: object) -> str:
    with pytest.raises(ConfigError) as caught:
        desk.load("soap", *changes, **parts)
    assert "soap.toml" in str(caught.value)
    return str(caught.value)


def test_a_whole_mapping_loads(desk: SimpleNamespace):
    mapping = desk.load("soap")
    assert mapping.root == "{urn:t:desk}Ask"
    assert len(mapping.digest) == 64
    assert desk.load("row").root == "row"


def test_the_digest_follows_mapping_operation_and_schema(desk: SimpleNamespace):
    first = desk.load("soap").digest
    wsdl = desk.root / "legacy/desk.wsdl"
    wsdl.write_text(wsdl.read_text().replace("<wsdl:types>", "<!-- elsewhere -->\n\n<wsdl:types>"))
    assert desk.load("soap", ('operation = "desk', '# note\noperation = "desk')).digest == first
    wsdl.write_text(wsdl.read_text().replace('"trace" type="xs:string"', '"trace" type="xs:int"'))
    second = desk.load("soap").digest
    third = desk.load("soap", ("old gateway", "very old gateway")).digest
    fourth = desk.load("soap", operation=(("max_length = 60", "max_length = 61"),)).digest
    assert len({first, second, third, fourth}) == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(PHONE, "")], "person.phone is neither mapped nor ignored (line 12 of the schema)"),
        ([(TRACE, "ignore = { ")], "trace is neither mapped nor ignored"),
        ([('"line[]" = "not', '"lines[]" = "not')], "did you mean 'line[].sku'?"),
        ([('"line[]" = "not', '"lines[]" = "not')], "line[].sku is neither"),
        ([('"not needed to decide"', '" "')], "ignore: no reason"),
        ([(TRACE, TRACE + 'note = "both", ')], "note is mapped as well"),
        ([('dst = "note"', 'dst = "nite"')], "did you mean 'note'?"),
        ([('src = "note"', 'src = "nite"')], "legacy has no 'nite'"),
        ([('as = "code(channel)"', 'as = "code(chanel)"')], "did you mean channel?"),
        ([('as = "code(channel)"', 'as = "code"')], "the name of a table"),
        ([('as = "code(channel)"', 'as = "cod(channel)"')], "did you mean 'code'?"),
        ([('as = "code(channel)"', 'as = "code(channel"')], "a bracket that closes"),
        ([('as = "date(YYYYMMDD)"', 'as = "date(YYMMDD)"')], "YYYY, MM and DD"),
        (
            [('as = "date(YYYYMMDD)"', 'as = "text"')],
            "text gives text; value: text;",
        ),
        ([('as = "date(YYYYMMDD)"', 'as = "py:nowhere.to:find"')], "cannot import"),
        ([('as = "date(YYYYMMDD)"', 'as = "py:math:pi"')], "a factory"),
        ([('as = "date(YYYYMMDD)"', 'as = "py:math:sqrt"')], "raises ValueError only"),
        ([('as = "date(YYYYMMDD)"', 'as = "py:operator:eq"')], "decode and encode, not bool"),
        ([('dst = "opened"', 'dst = "opened", nul = ["x"]')], "fields row 5.nul"),
        ([('dst = "opened"', 'dst = "opened", optional = "x"')], "fields row 5.optional"),
        ([('dst = "channel"', 'dst = "channel", null = ["-"]')], "is required"),
        ([('dst = "channel"', 'dst = "channel", optional = true')], "is required"),
        ([('dst = "channel"', 'dst = "channel", else = "fax"')], "else does not fit"),
        ([('else = "C99"', "else = 99")], "else is not text"),
        ([('unit = "EUR"', 'unit = "USD"')], "another unit"),
        ([('M = "mail"', 'M = "post"')], "not in the enum"),
        ([('M = "mail"', 'M = "mail", X = "mail"')], "several codes for one value"),
        ([("[codes]", "[codes]\nextra = { a = 'b' }")], "a table of codes that no row reads"),
        ([(NOTE, NOTE + NOTE)], "note is written by row 7 already"),
        ([(NOTE, NOTE + NOTE)], "note is read by row 7 already"),
        (
            [('  { src = "channel", dst = "channel", as = "code(channel)" },\n', "")],
            "needs channel",
        ),
        (
            [('{ src = "category", dst = "category"', '{ src = "remark", dst = "category"')],
            "category",
        ),
        (
            [(REMARK, ""), ("reply = [", "reply_ignore = {}\nreply = [")],
            "legacy's remark is neither",
        ),
        ([('null = ["-"]', "null = []")], "due → due: may be absent in ours"),
        ([('operation = "desk.ask@1"', 'operation = "desk.ask@2"')], "for another operation"),
        ([(HEAD, HEAD + 'unmaped = "x"\n')], "did you mean 'unmapped'"),
        (
            [('operation = "desk.ask@1"', 'operation = "desk.ask@1"\nunmapped = "x"')],
            "no such policy",
        ),
        ([('kind = "soap"', 'kind = "saop"')], "did you mean 'soap'?"),
        ([('from.schema = "legacy/', 'from.shema = "legacy/')], "did you mean 'schema'?"),
        ([('from.answer = "{urn:t:desk}AskResponse"\n', "")], "nothing answers"),
        ([("desk}AskResponse", "desk}Answer")], "{urn:t:desk}AskResponse"),
    ],
)
def test_what_is_wrong_is_named(
    desk: SimpleNamespace, changes: list[tuple[str, str]], expected: str
):
    assert expected in refused(desk, *changes)


def test_a_place_that_every_answer_needs_cannot_be_ignored(desk: SimpleNamespace):
    due = '  { src = "due", dst = "due", as = "date(DD.MM.YYYY)", null = ["-"] },\n'
    message = refused(desk, (due, ""), ("[codes]", 'reply_ignore = { due = "who cares" }\n[codes]'))
    assert "is ignored, but every answer must have it" in message


def test_all_problems_come_at_once(desk: SimpleNamespace):
    message = refused(
        desk,
        (PHONE, ""),
        ('dst = "note"', 'dst = "nite"'),
        ('dst = "priority", as = "integer"', 'dst = "priority", as = "intger"'),
    )
    assert "3 problems" in message
    assert "person.phone" in message
    assert "fields row 6 note → nite" in message
    assert "reply row 2 priority → priority" in message


def test_a_whole_group_may_be_ignored_by_its_name(desk: SimpleNamespace):
    mapping = desk.load("soap")
    record = desk.record(desk.envelope(desk.ask))
    assert "line" not in mapping.decode_request(record)


def test_rows_that_go_one_way_may_read_a_source_again(desk: SimpleNamespace):
    again = '  { src = "channel", dst = "note", one_way = "to be seen", as = "text" },\n'
    mapping = desk.load("soap", (NOTE, again), (TRACE, TRACE + 'note = "x", '))
    record = desk.record(desk.envelope(desk.ask))
    payload = mapping.decode_request(record)
    assert (payload["channel"], payload["note"]) == ("phone", "P")
    changed = mapping.encode_request({**payload, "note": "Z", "channel": "mail"}, record)
    assert changed == record.body.replace(b">P<", b">M<")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('"status",\n', '"status", "extra",\n')], "extra is neither mapped nor ignored"),
        ([('"status",\n', '"status", "status",\n')], "one twice"),
        ([('  { src = "remark", dst = "remark" },\n', "")], "remark is neither mapped nor ignored"),
        ([('{ src = "score", dst = "score"', '{ src = "score", dst = "scor"')], "'score'?"),
    ],
)
def test_a_row_mapping_is_total_over_its_columns(
    desk: SimpleNamespace, changes: list[tuple[str, str]], expected: str
):
    with pytest.raises(ConfigError) as caught:
        desk.load("row", *changes)
    assert expected in str(caught.value)
    assert str(caught.value).count("neither") <= 1


def test_a_row_mapping_may_have_no_reply(desk: SimpleNamespace):
    file = desk.root / "acl/row.toml"
    text = file.read_text()
    start, end = text.index("reply = ["), text.index("[codes]")
    ignored = "".join(
        f'{name} = "later", ' for name in ("category", "priority", "score", "due", "remark")
    )
    text = text[:start] + text[end:].split("category = {", maxsplit=1)[0]
    file.write_text(text.replace("ignore = {", "ignore = { " + ignored))
    mapping = desk.load("row")
    with pytest.raises(MappingError, match="no reply"):
        mapping.decode_reply(desk.record("{}"))
