"""Every record format: what is written is read again, and back, and what is damaged is told."""

import io
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.records import (
    PLAIN,
    Bad,
    Frame,
    RawRecord,
    RecordFormat,
    Writer,
    read_records,
)
from stranglerfig.acl.records.window import CHUNK
from stranglerfig.errors import ConfigError, InputError


class Drip(io.RawIOBase):
    """A pipe that gives few bytes at a time."""

    def __init__(self, data: bytes, at_once: int) -> None:
        self.data, self.at_once = io.BytesIO(data), at_once

    def read(self, size: int = -1) -> bytes:
        return self.data.read(min(size, self.at_once))


class Endless(io.RawIOBase):
    """A stream of one byte, a given number of times; it never holds them."""

    def __init__(self, size: int, byte: bytes = b"\0", first: bytes = b"") -> None:
        self.left, self.byte, self.first = size, byte, first

    def read(self, size: int = -1) -> bytes:
        if self.first:
            found, self.first = self.first, b""
            return found
        give = min(size, self.left)
        self.left -= give
        return self.byte * give


def write(bodies, form, frames=()):
    out = io.BytesIO()
    writer = Writer(out, form)
    for at, body in enumerate(bodies):
        writer.write(body, frames[at] if frames else PLAIN)
    writer.close()
    assert writer.size == len(out.getvalue())
    return out.getvalue()


def again(data, form, measure=None):
    """Read a file and write what was read; the file's own ends are put back."""
    reader = read_records(io.BytesIO(data), form, measure)
    found = list(reader)
    out = io.BytesIO()
    writer = Writer(out, form)
    for one in found:
        writer.write(one.body, one.frame)
    writer.close()
    return reader.header + out.getvalue() + reader.footer


def read(data, form, measure=None, at_once=None):
    stream = io.BytesIO(data) if at_once is None else Drip(data, at_once)
    return list(read_records(stream, form, measure))


def bodies(found):
    return [one.body for one in found if isinstance(one, RawRecord)]


class ByFirst:
    """The first byte says how many follow."""

    need = 1

    def __call__(self, found):
        return 1 + found[0]


ANY = st.lists(st.binary(min_size=1, max_size=60), max_size=20)
WORDS = [
    RecordFormat(kind=kind, endian=endian, adjust=adjust, counted=counted)
    for kind in ("rdw", "vb")
    for endian in ("big", "little")
    for adjust in (0, -4, 3)
    for counted in (False, True)
    if counted or adjust < 3  # three bytes more than are told: none is shorter
]
ENDS = [b"\n", b"\r\n", b"\x15", b"\x25", b"|~|", b"\0\0"]


@pytest.mark.parametrize(
    "form", WORDS, ids=lambda form: f"{form.kind} {form.endian} {form.adjust} {form.counted}"
)
@settings(max_examples=40)
@given(records=ANY, at_once=st.integers(1, 50))
def test_words_are_read_as_written(form, records, at_once):
    data = write(records, form)
    found = read(data, form, at_once=at_once)
    assert bodies(found) == records
    assert [one.number for one in found] == list(range(1, len(records) + 1))
    assert all(data[one.offset :].startswith(one.body) for one in found)
    assert again(data, form) == data


@pytest.mark.parametrize("end", ENDS, ids=bytes.hex)
@settings(max_examples=40)
@given(records=st.lists(st.binary(max_size=60), max_size=20), at_once=st.integers(1, 50))
def test_delimited_records_are_read_as_written(end, records, at_once):
    form = RecordFormat(kind="delimited", end=end)
    records = [body for body in records if end not in body + end[:-1]]
    data = write(records, form)
    assert bodies(read(data, form, at_once=at_once)) == records
    assert again(data, form) == data


@given(
    size=st.integers(1, 40),
    count=st.integers(0, 20),
    header=st.binary(max_size=9),
    footer=st.binary(max_size=9),
    start=st.integers(0, 3),
    stop=st.integers(0, 3),
    at_once=st.integers(1, 50),
)
def test_fixed_records_with_all_that_may_stand_around(
    size, count, header, footer, start, stop, at_once
):
    form = RecordFormat(length=size, header=len(header), footer=len(footer), start=start, stop=stop)
    whole = [bytes([at % 256]) * (start + size + stop) for at in range(count)]
    data = header + b"".join(whole) + footer
    found = read(data, form, at_once=at_once)
    assert bodies(found) == [one[start : start + size] for one in whole]
    assert again(data, form) == data


