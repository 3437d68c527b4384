"""Edited pictures, as the Language Reference prints its examples, and read again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.options import CodecOptions


def codec(picture: str, clause: str = "", **options) -> Codec:
    text = f"       01 R.\n          05 F PIC {picture} {clause}.\n"
    decimal_comma = options.pop("decimal_comma", False)
    return Codec(
        parse_copybook(text, decimal_comma=decimal_comma),
        CodecOptions(**{"encoding": "ascii", **options}),
    )


PRINTED = [
    # simple insertion
    ("99,B999,B000", 1234, "01, 234, 000"),
    ("99,999", 12345, "12,345"),
    ("99/99/9999", 1022026, "01/02/2026"),
    # special insertion
    ("999.99", Decimal("1.23"), "001.23"),
    ("999.99", Decimal("123.45"), "123.45"),
    # fixed insertion
    ("999.99+", Decimal("6555.50") % 1000, "555.50+"),
    ("+9999.99", Decimal("-6555.55"), "-6555.55"),
    ("9999.99-", Decimal("1234.56"), "1234.56 "),
    ("$999.99", Decimal("-123.45").copy_abs(), "$123.45"),
    ("-$999.99", Decimal("-123.456").quantize(Decimal("0.01")), "-$123.46"),
    ("$9999.99CR", Decimal("-123.45"), "$0123.45CR"),
    ("$9999.99DB", Decimal("123.45"), "$0123.45  "),
    # floating insertion
    ("$$$$.99", Decimal("0.12"), "   $.12"),
    ("$$$9.99", Decimal("0.12"), "  $0.12"),
    ("$,$$$,999.99", Decimal("-1234.56").copy_abs(), "   $1,234.56"),
    ("+,+++,999.99", Decimal("-123456.78"), "  -123,456.78"[1:]),
    ("$$,$$$,$$$.99CR", Decimal("-1234567.00"), "$1,234,567.00CR"),
    ("++,+++,+++.+++", Decimal("0.000"), "              "),
    ("--9", -5, " -5"),
    ("----9.99", Decimal("-12.5").quantize(Decimal("0.01")), "  -12.50"),
    # zero suppression and replacement
    ("****.**", Decimal("0.00"), "****.**"),
    ("ZZZZ.ZZ", Decimal("0.00"), "       "),
    ("ZZZZ.99", Decimal("0.00"), "    .00"),
    ("****.99", Decimal("0.00"), "****.00"),
    ("ZZ99.99", Decimal("0.00"), "  00.00"),
    ("Z,ZZZ.ZZ+", Decimal("123.45"), "  123.45+"),
    ("*,***.**+", Decimal("-123.45"), "**123.45-"),
    ("**,***,***.**+", Decimal("12345678.90"), "12,345,678.90+"),
    ("$Z,ZZZ,ZZZ.ZZCR", Decimal("12345.67"), "$   12,345.67  "),
    ("$B*,***,***.**BBDB", Decimal("-12345.67"), "$ ***12,345.67  DB"),
    # what Cobrix's numbers show
    ("+9(8)", -30503932, "-30503932"),
    ("Z(8)-", -305039, "  305039-"),
    ("Z(6)VZZ-", Decimal("-305039.32"), "30503932-"),
    ("Z(6)VZZ-", Decimal("0.05"), "      05 "),
    ("S9(3).99", Decimal("-305.03"), "305.0L"),
    ("S9(3).99", Decimal("305.00"), "305.0{"),
    ("Z(3)9", 7, "   7"),
    ("ZZZ", 0, "   "),
    ("9(3)", 0, "000"),
]


@pytest.mark.parametrize(("picture", "value", "printed"), PRINTED)
def test_printed_and_read(picture, value, printed):
    made = codec(picture)
    record = made.encode({"F": value})
    assert record.decode("ascii") == printed
    found = made.decode(record)["F"]
    assert (found, str(found)) == (value, str(value))
    ebcdic = codec(picture, encoding="cp037")
    assert ebcdic.decode(ebcdic.encode({"F": value})) == {"F": value}


@pytest.mark.parametrize(
    ("picture", "text", "value"),
    [
        ("9(8).9(2)", "789.09     ", Decimal("789.09")),
        ("9(8).9(2)", "    789.09 ", Decimal("789.09")),
        ("9(8).9(2)", "789        ", Decimal("789.00")),
        ("9(8).9(2)", "789.1      ", Decimal("789.10")),
        ("Z(3),Z(3).99", "   1,234.50"[1:], Decimal("1234.50")),
        ("+9(4)", "12345"[1:] + " ", 2345),
        ("9(4)+", "-1234", -1234),
        ("-9(4)", "+1234", 1234),
        ("S9(3).99", "305.03", Decimal("305.03")),
        ("S9(3).99", " -5.03", Decimal("-5.03")),
    ],
)
def test_what_others_put_there(picture, text, value):
    made = codec(picture)
    record = text.encode()
    assert made.decode(record) == {"F": value}
    values, corrections = made.exact(record)
    assert made.encode(values, corrections) == record


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        ("9(8).9(2)", "           "),
        ("9(8).9(2)", "ABCDEFGHIJK"),
        ("9(8).9(2)", "12345.678  "),
        ("9(8).9(2)", "-789.09    "),
        ("+9(4)", "+123-"),
        ("+9(4)", "++123"),
        ("9(4).9", "12.4.5"),
        ("9(4)-", "1 34-"),
    ],
)
def test_what_is_no_number(picture, text):
    made = codec(picture)
    assert made.decode(text.encode()) == {"F": None}
    assert len(made.problems(text.encode())) == 1


def test_blank_when_zero():
    made = codec("ZZ9.99", "BLANK WHEN ZERO")
    assert made.encode({"F": Decimal("0.00")}) == b"      "
    assert made.decode(b"      ") == {"F": Decimal("0.00")}
    assert made.encode({"F": Decimal("1.00")}) == b"  1.00"


def test_the_comma_of_a_program_whose_point_it_is():
    made = codec("Z.ZZ9,99-", decimal_comma=True)
    assert made.encode({"F": Decimal("-1234.50")}) == b"1.234,50-"
    assert made.decode(b"  234,50 ") == {"F": Decimal("234.50")}


def test_a_currency_sign_of_another_country():
    made = codec("€€€9.99", encoding="cp1140")
    assert made.encode({"F": Decimal("1.50")}).decode("cp1140") == "  €1.50"
    assert made.decode("  €1.50".encode("cp1140")) == {"F": Decimal("1.50")}


def test_alphanumeric_edited_texts_are_as_they_are():
    made = codec("XX/XXBX")
    assert made.decode(b"AB/CD E") == {"F": "AB/CD E"}
    assert made.encode({"F": "AB/CD E"}) == b"AB/CD E"


PICTURES = st.sampled_from(
    [
        "+9(6).99",
        "Z(6)9.99-",
        "-(7)9.99",
        "$(7)9.99",
        "$ZZZ,ZZ9.99CR",
        "*(6)9.99-",
        "ZZZ,ZZZ.ZZ+",
        "S9(7).99",
        "+Z(6)9V99",
        "99/99/99.99-",
        "Z(7).99DB",
        "9(7)0.99-",
        "ZZBZZZ.99+",
        "-9(7)V99",
    ]
)


@given(PICTURES, st.integers(-9_999_99, 9_999_99), st.sampled_from(["ascii", "cp037"]))
@settings(max_examples=300, deadline=None)
def test_what_is_printed_is_read(picture, cents, encoding):
    made = codec(picture, encoding=encoding)
    signed = any(one in picture for one in "+-S") or "CR" in picture or "DB" in picture
    value = Decimal(cents if signed else abs(cents)).scaleb(-2)
    record = made.encode({"F": value})
    assert len(record) == made.size
    found = made.decode(record)["F"]
    assert (found, str(found)) == (value, str(value))
    assert made.exact(record) == ({"F": value}, {})


@given(PICTURES, st.text(alphabet="0123456789+-., $*CRDB/LMN\0", max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_number_or_none(picture, text):
    made = codec(picture)
    record = text.encode().ljust(made.size)[: made.size]
    values, corrections = made.exact(record)
    assert values["F"] is None or isinstance(values["F"], Decimal)
    assert made.encode(values, corrections) == record
