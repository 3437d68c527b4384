"""Columns give what rows give: on records that are right, and on bytes that nobody meant."""

from __future__ import annotations

import io
import os
import struct
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.columns import columns
from stranglerfig.acl.copybook import parse_copybook, read_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies
from stranglerfig.acl.copybook.codec.problem import RecordError
from stranglerfig.errors import ConfigError, EnvelopeError

PICTURES = [
    "X(7)",
    "A(3)",
    "9(1)",
    "9(5)",
    "S9(5)",
    "S9(3)V99",
    "9(18)",
    "S9(19)",
    "S9(20)V9(17)",
    "9(38)",
    "S9(4)V99 SIGN LEADING",
    "S9(4)V99 SIGN LEADING SEPARATE",
    "S9(4) SIGN TRAILING SEPARATE",
    "S9(5) COMP-3",
    "9(4)V99 COMP-3",
    "S9(17) COMP-3",
    "S9(18) COMP-3",
    "S9(20)V99 COMP-3",
    "9(6) COMP-6",
    "S9(4) COMP",
    "9(4)V9 COMP",
    "S9(9) COMP-5",
    "9(9) COMP",
    "S9(18) COMP",
    "9(18) COMP-5",
    "S9(10) COMP-9",
    "9(20) COMP",
    "S9(5)PPP COMP-3",
    "SPPP9(5)",
    "9(3)P(18)",
    "Z(5)9.99-",
    "+9(6)",
    "COMP-1",
    "COMP-2",
]


def book(*clauses: str) -> str:
    lines = ["       01  R."]
    for number, clause in enumerate(clauses):
        picture = clause if clause.startswith(("COMP", "OCCURS")) else f"PIC {clause}"
        lines.append(f"           05  F{number} {picture}.")
    return "\n".join(lines)


def same(row, column):
    """Say whether a row's value is a column's: text stands for numbers that Arrow has no room for."""
    if isinstance(row, dict):
        return row.keys() == column.keys() and all(same(row[k], column[k]) for k in row)
    if isinstance(row, list):
        return len(row) == len(column) and all(map(same, row, column))
    if isinstance(row, float) and column is not None:
        # COMP-1 comes as the shortest decimal in rows, as its float in columns.
        return column == row or column == struct.unpack(">f", struct.pack(">f", row))[0]
    if isinstance(row, int | Decimal) and isinstance(column, str):
        return Decimal(column) == row
    return row == column


def check(codec: Codec, body: bytes) -> None:
    made = columns(codec).decode(body)
    made.validate(full=True)
    rows = [codec.decode(body[at : at + codec.size]) for at in range(0, len(body), codec.size)]
    for row, column in zip(rows, made.to_pylist(), strict=True):
        assert same(row, column), (row, column)


@pytest.mark.parametrize("encoding", ["cp037", "cp1140", "ascii"])
@pytest.mark.parametrize("picture", PICTURES)
def test_any_bytes_give_what_rows_give(picture, encoding):
    codec = Codec(parse_copybook(book(picture)), CodecOptions(encoding=encoding))
    likely = st.sampled_from(" 0123456789+-.AJR{}".encode(encoding) + b"\x00\x0c\x0d\x0f\x12\xd1")

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def run(data):
        count = data.draw(st.integers(0, 4))
        one = st.one_of(likely, st.integers(0, 255))
        body = data.draw(st.lists(one, min_size=codec.size * count, max_size=codec.size * count))
        check(codec, bytes(body))

    run()


@pytest.mark.parametrize("picture", PICTURES)
def test_numbers_that_were_written_come_back(picture):
    codec = Codec(parse_copybook(book(picture)))
    item = codec.copybook.records[0].children[0]
    shape = item.picture
    if shape is None or shape.category not in ("numeric", "numeric-edited"):
        return

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(-(10**shape.digits) + 1, 10**shape.digits - 1), min_size=1))
    def run(numbers):
        body = b""
        for number in numbers:
            value = number if shape.signed else abs(number)
            scaled = (
                value * 10**-shape.scale if shape.scale <= 0 else Decimal(f"{value}e-{shape.scale}")
            )
            try:
                body += codec.encode({"F0": scaled})
            except RecordError:
                return
        check(codec, body)

    run()


