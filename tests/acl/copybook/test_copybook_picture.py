"""Pictures: what each says, and which are none."""

import pytest

from stranglerfig.acl.copybook.parse.picture import parse_picture

TAKEN = [
    # text, category, size, digits, scale, signed
    ("9999", "numeric", 4, 4, 0, False),
    ("9(05)", "numeric", 5, 5, 0, False),
    ("s9(3)v9(2)", "numeric", 5, 5, 2, True),
    ("S99(5)99", "numeric", 8, 8, 0, True),
    ("SV9(7)", "numeric", 7, 7, 7, True),
    ("9(3)V", "numeric", 3, 3, 0, False),
    ("SPPP9(5)", "numeric", 5, 5, 8, True),
    ("P(3)999", "numeric", 3, 3, 6, False),
    ("VPP99", "numeric", 2, 2, 4, False),
    ("S9(5)PPP", "numeric", 5, 5, -3, True),
    ("S9PPPV", "numeric", 1, 1, -3, True),
    ("X", "alphanumeric", 1, 0, 0, False),
    ("XX(5)X", "alphanumeric", 7, 0, 0, False),
    ("A9X", "alphanumeric", 3, 0, 0, False),
    ("A(5)", "alphabetic", 5, 0, 0, False),
    ("XXBXX/00", "alphanumeric-edited", 8, 0, 0, False),
    ("N(10)", "national", 10, 0, 0, False),
    ("G(4)", "national", 4, 0, 0, False),
    ("+9(8)", "numeric-edited", 9, 8, 0, True),
    ("9(8)+", "numeric-edited", 9, 8, 0, True),
    ("Z(8)-", "numeric-edited", 9, 8, 0, True),
    ("Z(6)VZZ-", "numeric-edited", 9, 8, 2, True),
    ("9(6).99-", "numeric-edited", 10, 8, 2, True),
    ("9(8).9(2)", "numeric-edited", 11, 10, 2, False),
    ("S9(3).99", "numeric-edited", 6, 5, 2, True),
    (".999", "numeric-edited", 4, 3, 3, False),
    ("+++9.99", "numeric-edited", 7, 5, 2, True),
    ("-(8)9", "numeric-edited", 9, 8, 0, True),
    ("$$$,$$9.99", "numeric-edited", 10, 7, 2, False),
    ("$Z,ZZ9.99DB", "numeric-edited", 11, 6, 2, True),
    ("***,**9.99CR", "numeric-edited", 12, 8, 2, True),
    ("-$$$9.99", "numeric-edited", 8, 5, 2, True),
    ("€ZZ9", "numeric-edited", 4, 3, 0, False),
    ("99/99/9999", "numeric-edited", 10, 8, 0, False),
    ("99B99B0", "numeric-edited", 7, 4, 0, False),
    ("+9.9(4)E+99", "float", 11, 5, 4, True),
    ("-9(3)V99E-99", "float", 10, 5, 2, True),
]


@pytest.mark.parametrize(
    ("text", "category", "size", "digits", "scale", "signed"), TAKEN, ids=[row[0] for row in TAKEN]
)
def test_picture(text, category, size, digits, scale, signed):
    picture = parse_picture(text)
    found = (picture.category, picture.size, picture.digits, picture.scale, picture.signed)
    assert found == (category, size, digits, scale, signed)
    assert picture.text == text


REFUSED = [
    "SX(30)",
    "S9(5)V(5)",
    "9(3)VXX",
    "Y",
    "(10)9",
    "XVX",
    "X.X",
    "9.A",
    "SXXX",
    "S(10)999",
    "9(10)S99",
    "9(2(3))",
    "9(2)(3)",
    "9((3))",
    "9(5",
    "9()",
    "95",
    "9(9V9)",
    "9.9.9",
    "99V99.99",
    "9(10)VV9",
    "9(100000)",
    "9P9",
    "9(5)P(5)9(5)",
    "P(5)",
    "SP(5)",
    "S9P(5)9",
    "V",
    "SV",
    "+9(8)+",
    "9+(8)",
    "X(0)",
    "X(999999999999)",
    "9Z",
    "Z*9",
    "9$9",
    "CR9",
    "99CRDB",
    "+-",
    "$",
    "-9+",
    "9(-3)",
    "U(5)",
    "NX",
    "9E5",
    "+9E+9",
    "1",
    "99,S",
    "9(9)V9(16777216)",
]


@pytest.mark.parametrize("text", REFUSED)
def test_no_picture(text):
    with pytest.raises(ValueError, match=r"."):
        parse_picture(text)


def test_the_comma_can_be_the_point():
    picture = parse_picture("ZZ.ZZ9,99", comma=True)
    assert (picture.symbols, picture.digits, picture.scale) == ("ZZ,ZZ9.99", 7, 2)
    assert parse_picture("ZZ.ZZ", comma=True).scale == 0


def test_a_currency_sign_of_ones_own():
    assert parse_picture("FFF9", currency="F").symbols == "$$$9"
    with pytest.raises(ValueError, match="no symbol"):
        parse_picture("FFF9")
