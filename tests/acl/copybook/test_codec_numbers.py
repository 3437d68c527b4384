"""Every usage and picture, both ways, and bytes that are no number."""

from __future__ import annotations

import string
import struct
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions
from stranglerfig.acl.copybook.codec.problem import RecordError


def codec(clause: str, **options) -> Codec:
    return Codec(
        parse_copybook(f"       01 R.\n          05 F {clause}.\n"), CodecOptions(**options)
    )


def read(clause: str, digits: str, **options) -> object:
    return codec(clause, **options).decode(bytes.fromhex(digits))["F"]


def written(clause: str, value: object, **options) -> str:
    return codec(clause, **options).encode({"F": value}).hex()


BOTH_WAYS = [
    ("PIC 9(4)", "f0f0f4f2", 42),
    ("PIC 9(3)V99", "f1f2f3f4f5", Decimal("123.45")),
    ("PIC S9(3)", "f1f2c3", 123),
    ("PIC S9(3)", "f1f2d3", -123),
    ("PIC S9", "d1", -1),
    ("PIC S9(3) SIGN LEADING", "d1f2f3", -123),
    ("PIC S9(3) SIGN LEADING SEPARATE", "60f1f2f3", -123),
    ("PIC S9(3) SIGN TRAILING SEPARATE", "f1f2f34e", 123),
    ("PIC S9V99 SIGN TRAILING SEPARATE", "f1f2f360", Decimal("-1.23")),
    ("PIC SPP999", "f1f2d3", Decimal("-0.00123")),
    ("PIC 9(3)PP", "f1f2f3", 12300),
    ("PIC 9(37)", "f9" * 37, 10**37 - 1),
    ("PIC 9(3) COMP-3", "123f", 123),
    ("PIC 9(4) COMP-3", "01234f", 1234),
    ("PIC S9(3) COMP-3", "123c", 123),
    ("PIC S9(3)V99 COMP-3", "12345d", Decimal("-123.45")),
    ("PIC S9(16)V99 COMP-3", "0123456789012345678d", Decimal("-1234567890123456.78")),
    ("PIC SV9(5) COMP-3", "00001c", Decimal("0.00001")),
    ("PIC 9(5)PPP COMP-3", "30503f", 30503000),
    ("PIC 9(4) COMP-6", "1234", 1234),
    ("PIC 9(3)V9 COMP-6", "1234", Decimal("123.4")),
    ("PIC S9(4) COMP", "fffe", -2),
    ("PIC 9(4) COMP", "04d2", 1234),
    ("PIC 9(4) COMP", "ffff", 65535),
    ("PIC S9(9) BINARY", "80000000", -(2**31)),
    ("PIC S9(18) COMP-4", "ffffffffffffffff", -1),
    ("PIC S9(7)V99 COMP", "fffffb2e", Decimal("-12.34")),
    ("PIC 9(9) COMP-5", "ffffffff", 2**32 - 1),
    ("PIC S9(4) COMP-9", "feff", -2),
    ("PIC 99 COMP-9", "ff", 255),
    ("PIC S9(20) COMP", "fffffffffffffffffe", -2),
    ("PIC S9(3)PPP COMP", "007b", 123000),
    ("PIC 9(3) USAGE NATIONAL", "003100320033", 123),
    ("COMP-2", "c1e69ff3b0b0f9f0", struct.unpack(">d", bytes.fromhex("c1e69ff3b0b0f9f0"))[0]),
    ("COMP-1", "c6ee4fdc", -30503.93),
    ("PIC X(4)", "c1c24040", "AB"),
    ("PIC X(4) JUSTIFIED RIGHT", "4040c1c2", "AB"),
    ("PIC A(2)", "c1c2", "AB"),
    ("PIC N(3)", "004101510020", "Aő"),
    ("PIC 9(3) BLANK WHEN ZERO", "404040", 0),
    ("PIC +9.99E+99", "4ef14bf2f3c560f0f4", Decimal("1.23E-4")),
    ("PIC -9V99E-99", "60f1f2f3c540f0f4", Decimal(-12300)),
]


@pytest.mark.parametrize(("clause", "digits", "value"), BOTH_WAYS)
def test_both_ways(clause, digits, value):
    found = read(clause, digits)
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, Decimal) and "E" not in clause.split("COMP")[0].replace("PIC", ""):
        assert str(found) == str(value)
    assert written(clause, value) == digits


@pytest.mark.parametrize(
    ("form", "size", "digits", "value"),
    [
        ("COMP-1", 4, "c276a000", -118.625),  # the manual's example of hexadecimal floating point
        ("COMP-1", 4, "41100000", 1.0),
        ("COMP-1", 4, "40800000", 0.5),
        ("COMP-1", 4, "00000000", 0.0),
        ("COMP-2", 8, "c276a00000000000", -118.625),
        ("COMP-2", 8, "411999999999999a", 1.6),
        ("COMP-2", 8, "4019999999999998", 0.09999999999999998),
    ],
)
def test_ibm_floats(form, size, digits, value):
    assert read(form, digits, floats="ibm") == value
    assert read(form, written(form, value, floats="ibm"), floats="ibm") == value


