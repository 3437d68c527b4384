"""Phone numbers: international ones (E.164), and national ones where they look like nothing else.

A run of digits alone is no phone number: it has to begin with ``+``, be written in groups, or stand
behind a word that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .finding import GAP, Finding, Words, ascii_digits

__all__ = ["find_phones"]

_SEP: Final = rf"[{GAP}.\-/\u2010\u2011\u2013]"
# A digit, then digits with at most two other characters between: ") " or " (" or "-".
_BODY: Final = rf"\d(?:(?:{_SEP}|[{GAP}]?[()][{GAP}\-]?)?\d){{5,17}}"
_NUMBER: Final = re.compile(rf"(?<![\w.,/+\-])(?:\+[{GAP}]?\(?|(?P<open>\())?{_BODY}(?!\w)")
_WORDS: Final = re.compile(
    r"\b(?:tel|telefon|telephone|phone|ph|fon|fone|mobile?|mobil\w*|cell\w*|handy|fax|call|ring|"
    r"rufnummer|ruf|whatsapp|sms|téléphone|portable|teléfono|móvil|telefoon|cellulare|anrufen|"
    r"reach me|call me)\b",
    re.IGNORECASE,
)
_RUN: Final = re.compile(r"\d+")
_FOLLOWS: Final = re.compile(rf"\d[{GAP}]")
"""What stands before 0049 …: digits in groups, such as an IBAN with a mistake in it."""

_DATE: Final = re.compile(
    r"(?:\d{4}([.\-/])\d{1,2}\1\d{1,2}|\d{1,2}([.\-/ ])\d{1,2}\2\d{4})(?:\D|$)"
)
_NANP: Final = re.compile(
    rf"(?:1{_SEP})?(?:\([2-9]\d\d\)[{GAP}\-]?|[2-9]\d\d{_SEP})[2-9]\d\d{_SEP}\d{{4}}"
)


def find_phones(text: str) -> Iterator[Finding]:
    """Find phone numbers."""
    words = Words(text, _WORDS)
    match = _NUMBER.search(text)
    while match is not None:
        start, written = match.start(), match[0]
        if match["open"] and ")" not in written:
            start, written = start + 1, written[1:]  # "(030 1234567, mornings)"
        follows = _FOLLOWS.match(text, max(0, start - 2)) is not None
        balanced = written.count("(") == written.count(")")
        if balanced and _is_phone(written, start, words, follows=follows):
            yield Finding(start, match.end(), "pii.phone")
            match = _NUMBER.search(text, match.end())
            continue
        # Go on behind its first digits: what follows a date may be a phone number.
        first = _RUN.search(text, start)
        match = _NUMBER.search(text, first.end() if first else match.end())


def _is_phone(written: str, start: int, words: Words, *, follows: bool) -> bool:
    digits = ascii_digits("".join(one for one in written if one.isdecimal()))
    if written[0] == "+":
        return 7 <= len(digits) <= 15 and digits[0] != "0"
    if _DATE.match(written):
        return False
    grouped = any(not one.isdecimal() for one in written)
    said = words.near(start)
    if digits.startswith("00"):
        fits = 10 <= len(digits) <= 17 and digits[2] != "0"
        return fits and (said or (grouped and not follows))
    if digits.startswith("0"):
        return (9 <= len(digits) <= 12 and grouped and _groups(written)) or (
            7 <= len(digits) <= 13 and said
        )
    if _NANP.fullmatch(written):
        return True
    return said and 6 <= len(digits) <= 13


def _groups(written: str) -> bool:
    """Say whether the first group is one of an area or a mobile network, not a day of a date."""
    groups = re.split(r"\D+", written.strip("()"))
    return 2 <= len(groups) <= 6 and 2 <= len(groups[0]) <= 6 and len(groups[-1]) >= 2
