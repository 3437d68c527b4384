"""IBANs: a country's length and structure (the SWIFT registry's), and the check by modulus 97."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from .finding import GAP, Finding, ascii_digits

__all__ = ["find_ibans", "is_iban"]

# What follows the country and the two check digits: n digits, a capital letters, c either.
_STRUCTURES: Final = """
AD 8n12c AE 19n AL 8n16c AT 16n AZ 4a20c BA 16n BE 12n BG 4a6n8c BH 4a14c BI 23n BR 23n1a1c
BY 4c4n16c CH 5n12c CR 18n CY 8n16c CZ 20n DE 18n DJ 23n DK 14n DO 4c20n EE 16n EG 25n ES 20n
FI 14n FK 2a12n FO 14n FR 10n11c2n GB 4a14n GE 2a16n GI 4a15c GL 14n GR 7n16c GT 24c HR 17n HU 24n
IE 4a14n IL 19n IQ 4a15n IS 22n IT 1a10n12c JO 4a4n18c KW 4a22c KZ 3n13c LB 4n20c LC 4a24c LI 5n12c
LT 16n LU 3n13c LV 4a13c LY 21n MC 10n11c2n MD 20c ME 18n MK 3n10c2n MN 16n MR 23n MT 4a5n18c
MU 4a19n3a NI 4a20n NL 4a10n NO 11n OM 3n16c PK 4a16c PL 24n PS 4a21c PT 21n QA 4a21c RO 4a16c
RS 18n RU 14n15c SA 2n18c SC 4a20n3a SD 14n SE 20n SI 15n SK 20n SM 1a10n12c SO 19n ST 21n SV 4a20n
TL 19n TN 20n TR 6n16c UA 6n19c VA 18n VG 4a16n XK 16n YE 4a4n18c
"""
_CLASSES: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_START: Final = re.compile(rf"(?<![^\W_])[A-Za-z]{{2}}[{GAP}]?\d\d")
_SKIPPED: Final = frozenset("- \u00a0\u2009\u202f")


@cache
def _table() -> dict[str, tuple[int, re.Pattern[str]]]:
    words = _STRUCTURES.split()
    table = {}
    for country, structure in zip(words[::2], words[1::2], strict=True):
        parts = re.findall(r"(\d+)([nac])", structure)
        pattern = "".join(f"{_CLASSES[kind]}{{{count}}}" for count, kind in parts)
        table[country] = (sum(int(count) for count, _ in parts) + 4, re.compile(pattern))
    return table


def is_iban(text: str) -> bool:
    """Say whether a text without blanks, in capitals, is an IBAN (ISO 13616)."""
    length, structure = _table().get(text[:2], (0, None))
    if structure is None or len(text) != length or not structure.fullmatch(text, 4):
        return False
    if not (text[2:4].isascii() and text[2:4].isdigit()):
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def find_ibans(text: str) -> Iterator[Finding]:
    """Find IBANs as written with or without blanks or hyphens."""
    for match in _START.finditer(text):
        end, found = _gathered(text, match.start())
        if found and is_iban(found):
            yield Finding(match.start(), end, "pii.iban")


def _gathered(text: str, start: int) -> tuple[int, str]:
    """Take as many letters and digits as the country's IBANs have, over single separators."""
    wanted = _table().get(text[start : start + 2].upper(), (0, None))[0]
    found: list[str] = []
    place, skipped = start, True
    while len(found) < wanted and place < len(text):
        one = text[place]
        if one.isalnum():
            found.append(one)
            skipped = False
        elif one in _SKIPPED and not skipped:
            skipped = True
        else:
            return place, ""
        place += 1
    if len(found) < wanted or not wanted or (place < len(text) and text[place].isalnum()):
        return place, ""
    joined = "".join(ascii_digits(one) if one.isdecimal() else one for one in found)
    return place, joined.upper()
