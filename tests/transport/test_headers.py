"""Which header fields travel on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.model import Record
from stranglerfig.transport.headers import end_to_end, first, joined, to_fields, to_headers

TEXT = st.binary(max_size=12).filter(lambda value: not set(value) & {10, 13})
FIELDS = st.lists(st.tuples(st.from_regex(rb"[A-Za-z-]{1,8}", fullmatch=True), TEXT), max_size=8)


def test_fields_of_the_hop_are_left_out_and_the_rest_keeps_order_case_and_repeats():
    fields = [
        (b"Set-Cookie", b"a=1"),
        (b"Connection", b"close, X-Hop"),
        (b"x-hop", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"KEEP-ALIVE", b"timeout=5"),
        (b"Content-Length", b"3"),
        (b"Set-Cookie", b"b=2"),
        (b"WWW-Authenticate", b"Basic"),
    ]
    kept = [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"WWW-Authenticate", b"Basic")]
    assert end_to_end(fields) == kept
    assert end_to_end(fields, drop=frozenset({b"set-cookie"})) == kept[-1:]


@pytest.mark.parametrize("word", [b"close", b"keep-alive", b" Keep-Alive , close", b""])
def test_connection_options_are_not_names(word):
    assert end_to_end([(b"Connection", word), (b"Close", b"1")]) == [(b"Close", b"1")]


@given(FIELDS)
def test_a_record_keeps_every_byte(fields):
    assert to_fields(to_headers(fields)) == fields


def test_the_first_line_in_a_record_is_no_field():
    record = Record(
        source="s", position="1", kind="soap", body=b"", headers=((":method", "GET"), ("a", "b"))
    )
    assert to_fields(record.headers) == [(b"a", b"b")]


@given(FIELDS)
def test_fields_on_the_wire_are_one_line_each(fields):
    assert joined(fields).count(b"\r\n") == len(fields)


@given(FIELDS, st.from_regex(rb"[a-z-]{1,8}", fullmatch=True))
def test_first_finds_in_any_case(fields, name):
    values = [value for key, value in fields if key.lower() == name]
    assert first(fields, name) == (values[0] if values else None)