def test_a_single_is_the_shortest_decimal_that_makes_its_bytes():
    for value in (0.1, 1 / 3, 16777216.0, 3.4e38, 1e-45, -30503.93, 78449.73):
        raw = struct.pack(">f", value)
        found = codec("COMP-1").decode(raw)["F"]
        assert struct.pack(">f", found) == raw
        assert len(repr(found)) <= len(repr(struct.unpack(">f", raw)[0]))
    assert read("COMP-1", struct.pack(">f", 0.1).hex()) == 0.1


def test_ibm_singles_are_short_as_well():
    assert read("COMP-1", "4019999a", floats="ibm") == 0.1


@pytest.mark.parametrize("digits", ["7f800000", "ff800000", "7fc00000"])
def test_what_is_no_number_in_ieee_is_none(digits):
    assert read("COMP-1", digits) is None


@pytest.mark.parametrize(
    ("clause", "digits", "value"),
    [
        ("PIC 9(5)", "4040f1f2f3", 123),  # spaces around a number, as others read them
        ("PIC 9(5)", "f1f2f34040", 123),
        ("PIC 9(3)", "f1f2c3", 123),  # a plus where none is needed
        ("PIC S9(3)", "f1f2f3", 123),
        ("PIC S9(4)", "60f1f2f3", -123),  # a separate sign where none was asked for
        ("PIC S9(4)", "f1f2f360", -123),
        ("PIC S9(3)V99 COMP-3", "12345f", Decimal("123.45")),
        ("PIC 9(4) COMP-3", "91234f", 91234),  # the spare half byte, as the machine reads it
        ("PIC S9(2)V9 COMP-3", "000d", Decimal("0.0")),
        ("PIC S9V9", "f0d0", Decimal("0.0")),
    ],
)
def test_more_is_read_than_is_written(clause, digits, value):
    found = read(clause, digits)
    assert (found, str(found)) == (value, str(value))
    assert codec(clause).problems(bytes.fromhex(digits)) == []


@pytest.mark.parametrize(
    ("clause", "digits"),
    [
        ("PIC 9(3)", "404040"),
        ("PIC 9(3)", "000000"),
        ("PIC 9(3)", "f1c1f3"),
        ("PIC 9(3)", "f140f3"),
        ("PIC 9(3)", "f1f2d3"),  # a minus without an S
        ("PIC 9(3)", "f1f26d"),
        ("PIC 9(3)", "f1f24b"),
        ("PIC S9(3)", "c1f2f3"),  # the sign at the wrong end
        ("PIC S9(3) SIGN LEADING", "f1f2d3"),
        ("PIC S9(3) SIGN LEADING SEPARATE", "60f1f2d3"),
        ("PIC S9(3) SIGN LEADING SEPARATE", "6060f1f2"),
        ("PIC S9(3) COMP-3", "1230"),
        ("PIC S9(3) COMP-3", "123a"),
        ("PIC S9(3) COMP-3", "1a3c"),
        ("PIC S9(3)V9 COMP-3", "01e3c0"),
        ("PIC S9(5)V9 COMP-3", "012e4c0c"),  # an E would be an exponent
        ("PIC S9V9(4)", "f1c5f2f3f4"),
        ("PIC S9(3) COMP-3", "4040"),
        ("PIC S9(3) COMP-3", "0000"),
        ("PIC 9(9) COMP", "f0f0f0f0"),
        ("PIC 9(4) COMP-6", "12a4"),
        ("PIC 9(3) USAGE NATIONAL", "013100320033"),
        ("PIC +9.99E+99", "4ef14bf2f3c560f0c1"),
    ],
)
def test_what_is_no_number_is_null_and_reported(clause, digits):
    made, record = codec(clause), bytes.fromhex(digits)
    assert made.decode(record) == {"F": None}
    (problem,) = made.problems(record)
    assert (problem.path, problem.offset, problem.size, problem.hex) == (
        "F",
        0,
        len(record),
        digits,
    )
    values, corrections = made.exact(record)
    assert made.encode(values, corrections) == record


@pytest.mark.parametrize(
    ("clause", "value"),
    [
        ("PIC 9(3)", 1000),
        ("PIC 9(3)", -1),
        ("PIC 9(3)", Decimal("1.5")),
        ("PIC 9(3)", 1.0),
        ("PIC 9(3)", "12"),
        ("PIC 9(3)V9", Decimal("1.25")),
        ("PIC 9(3)V9", Decimal("NaN")),
        ("PIC 9(3)V9", Decimal("Infinity")),
        ("PIC 9(3)V9", Decimal("1E+500")),
        ("PIC 9(3)PP", 12345),
        ("PIC S9(3) COMP-3", -1000),
        ("PIC 9(4) COMP-3", 12345),
        ("PIC 9(3) COMP-3", -1),
        ("PIC S9(4) COMP", 32768),
        ("PIC 9(4) COMP", -1),
        ("PIC 9(9) COMP", 2**31),
        ("PIC S9(4)V99 COMP", Decimal("0.001")),
        ("PIC S9(4)V99 COMP", "1"),
        ("COMP-1", "1"),
        ("COMP-1", 1e39),
        ("COMP-2", float("nan")),
        ("PIC X(3)", "ABCD"),
        ("PIC X(3)", "Ω"),
        ("PIC X(3)", 5),
        ("PIC X(3)", b"ABC"),
        ("PIC X(3)", ["A"]),
        ("PIC N(3)", "ABCD"),
        ("PIC +9.99E+99", Decimal("1.2345")),
        ("PIC Z(3)9", 12345),
        ("PIC Z(3)9", -1),
    ],
)
def test_what_does_not_fit_is_refused(clause, value):
    with pytest.raises(RecordError) as refused:
        codec(clause).encode({"F": value})
    (problem,) = refused.value.problems
    assert problem.path == "F"
    assert problem.reason
    assert refused.value.exit_status == 4