def test_the_words_of_a_transfer_and_of_the_mainframe():
    """Bytes as they stand in files, not as we would write them."""
    little = bytes.fromhex("00000200C1C2 00000100C3")
    big = bytes.fromhex("00020000C1C2 00010000C3")
    counted = bytes.fromhex("00060000C1C2 00050000C3")
    blocks = bytes.fromhex("000F0000 00060000C1C2 00050000C3 00090000 00050000C4")
    extended = bytes.fromhex("8000000F 00060000C1C2 00050000C3")
    want = [b"\xc1\xc2", b"\xc3"]
    assert bodies(read(little, RecordFormat(kind="rdw", endian="little"))) == want
    assert bodies(read(big, RecordFormat(kind="rdw"))) == want
    assert bodies(read(counted, RecordFormat(kind="rdw", counted=True))) == want
    assert bodies(read(counted, RecordFormat(kind="rdw", adjust=-4))) == want
    zos = RecordFormat(kind="vb", counted=True, block_counted=True)
    assert bodies(read(blocks, zos)) == [*want, b"\xc4"]
    assert bodies(read(extended, zos)) == want
    for data, form in ((blocks, zos), (extended, zos), (counted, RecordFormat(kind="rdw"))):
        if form is zos:
            assert again(data, form) == data


def test_bytes_of_a_word_that_say_nothing_come_back():
    data = bytes.fromhex("00020001C1C2 00010000C3")
    form = RecordFormat(kind="rdw")
    assert read(data, form)[0].frame == Frame(rdw=b"\0\1")
    assert again(data, form) == data
    mixed = bytes.fromhex("00060007 00020001C1C2 00050000 00010000C3")
    assert again(mixed, RecordFormat(kind="vb")) == mixed


def test_a_block_is_as_long_as_it_may_be():
    form = RecordFormat(kind="vb", counted=True, block_counted=True, block_size=40)
    data = write([b"x" * 10] * 7, form)
    lengths, at = [], 0
    while at < len(data):
        lengths.append(int.from_bytes(data[at : at + 2], "big"))
        at += lengths[-1]
    assert lengths == [32, 32, 32, 18]


def test_line_ends_of_every_kind_come_back():
    data = b"one\r\ntwo\n\nthree"
    form = RecordFormat(kind="line")
    found = read(data, form)
    assert bodies(found) == [b"one", b"two", b"", b"three"]
    assert [one.frame.end for one in found] == [b"\r\n", None, None, b""]
    assert again(data, form) == data


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_records_that_say_their_own_length(records):
    whole = [bytes([len(body)]) + body for body in records]
    form = RecordFormat(kind="measured")
    data = b"".join(whole)
    assert bodies(read(data, form, ByFirst())) == whole
    assert again(data, form, ByFirst()) == data


# -- what is damaged ----------------------------------------------------------------------------


def test_a_fixed_file_that_ends_inside_a_record():
    *good, bad = read(b"AABBC", RecordFormat(length=2))
    assert bodies(good) == [b"AA", b"BB"]
    assert (bad.kind, bad.number, bad.offset, bad.length, bad.body) == ("border", 3, 4, 1, b"C")
    assert "1 of the record's 2 bytes" in bad.reason


def test_a_file_that_ends_inside_a_variable_record():
    found = read(bytes.fromhex("00020000C1C2 00050000C3"), RecordFormat(kind="rdw"))
    assert bodies(found) == [b"\xc1\xc2"]
    assert (found[1].offset, found[1].length) == (6, 5)
    found = read(bytes.fromhex("00020000C1C2 0005"), RecordFormat(kind="rdw"))
    assert "inside a descriptor word" in found[1].reason


def test_records_of_no_bytes_are_told_together_and_the_file_goes_on():
    data = bytes(4 * 5000) + bytes.fromhex("00010000C1") + bytes(4)
    first, good, last = read(data, RecordFormat(kind="rdw"))
    assert (first.number, first.length, first.kind) == (1, 20_000, "border")
    assert "5000 records of no bytes" in first.reason
    assert (good.number, good.body, good.offset) == (5001, b"\xc1", 20_004)
    assert last.reason == "a record of no bytes"


