"""What is found in free text, and what is not."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stranglerfig.acl.masking.card import is_card, luhn
from stranglerfig.acl.masking.detect import apart, detect
from stranglerfig.acl.masking.iban import is_iban
from stranglerfig.acl.masking.national import (
    is_bsn,
    is_codice_fiscale,
    is_dni,
    is_nino,
    is_nir,
    is_ssn,
    is_tax_id,
)


def found(text):
    return [(text[one.start : one.end], one.tag.removeprefix("pii.")) for one in detect(text)]


# The examples of the SWIFT registry, of the card networks' test pages, of the authorities' own.
HITS = [
    ("AL47 2121 1009 0000 0002 3569 8741", "iban"),
    ("BE68539007547034", "iban"),
    ("CH9300762011623852957", "iban"),
    ("DE89 3704 0044 0532 0130 00", "iban"),
    ("de89370400440532013000", "iban"),
    ("ES91-2100-0418-4502-0005-1332", "iban"),
    ("FR14 2004 1010 0505 0001 3M02 606", "iban"),
    ("GB29 NWBK 6016 1331 9268 19", "iban"),
    ("IT60X0542811101000000123456", "iban"),
    ("MT84MALT011000012345MTLCAST001S", "iban"),
    ("NL91ABNA0417164300", "iban"),
    ("NO9386011117947", "iban"),
    ("4111 1111 1111 1111", "card"),
    ("4111-1111-1111-1111", "card"),
    ("5555555555554444", "card"),
    ("2223003122003222", "card"),
    ("3782 822463 10005", "card"),
    ("30569309025904", "card"),
    ("6011111111111117", "card"),
    ("3530111333300000", "card"),
    ("6200000000000005", "card"),
    ("anna.meyer@example.com", "email"),
    ("o'brien+claims@mail.example.co.uk", "email"),
    ("jürgen@müller-söhne.de", "email"),
    ("+49 711 1234567", "phone"),
    ("+49 (0)711 123456-7", "phone"),
    ("+14155552671", "phone"),
    ("+44 20 7946 0958", "phone"),
    ("0049 711 1234567", "phone"),
    ("0711 123456", "phone"),
    ("0711/123456", "phone"),
    ("(030) 1234567", "phone"),
    ("06 12 34 56 78", "phone"),
    ("020 7946 0958", "phone"),
    ("(415) 555-2671", "phone"),
    ("415-555-2671", "phone"),
    ("1-415-555-2671", "phone"),
    ("078-05-1120", "national.ssn"),
    ("AB123456C", "national.nino"),
    ("AB 12 34 56 C", "national.nino"),
    ("86095742719", "national.taxid"),
    ("86 095 742 719", "national.taxid"),
    ("1234.56.782", "national.bsn"),
    ("1 84 12 76 451 089 46", "national.nir"),
    ("184127645108946", "national.nir"),
    ("12345678Z", "national.dni"),
    ("12345678-Z", "national.dni"),
    ("X1234567L", "national.dni"),
    ("RSSMRA85T10A562S", "national.codice"),
    ("MRTMTT25D09F205Z", "national.codice"),
]


@pytest.mark.parametrize(("value", "kind"), HITS)
@pytest.mark.parametrize("around", ["{}", "It is {}, thanks.", "a: {}\nb", "«{}»", "x {}; 12"])
def test_it_is_found(value, kind, around):
    assert (value, kind) in found(around.format(value))


SAID = [
    ("Tel. 01711234567", "01711234567", "phone"),
    ("call me: 7112345678", "7112345678", "phone"),
    ("SSN: 078051120", "078051120", "national.ssn"),
    ("BSN 111222333", "111222333", "national.bsn"),
]


@pytest.mark.parametrize(("text", "value", "kind"), SAID)
def test_a_word_before_a_bare_number_says_what_it_is(text, value, kind):
    assert found(text) == [(value, kind)]
    assert found(text.replace(text.split(value)[0], "order ")) == []


@pytest.mark.parametrize(
    "text",
    [
        "DE88370400440532013000",
        "XX89370400440532013000",
        "DE89 3704 0044 0532 0130",
        "4111 1111 1111 1112",
        "1234567812345670",
        "order 4711000123456",
        "invoice 2024-000123456 of 01.02.2024",
        "01.02.2024 10:30 until 15.03.2024",
        "2024-01-15 10:30:00",
        "1.234.567,89 EUR or 1,234,567.89",
        "192.168.100.200",
        "550e8400-e29b-41d4-a716-446655440000",
        "ISBN 978-3-16-148410-0 or 0-306-40615-2",
        "version 10.0.19045.3803",
        "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
        "QQ123456C BG123456A",
        "86095742718",
        "11111111111",
        "12345678A",
        "RSSMRA85T10A562T",
        "1 84 13 76 451 089 46",
        "anna@localhost, @handle, a@b, me@ example.com",
        "pi is 3.14159265358979",
        "0.123456789 and 0,123456789",
        "policy 0012345678 since 1999",
        "5 + 7 = 12, 100 200 300",
        "row 12 34 of 56 78",
        "",
        "nothing at all",
    ],
)
def test_it_is_not_taken_for_something(text):
    assert found(text) == []


def test_several_in_one_text_in_order():
    text = "From DE89370400440532013000 to 4111111111111111, tell a@b.de or +49 711 123456."
    assert [kind for _, kind in found(text)] == ["iban", "card", "email", "phone"]


def test_digits_of_other_scripts_count():
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    assert found("4111 1111 1111 1111".translate(arabic))[0][1] == "card"
    assert found("DE89370400440532013000".translate(arabic))[0][1] == "iban"
    assert found("12345678Z".translate(arabic))[0][1] == "national.dni"


def test_stretches_that_overlap_become_one():
    assert apart([(5, 9, "a"), (0, 6, "b"), (9, 12, "c")]) == [(0, 9, "a"), (9, 12, "c")]
    assert apart([(0, 4, "a"), (3, 8, "b"), (7, 9, "c")]) == [(0, 9, "a")]


ALPHABET = string.digits + "ABCDEXYZabcdexyz +-./()@_\u00a0é٣"


@given(st.text(alphabet=ALPHABET, max_size=200) | st.text(max_size=100))
@example("+" * 300)
@example("1 " * 300)
@example("DE89 " * 100)
@example("a@a." * 100)
def test_findings_lie_apart_and_inside_of_the_text(text):
    last = 0
    for start, end, tag in detect(text):
        assert last <= start < end <= len(text)
        assert tag.startswith("pii.")
        last = end


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "12-",
        "@",
        "a@a.",
        "a.",
        "+1",
        "(1",
        "0-",
        "DE89 ",
        "AB12 ",
        "12 345 ",
        "4111 ",
        "tel 0 ",
        "tel 1 2 ",
        "1234.56.78 ",
        "X",
        "RSSMRA",
        "a-",
        "1é",
        "٣ ",
    ],
)
def test_a_long_text_of_what_is_nearly_something_comes_to_an_end(piece):
    """In time that grows with its square or worse, none of these would: it would be hours."""
    text = piece * (100_000 // len(piece))
    assert all(one.end <= len(text) for one in detect(text))


# -- the checks themselves, against ways of computing them that have nothing in common with ours --


@given(st.integers(10**11, 10**18))
def test_luhn_takes_one_check_digit_of_ten(number):
    digits = [luhn(f"{number}{check}") for check in range(10)]
    assert sum(digits) == 1


@given(st.integers(0, 10**15 - 1), st.integers(0, 14))
def test_luhn_notices_one_wrong_digit(number, place):
    body = f"{number:015d}"
    right = next(f"{body}{check}" for check in range(10) if luhn(f"{body}{check}"))
    wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
    assert not luhn(wrong)


@given(st.integers(0, 10**18 - 1), st.integers(0, 17), st.integers(1, 9))
def test_an_iban_notices_one_wrong_digit(number, place, step):
    body = f"{number:018d}"
    check = 98 - int(f"{body}131400") % 97
    right = f"DE{check:02d}{body}"
    assert is_iban(right)
    at = place + 4
    assert not is_iban(right[:at] + str((int(right[at]) + step) % 10) + right[at + 1 :])
    spaced = " ".join(re.findall(".{1,4}", right))
    assert found(f"IBAN {spaced}!") == [(spaced, "iban")]


@given(st.integers(0, 99_999_999))
def test_a_dni_has_one_letter(number):
    letters = [one for one in string.ascii_uppercase if is_dni(f"{number:08d}{one}")]
    assert len(letters) == 1


@given(st.from_regex(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}", fullmatch=True))
def test_a_codice_fiscale_has_one_letter(body):
    assert sum(is_codice_fiscale(body + one) for one in string.ascii_uppercase) == 1


def test_what_each_check_refuses():
    assert not is_card("4111111111111112")
    assert not is_card("9111111111111117")
    assert not is_ssn("000121234")
    assert not is_nino("QQ123456A")
    assert not is_nino("")
    assert is_tax_id("86095742719")
    assert not is_tax_id("06095742719")
    assert is_bsn("111222333")
    assert not is_bsn("000000000")
    assert not is_bsn("111222334")
    assert is_nir("255081416802538")
    corsican = "190022A004003"
    assert is_nir(f"{corsican}{97 - 1900219004003 % 97:02d}")
    assert not is_nir("255081416802539")
    assert not is_dni("")
    assert not is_codice_fiscale("RSSMRA85T10A562")
    assert not is_iban("")
    assert not is_iban("DE8937040044053201300A")