def test_a_digit_in_the_place_of_a_sign():
    check(Codec(parse_copybook(book("S9(4)V99 SIGN LEADING SEPARATE"))), b"\xf1" + b"\xf0" * 6)


def test_tables_groups_and_what_redefines():
    codec = Codec(
        parse_copybook(
            """
       01  R.
           05  KIND      PIC X.
           05  N         PIC 9.
           05  T OCCURS 0 TO 3 TIMES DEPENDING ON N.
               10  A     PIC S9(3) COMP-3.
               10  B     PIC X(2) OCCURS 2.
           05  P         PIC X(4).
           05  Q REDEFINES P PIC 9(4).
           05  G.
               10  FILLER PIC X.
               10  H     PIC 9(2).
"""
        ),
        CodecOptions(rules={"P": "KIND = 'T'", "Q": "KIND = 'N'"}),
    )
    entry = {"A": -12, "B": ["ab", "c"]}
    body = codec.encode({"KIND": "T", "N": 2, "T": [entry, entry], "P": "word", "G": {"H": 7}})
    body += codec.encode({"KIND": "N", "N": 0, "T": [], "Q": 12, "G": {"H": 8}})
    check(codec, body)
    made = columns(codec).decode(body).to_pylist()
    assert [row["P"] for row in made] == ["word", None]
    assert [row["Q"] for row in made] == [None, 12]
    assert [len(row["T"]) for row in made] == [2, 0]


def test_policies_are_those_of_rows():
    options = CodecOptions(policies=Policies(blank="zero", low="zero", invalid="null", zero="null"))
    codec = Codec(parse_copybook(book("9(3)", "S9(3) COMP-3")), options)
    check(codec, b"\x40\x40\x40\x00\x00" + b"\xf0\xf0\xf0\x00\x0c" + b"\xc1\x40\xf1\xff\xff")


def test_a_policy_that_says_error_raises_it():
    codec = Codec(parse_copybook(book("9(3)")), CodecOptions(policies=Policies(invalid="error")))
    with pytest.raises(Exception, match="cannot be read"):
        columns(codec).decode(b"\xf1\xc1\xff")


def test_a_stream_in_batches_and_a_record_that_is_cut_short():
    codec = Codec(parse_copybook(book("X(2)")))
    made = columns(codec)
    body = "aabbccdd".encode("cp037")
    batches = list(made.batches(io.BytesIO(body), records=3))
    assert [batch.num_rows for batch in batches] == [3, 1]
    assert pa.Table.from_batches(batches).to_pydict() == {"F0": ["aa", "bb", "cc", "dd"]}
    with pytest.raises(EnvelopeError, match="cut short"):
        list(made.batches(io.BytesIO(body[:-1])))


def test_records_of_different_lengths_have_no_columns():
    text = (
        "       01 R.\n          05 N PIC 9.\n          05 T PIC X OCCURS 1 TO 5 DEPENDING ON N.\n"
    )
    codec = Codec(parse_copybook(text), CodecOptions(occurs="shift"))
    with pytest.raises(ConfigError, match="no columns"):
        columns(codec)


@pytest.mark.parametrize(
    ("case", "data", "encoding"),
    [
        ("test1_copybook.cob", "test1_data", "cp037"),
        ("test3_copybook.cob", "test3_data", "cp037"),
        ("test6_copybook.cob", "test6_data", "cp037"),
        ("test9_copybook.cob", "test9_data", "cp1140"),
        ("test10_copybook.cob", "test10_data", "ascii"),
        ("test19_display_num.cob", "test19_display_num", "cp037"),
    ],
)
def test_files_of_others(case, data, encoding):
    if "FIG_DATA" not in os.environ:
        pytest.skip("FIG_DATA names no folder with real data")
    folder = Path(os.environ["FIG_DATA"]) / "copybooks"
    codec = Codec(read_copybook(folder / case), CodecOptions(encoding=encoding))
    (file,) = [one for one in (folder / data).iterdir() if not one.name.startswith(".")]
    check(codec, file.read_bytes())