def test_the_wrong_byte_order_is_told_at_once():
    data = bytes.fromhex("00000200C1C2 00000100C3")
    (bad,) = read(data, RecordFormat(kind="rdw"))
    assert (bad.kind, bad.offset) == ("stop", 0)
    assert "the other byte order" in bad.expected
    block = bytes.fromhex("00060000") + data[:6]
    (bad,) = read(block, RecordFormat(kind="vb"))
    assert (bad.kind, bad.body) == ("border", data[:6])


def test_a_length_that_cannot_be_stops_there_and_keeps_the_rest():
    data = bytes.fromhex("00010000C1") + bytes.fromhex("FFFF0000") + b"rest" * 100
    reader = read_records(io.BytesIO(data), RecordFormat(kind="rdw", longest=1000))
    good, bad = list(reader)
    assert (bad.kind, bad.offset, bad.number) == ("stop", 5, 2)
    assert "65535" in bad.reason
    assert bad.body + b"".join(reader.rest()) == data[5:]


def test_a_length_of_two_gibibytes_is_refused():
    form = RecordFormat(kind="rdw", wide=4)
    reader = read_records(io.BytesIO(bytes.fromhex("7FFFFFFF") + bytes(1000)), form)
    (bad,) = reader
    assert (bad.kind, bad.length) == ("stop", 4)
    assert sum(map(len, reader.rest())) == 1000


def test_a_length_below_its_own_header():
    bad = read(bytes.fromhex("00020000C1C2"), RecordFormat(kind="rdw", counted=True))[0]
    assert bad.kind == "stop"
    assert "-2 bytes" in bad.reason


def test_a_wrong_record_inside_a_block_ends_with_the_block():
    good = bytes.fromhex("00020000C1C2")
    wrong = bytes.fromhex("00FF0000C1C2")
    data = bytes.fromhex("000C0000") + good + wrong + bytes.fromhex("00060000") + good
    one, bad, two = read(data, RecordFormat(kind="vb"))
    assert (one.body, two.body) == (b"\xc1\xc2",) * 2
    assert (bad.kind, bad.offset, bad.body) == ("border", 10, wrong)
    assert two.frame.block == b"\0\0"


def test_a_wrong_block_stops():
    reader = read_records(io.BytesIO(bytes.fromhex("00020000 C1C2")), RecordFormat(kind="vb"))
    assert [one.kind for one in reader] == ["stop"]


def test_a_line_too_long_is_kept_and_the_next_is_read():
    form = RecordFormat(kind="line", longest=10)
    data = b"short\n" + b"x" * 35 + b"\nnext\n"
    found = read(data, form, at_once=7)
    assert bodies(found) == [b"short", b"next"]
    wrong = [one for one in found if isinstance(one, Bad)]
    assert b"".join(one.body for one in wrong) == b"x" * 35 + b"\n"
    assert all(a.offset + a.length == b.offset for a, b in pairwise(wrong))
    assert [one.number for one in found if isinstance(one, RawRecord)] == [1, 3]


def test_a_record_too_short_for_what_is_left_out_of_it():
    form = RecordFormat(kind="rdw", start=2, stop=2)
    bad, good = read(bytes.fromhex("00010000C1 00050000C1C2C3C4C5"), form)
    assert bad.kind == "border"
    assert good.body == b"\xc3"


def test_a_measure_that_fails_stops():
    class Never:
        need = 4

        def __call__(self, found):
            raise InputError("no number", place="COUNT", value=found[:1].hex())

    bad = read(b"whatever", RecordFormat(kind="measured"), Never())[0]
    assert bad.kind == "stop"
    assert "COUNT: no number" in bad.reason


@pytest.mark.parametrize(
    ("form", "stream"),
    [
        (RecordFormat(kind="rdw"), Endless(50_000_000)),
        (RecordFormat(kind="vb"), Endless(50_000_000, first=b"\xff\xff\xff\xff")),
        (RecordFormat(kind="vb"), Endless(50_000_000, b"\x7f", first=b"\xff\xff\xff\xff")),
        (RecordFormat(kind="line"), Endless(50_000_000)),
        (RecordFormat(length=1_000_000), Endless(50_000_000)),
        (RecordFormat(kind="delimited", end=b"\0\1"), Endless(50_000_000)),
    ],
    ids=["zeros", "2 GB block", "2 GB block of rubbish", "no line end", "fixed", "no delimiter"],
)
def test_memory_is_bounded(form, stream):
    import tracemalloc

    tracemalloc.start()
    try:
        for _ in read_records(stream, form):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4 * form.longest
    finally:
        tracemalloc.stop()