def test_ascii_overpunch_is_read_in_both_conventions():
    for text, value in (("12C", 123), ("12L", -123), ("12s", -123), ("123", 123), ("12{", 120)):
        assert read("PIC S9(3)", text.encode().hex(), encoding="ascii") == value
    for text, value in (("-12", -12), ("+12", 12), (" 12", 12)):
        assert read("PIC S9(3)", text.encode().hex(), encoding="ascii") == value
    assert bytes.fromhex(written("PIC S9(3)", -123, encoding="ascii")) == b"12L"
    assert bytes.fromhex(written("PIC S9(3)", -123, encoding="ascii", overpunch="p-y")) == b"12s"
    assert bytes.fromhex(written("PIC S9(3)", 123, encoding="ascii", overpunch="p-y")) == b"123"


def test_endian_of_a_machine_that_is_no_mainframe():
    assert read("PIC S9(4) COMP", "feff", endian="little") == -2
    assert read("PIC S9(4) COMP-9", "feff", endian="little") == -2
    assert written("PIC S9(9) COMP-5", 1, endian="little") == "01000000"
    assert read("COMP-1", "dc4feec6", endian="little") == -30503.93


def test_overpunch_in_a_page_where_the_braces_stand_elsewhere():
    assert read("PIC S9(2)", "f1d0", encoding="cp273") == -10
    assert written("PIC S9(2)", -10, encoding="cp273") == "f1d0"
    assert written("PIC S9(2)", 10, encoding="cp273") == "f1c0"


# Properties.

SIGNED = st.sampled_from(["", "S"])
USAGES = st.sampled_from(["", "COMP", "COMP-3", "COMP-5", "COMP-9", "COMP-6"])
SIGNS = st.sampled_from(["", "SIGN LEADING", "SIGN LEADING SEPARATE", "SIGN TRAILING SEPARATE"])


@st.composite
def numbers(draw):
    """A clause, and a number that fits it."""
    before, behind = draw(st.integers(0, 20)), draw(st.integers(0, 12))
    usage, sign = draw(USAGES), draw(SIGNED)
    if before + behind == 0:
        before = 1
    sign = "" if usage == "COMP-6" else sign
    picture = sign + (f"9({before})" if before else "") + (f"V9({behind})" if behind else "")
    clause = f"PIC {picture} {usage}"
    if not usage and sign:
        clause += draw(SIGNS)
    digits = draw(st.integers(0, 10 ** (before + behind) - 1))
    digits = -digits if sign and draw(st.booleans()) else digits
    # Made of text, as arithmetic on decimals rounds to 28 digits.
    value = Decimal(f"{digits}E-{behind}") if behind else digits
    return clause, value


@given(numbers(), st.sampled_from(["cp037", "ascii", "cp273"]))
@settings(max_examples=150, deadline=None)
def test_a_number_that_fits_comes_back(number, encoding):
    clause, value = number
    made = codec(clause, encoding=encoding)
    record = made.encode({"F": value})
    found = made.decode(record)["F"]
    assert found == value
    assert str(found) == str(value)
    assert made.exact(record) == ({"F": value}, {})
    assert made.problems(record) == []


@given(st.text(alphabet=string.printable[:95], max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_text_that_fits_comes_back(text):
    made = codec("PIC X(12)", trim="none")
    assert made.decode(made.encode({"F": text}))["F"].rstrip(" ") == text.rstrip(" ")


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
@settings(max_examples=100, deadline=None)
def test_a_single_comes_back(value):
    made = codec("COMP-1")
    assert struct.pack(">f", made.decode(made.encode({"F": value}))["F"]) == struct.pack(
        ">f", value
    )


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e70, max_value=1e70))
@settings(max_examples=100, deadline=None)
def test_a_double_comes_back_near_enough_in_ibm_format(value):
    # Its fraction has 53 to 56 bits: never fewer than a double's.
    made = codec("COMP-2", floats="ibm")
    if abs(value) > 1e-70 or value == 0:
        assert made.decode(made.encode({"F": value}))["F"] == value


@given(st.binary(min_size=8, max_size=8))
@settings(max_examples=100, deadline=None)
def test_ibm_bytes_come_back(raw):
    made = codec("COMP-2", floats="ibm")
    values, corrections = made.exact(raw)
    assert made.encode(values, corrections) == raw
