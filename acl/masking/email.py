"""E-mail addresses: found at their @ and read to both sides of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .finding import Finding

__all__ = ["find_emails"]

_LOCAL: Final = frozenset("._%+-'&")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_](?:[\w-]{0,30}[^\W_])")
_LONGEST: Final = 64
"""Octets before the @, by RFC 5321."""


def find_emails(text: str) -> Iterator[Finding]:
    """Find addresses, of any script; a dot or a bracket that ends a sentence is not one's part."""
    at = text.find("@")
    while at >= 0:
        start = at
        while start > max(0, at - _LONGEST) and (
            text[start - 1].isalnum() or text[start - 1] in _LOCAL
        ):
            start -= 1
        while start < at and not text[start].isalnum():
            start += 1  # such as an opening quotation mark, or a dot
        match = _DOMAIN.match(text, at + 1)
        if start < at and text[at - 1] != "." and match:
            yield Finding(start, match.end(), "pii.email")
            at = match.end() - 1
        at = text.find("@", at + 1)
