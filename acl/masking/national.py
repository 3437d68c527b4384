"""National numbers of people, each by its country's own check.

Sources: SSA (what an SSN cannot be), HMRC NIM39110 (NINO), ISO 7064 mod 11,10 and the rule of the
repeated digit (German tax id), the Dutch 11-test, INSEE (key by modulus 97), the Spanish letter by
modulus 23, and the Italian decree of 23 December 1976 (codice fiscale).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from .finding import GAP, Finding, Shapes, Windows, Words, ascii_digits

__all__ = [
    "find_nationals",
    "is_bsn",
    "is_codice_fiscale",
    "is_dni",
    "is_nino",
    "is_nir",
    "is_ssn",
    "is_tax_id",
]

_G: Final = f"[{GAP}]?"
_IT_DIGIT: Final = "[0-9LMNP-V]"

_PATTERNS: Final = {
    "nino": rf"[A-Z]{{2}}{_G}\d\d{_G}\d\d{_G}\d\d{_G}[A-D]",
    "dni": rf"(?:[XYZ][{GAP}\-]?\d{{7}}|\d{{8}})[{GAP}\-]?[A-Z]",
    "nir": rf"\d{_G}\d\d{_G}\d\d{_G}(?:\d\d|2[AB]){_G}\d{{3}}{_G}\d{{3}}{_G}\d\d",
    "codice": rf"[A-Z]{{3}}{_G}[A-Z]{{3}}{_G}{_IT_DIGIT}{{2}}[A-EHLMPRST]{_IT_DIGIT}{{2}}{_G}"
    rf"[A-Z]{_IT_DIGIT}{{3}}[A-Z]",
}
_COMPILED: Final = [
    (kind, re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])", re.IGNORECASE))
    for kind, pattern in _PATTERNS.items()
]
_SHAPES: Final = Shapes((8,), (9,), (11,), (2, 3, 3, 3), (3, 2, 4), (3, 3, 3), (4, 2, 3))
_AMERICAN: Final = re.compile(r"\d{3}([- ])\d{2}\1\d{4}")
_SSN_WORDS: Final = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_BSN_WORDS: Final = re.compile(r"\b(?:bsn|burgerservicenummer|sofi\w*)\b", re.IGNORECASE)


def find_nationals(seen: Windows) -> Iterator[Finding]:
    """Find the numbers of the countries named above, each under a tag of its own."""
    text = seen.text
    for kind, pattern in _COMPILED:
        if not _possible(kind, seen.lengths):
            continue
        for match in pattern.finditer(text):
            bare = "".join(one for one in match[0] if one.isalnum()).upper()
            if _CHECKS[kind](_ascii(bare)):
                yield Finding(match.start(), match.end(), f"pii.national.{kind}")
    ssn, bsn = Words(text, _SSN_WORDS), Words(text, _BSN_WORDS)
    for start, end, digits, gap in seen.shaped(_SHAPES, "-. \u00a0\u2009\u202f"):
        written = text[start:end]
        kind = ""
        if len(digits) == 11:
            kind = "taxid" if is_tax_id(digits) else ""
        elif is_ssn(digits) and (_AMERICAN.fullmatch(written) or (not gap and ssn.near(start))):
            kind = "ssn"
        elif is_bsn(digits) and ((gap == "." and written[4] == ".") or bsn.near(start)):
            kind = "bsn"
        if kind:
            yield Finding(start, end, f"pii.national.{kind}")


def _possible(kind: str, lengths: tuple[int, ...]) -> bool:
    """Say whether a text with such runs of digits can hold one: most hold none."""
    if kind == "nino":
        return any(length % 2 == 0 for length in lengths)
    if kind == "dni":
        return 7 in lengths or 8 in lengths
    return kind == "codice" or sum(lengths) >= 13


def _ascii(text: str) -> str:
    return "".join(ascii_digits(one) if one.isdecimal() else one for one in text)


def is_ssn(digits: str) -> bool:
    """Say whether nine digits can be a Social Security number of the United States."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    possible = len(digits) == 9 and area not in ("000", "666") and area < "900"
    return possible and group != "00" and serial != "0000"


def is_nino(text: str) -> bool:
    """Say whether a text is a National Insurance number of the United Kingdom."""
    first, second, rest = text[:1], text[1:2], text[2:]
    return (
        first not in "DFIQUV"
        and second not in "DFIOQUV"
        and text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
        and re.fullmatch(r"[0-9]{6}[A-D]", rest) is not None
    )


def is_tax_id(digits: str) -> bool:
    """Say whether eleven digits are a German tax id (steuerliche Identifikationsnummer)."""
    if len(digits) != 11 or digits[0] == "0":
        return False
    repeated = sorted(count for count in Counter(digits[:10]).values() if count > 1)
    if repeated not in ([2], [3]):
        return False
    product = 10
    for one in digits[:10]:
        total = (int(one) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_bsn(digits: str) -> bool:
    """Say whether eight or nine digits pass the 11-test of a Dutch burgerservicenummer."""
    if len(digits) not in (8, 9) or not int(digits):
        return False
    padded = digits.rjust(9, "0")
    weighed = zip((9, 8, 7, 6, 5, 4, 3, 2, -1), padded, strict=True)
    return sum(weight * int(one) for weight, one in weighed) % 11 == 0


def is_nir(text: str) -> bool:
    """Say whether a text is a French NIR (numéro de sécurité sociale) with its key."""
    if not re.fullmatch(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}", text):
        return False
    month = int(text[3:5])
    if not (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99):
        return False
    number = int(text[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(text[13:])


def is_dni(text: str) -> bool:
    """Say whether a text is a Spanish DNI or NIE."""
    if not re.fullmatch(r"(?:[XYZ][0-9]{7}|[0-9]{8})[A-Z]", text):
        return False
    number = {"X": "0", "Y": "1", "Z": "2"}.get(text[0], text[0]) + text[1:-1]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18),
            *(20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


def is_codice_fiscale(text: str) -> bool:
    """Say whether sixteen letters and digits are an Italian codice fiscale."""
    if not re.fullmatch(r"[A-Z0-9]{15}[A-Z]", text):
        return False
    total = sum(
        _ODD[one] if place % 2 == 0 else (int(one) if one.isdigit() else ord(one) - ord("A"))
        for place, one in enumerate(text[:15])
    )
    return chr(ord("A") + total % 26) == text[15]


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "nino": is_nino,
    "dni": is_dni,
    "nir": is_nir,
    "codice": is_codice_fiscale,
}