@settings(max_examples=300)
@given(
    data=st.binary(max_size=400),
    kind=st.sampled_from(["fixed", "rdw", "vb", "line", "delimited", "measured"]),
    endian=st.sampled_from(["big", "little"]),
    counted=st.booleans(),
    adjust=st.integers(-8, 8),
    header=st.integers(0, 5),
    footer=st.integers(0, 5),
)
def test_rubbish_is_parted_whole(data, kind, endian, counted, adjust, header, footer):
    """No byte is lost and none is given twice, whatever stands in a file."""
    form = RecordFormat(
        kind=kind, endian=endian, counted=counted, adjust=adjust, length=7, longest=64,
        header=header, footer=footer, block_counted=counted,
    )  # fmt: skip
    try:
        reader = read_records(io.BytesIO(data), form, ByFirst())
    except InputError as error:
        assert len(data) < header + footer
        assert "shorter" in error.message
        return
    taken = 0
    for one in reader:
        assert len(one.body) <= 64 + 8
        assert data[one.offset :].startswith(one.body)
        taken += one.length if isinstance(one, Bad) else len(one.body)
    taken += sum(len(chunk) for chunk in reader.rest())
    assert taken <= len(data) - header - footer
    assert reader.offset == len(data) - footer
    assert reader.footer == (data[len(data) - footer :] if footer else b"")


@given(
    records=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=20),
    kind=st.sampled_from(["rdw", "vb", "line"]),
)
def test_whatever_could_be_read_is_written_back(records, kind):
    """Any bytes at all: where all of them were records, writing gives the same file."""
    data = b"".join(records)
    form = RecordFormat(kind=kind, longest=64)
    found = read(data, form)
    if all(isinstance(one, RawRecord) for one in found):
        assert again(data, form) == data


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"length": 0},
        {"length": -1},
        {"length": 10**9},
        {"length": 1, "header": -1},
        {"kind": "line", "end": b""},
        {"length": 1, "longest": 0},
        {"kind": "rdw", "word": 1},
        {"kind": "rdw", "wide": 0},
        {"kind": "rdw", "word": 10**6},
    ],
    ids=repr,
)
def test_a_format_that_cannot_be(wrong):
    with pytest.raises(ConfigError) as found:
        RecordFormat(**wrong).check()
    assert found.value.place.startswith("records: ")
    assert found.value.expected


def test_a_measured_format_needs_a_measure():
    with pytest.raises(ConfigError):
        list(read_records(io.BytesIO(b"x"), RecordFormat(kind="measured")))


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (RecordFormat(length=3), b"ab"),
        (RecordFormat(kind="rdw"), bytes(65_536)),
        (RecordFormat(kind="rdw", counted=True), bytes(65_532)),
        (RecordFormat(kind="line"), b"a\nb"),
    ],
    ids=["fixed", "rdw", "rdw counted", "line"],
)
def test_a_record_that_its_format_cannot_hold(form, body):
    with pytest.raises(InputError) as found:
        Writer(io.BytesIO(), form).write(body)
    assert found.value.expected


def test_a_footer_longer_than_what_is_read_at_once():
    footer = bytes(range(256)) * 2000
    data = b"H" + b"ab" * CHUNK + footer
    form = RecordFormat(length=2, header=1, footer=len(footer))
    reader = read_records(Drip(data, 10_000), form)
    assert sum(1 for _ in reader) == CHUNK
    assert (reader.header, reader.footer) == (b"H", footer)


class ByLittle:
    """Needs a byte that may not be there."""

    need = 1

    def __call__(self, found):
        if not found:
            raise InputError("no length")
        return found[0]


def test_a_measured_file_that_ends_before_a_record_begins_is_told():
    found = read(b"-", RecordFormat(kind="measured", start=1), ByLittle())
    assert [one.kind for one in found] == ["stop"]
