"""Whole files: what is decoded and not bad is encoded to the same bytes, whatever they are."""

import io
import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies
from stranglerfig.acl.records import RecordFormat, Writer, read_records
from stranglerfig.acl.records.decoding import Decoding
from stranglerfig.acl.records.encoding import encode_lines
from stranglerfig.acl.records.lines import Framing
from stranglerfig.acl.records.measures import by_counts, by_field
from stranglerfig.acl.records.quarantine import Quarantine, read_quarantine
from stranglerfig.acl.records.record import PLAIN, Bad, Frame
from stranglerfig.errors import ConfigError, FigError, InputError, MappingError

BOOK = parse_copybook(
    "       01  PARCEL.\n"
    "           05  KIND       PIC X.\n"
    "           05  NUMBER-OF  PIC 9(3).\n"
    "           05  WEIGHT     PIC S9(3)V99 COMP-3.\n"
    "           05  EVENT REDEFINES WEIGHT.\n"
    "               10  PLACE  PIC X(2).\n"
    "           05  FILLER     PIC X.\n"
)
RULES = {"EVENT": "KIND = 'E'", "WEIGHT": "KIND != 'E'"}
ENCODER = msgspec.json.Encoder(decimal_format="number")


def decoded(data, form, codec, quarantine, **how):
    reader = read_records(io.BytesIO(data), form)
    return [ENCODER.encode(one.values) for one in Decoding(reader, form, codec, quarantine, **how)]


def encoded(lines, form, codec):
    out = io.BytesIO()
    encode_lines(lines, codec, Writer(out, form), form)
    return out.getvalue()


@pytest.fixture(scope="module")
def scratch():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=150)
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.just("E042".encode("cp037") + b"\x12\x34\x5c\x40"),
            st.just(bytes.fromhex("00080000")),
            st.just(b"\r\n"),
        ),
        max_size=12,
    ).map(b"".join),
    kind=st.sampled_from(["fixed", "rdw", "vb", "line", "delimited"]),
    rules=st.booleans(),
    encoding=st.sampled_from(["cp037", "ascii", "cp1140"]),
    controls=st.sampled_from(["space", "keep"]),
    header=st.integers(0, 3),
    footer=st.integers(0, 3),
    start=st.integers(0, 1),
)
def test_any_bytes_come_back(
    scratch, data, kind, rules, encoding, controls, header, footer, start
):  # fmt: skip
    options = CodecOptions(encoding=encoding, rules=RULES if rules else {}, controls=controls)
    codec = Codec(BOOK, options)
    form = RecordFormat(
        kind=kind, length=8, header=header, footer=footer, start=start, longest=100,
        end=b"\n" if kind == "line" else b"\x15",
    )  # fmt: skip
    if len(data) < header + footer:
        return
    with Quarantine(scratch / "bad.jsonl", "data", len(data)) as bad:
        lines = decoded(data, form, codec, bad)
    if not bad.count:
        assert encoded(lines, form, codec) == data
    elif kind == "fixed":
        rest = (len(data) - header - footer) % (8 + start)
        made = encoded(lines, form, codec)
        assert made == data[: len(data) - footer - rest] + data[len(data) - footer :] or not lines


def test_a_bad_first_record_leaves_the_header_to_the_next(tmp_path):
    codec = Codec(BOOK, CodecOptions(policies=Policies(invalid="error", blank="error")))
    good = "D001".encode("cp037") + b"\x00\x10\x0c\x40"
    wrong = "DX01".encode("cp037") + b"\x00\x10\x0c\x40"
    form = RecordFormat(length=8, header=2, footer=2)
    with Quarantine(tmp_path / "bad.jsonl", "data", 100) as bad:
        lines = decoded(b"<<" + wrong + good + good + wrong + b">>", form, codec, bad)
    assert [json.loads(line).get("$frame") for line in lines] == [
        {"header": "3C3C"},
        {"footer": "3E3E"},
    ]
    assert encoded(lines, form, codec) == b"<<" + good + good + b">>"
    assert [entry.number for entry in read_quarantine(tmp_path / "bad.jsonl")] == [1, 4]


def test_a_block_whose_first_record_is_bad_begins_with_the_next(tmp_path):
    codec = Codec(BOOK, CodecOptions(policies=Policies(invalid="error")))
    good = bytes.fromhex("00080000") + "D001".encode("cp037") + b"\x00\x10\x0c\x40"
    wrong = bytes.fromhex("00080000") + "DX01".encode("cp037") + b"\x00\x10\x0c\x40"
    form = RecordFormat(kind="vb")
    data = bytes.fromhex("00180000") + good + good + bytes.fromhex("00180000") + wrong + good
    with Quarantine(tmp_path / "bad.jsonl", "data", len(data)) as bad:
        lines = decoded(data, form, codec, bad)
    made = encoded(lines, form, codec)
    assert made == data[:28] + bytes.fromhex("000C0000") + good


def test_a_line_end_is_said_where_it_changes():
    framing = Framing(b"\n")
    frames = [Frame(end=b"\r\n")] * 3 + [PLAIN] * 2 + [Frame(end=b"")]
    told = [framing.tell(frame) for frame in frames]
    assert told == [{"end": "0D0A"}, {}, {}, {"end": "0A"}, {}, {"end": ""}]
    framing = Framing(b"\n")
    assert [framing.hear(one or None, "line") for one in told] == frames


@given(
    st.lists(
        st.builds(
            Frame,
            rdw=st.sampled_from([b"", b"\1\2"]),
            block=st.sampled_from([None, b"", b"\0\0"]),
            end=st.sampled_from([None, b"", b"\r\n"]),
            start=st.binary(max_size=2),
            stop=st.binary(max_size=2),
        ),
        max_size=8,
    )
)
def test_frames_are_heard_as_they_were_told(frames):
    tell, hear = Framing(b"\n"), Framing(b"\n")
    assert [hear.hear(tell.tell(frame) or None, "") for frame in frames] == frames


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"KIND":"D","NUMBER-OF":1,"WEIGHT":"heavy"}',
        b'{"$frame":{"rwd":"00"}}',
        b'{"$frame":"00"}',
        b'{"$frame":{"rdw":"0"}}',
        b'{"$frame":{"rdw":1}}',
        b'{"$bytes":[]}',
        b'{"$bytes":{"4":"X"}}',
        b'{"$bytes":{"400":"00"}}',
    ],
)
def test_a_wrong_line_is_named(line):
    good = b'{"KIND":"D","NUMBER-OF":1,"WEIGHT":1.5}'
    form = RecordFormat(length=8)
    with pytest.raises(MappingError) as found:
        encoded([good, b"\n", line, good], form, Codec(BOOK))
    (problem,) = found.value.problems
    assert problem.place.startswith("line 3")
    assert problem.message


def test_no_more_than_twenty_wrong_lines_are_looked_for():
    def lines():
        yield from [b"{}x"] * 20
        raise AssertionError("enough is known")

    with pytest.raises(MappingError) as found:
        encoded(lines(), RecordFormat(length=8), Codec(BOOK))
    assert len(found.value.problems) == 20


# -- how long a record is ------------------------------------------------------------------------

TABLES = parse_copybook(
    "       01  ORDER-LINE.\n"
    "           05  N          PIC 9.\n"
    "           05  M          PIC 9 COMP-3.\n"
    "           05  PART OCCURS 0 TO 4 DEPENDING ON N.\n"
    "               10  NAME   PIC X(3).\n"
    "           05  NOTE OCCURS 1 TO 3 DEPENDING ON M PIC X(2).\n"
    "           05  TAIL       PIC X(2).\n"
    "           05  TAIL-NUM REDEFINES TAIL PIC 99.\n"
)
SHIFT = CodecOptions(encoding="ascii", occurs="shift")


@given(n=st.integers(0, 4), m=st.integers(1, 3))
def test_counts_say_how_long_a_record_is(n, m):
    measure = by_counts(TABLES, SHIFT)
    record = f"{n}".encode() + bytes([m * 16 + 15]) + b"abc" * n + b"xy" * m + b"99"
    assert measure(record + b"the next one") == len(record)
    assert measure.need >= len(record)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (b"9\x1f", "entries"),
        (b"0\x4f", "entries"),
        (b"X\x1f", "number"),
        (b"1", "number"),
        (b"", "number"),
    ],
)
def test_counts_that_cannot_be(record, said):
    with pytest.raises(InputError) as found:
        by_counts(TABLES, SHIFT)(record)
    assert said in found.value.message


def test_counts_do_not_matter_where_tables_keep_their_room():
    assert by_counts(TABLES, CodecOptions()) is None
    assert by_counts(BOOK, SHIFT) is None


def test_several_records_leave_the_length_open():
    several = parse_copybook(
        "       01  A.\n           05 N PIC 9.\n"
        "           05 T OCCURS 0 TO 2 DEPENDING ON N PIC X.\n"
        "       01  B.\n           05 X PIC X.\n"
    )
    with pytest.raises(ConfigError, match="several 01 levels"):
        by_counts(several, SHIFT)


@pytest.mark.parametrize("name", ["PART", "NAME", "NOTHING"])
def test_what_cannot_hold_a_length(name):
    with pytest.raises(FigError):
        by_field(TABLES, SHIFT, name)


def test_a_field_holds_the_length():
    measure = by_field(BOOK, CodecOptions(), "NUMBER-OF", adjust=-4)
    assert measure("D042".encode("cp037")) == 38
    assert measure.need == 4


# -- the quarantine ------------------------------------------------------------------------------


def bad(number, reason="wrong"):
    return Bad(
        kind="record", number=number, offset=number * 8, length=2, body=b"\xc1\xc2", reason=reason
    )


def test_a_quarantine_without_a_record_is_no_file(tmp_path):
    with Quarantine(tmp_path / "bad.jsonl", "data", 10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_raises_leaves_no_half_quarantine(tmp_path):
    def fail():
        with Quarantine(tmp_path / "bad.jsonl", "data", 10) as kept:
            kept.add(bad(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_reasons_are_counted_and_do_not_fill_the_memory(tmp_path):
    with Quarantine(tmp_path / "bad.jsonl", "data", 10) as kept:
        for number in range(200):
            kept.add(bad(number, f"reason {number % 100}"))
    assert kept.count == 200
    assert len(kept.reasons) <= 51
    assert sum(kept.reasons.values()) == 200
    assert len(list(read_quarantine(tmp_path / "bad.jsonl"))) == 200


@pytest.mark.parametrize("line", [b"{}", b"x", b'{"file":1}', b"\xff"])
def test_a_line_that_is_no_entry_is_named(tmp_path, line):
    (tmp_path / "bad.jsonl").write_bytes(line)
    with pytest.raises(InputError, match="line 1"):
        list(read_quarantine(tmp_path / "bad.jsonl"))
