"""References to characters, resolved in a text before it is matched."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["decoded", "resolved"]

_REFERENCES: Final = {"&gt;": ">", "&apos;": "'", "&amp;": "&"}
_NUMBER: Final = re.compile("&#(?:([0-9]{1,7})|x([0-9a-fA-F]{1,6}));")
_MOST_REFERENCES: Final = 50


def decoded(body: bytes) -> str | None:
    """Give the text of UTF-8 with lines as XML ends them; None where XML would not allow it.

    Control characters are not looked for: no pattern fits them.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # One character is found far quicker than several.
    if "\ufffe" in text or "\uffff" in text or ("]" in text and "]]>" in text):
        return None
    return text


def resolved(text: str) -> str | None:
    """Give a text with the references in it resolved; None where it has others than the usual.

    Quotes, ``<`` and white space are for the tree: in the text they would look like markup.
    """
    at = text.find("&")
    seen: dict[str, str] = {}
    while at >= 0:
        reference = text[at : text.find(";", at, at + 10) + 1]
        if reference not in seen:
            character = _character(reference)
            if character is None or len(seen) >= _MOST_REFERENCES:
                return None
            seen[reference] = character
        at = text.find("&", at + 1)
    # &amp; comes last: what it makes is no reference.
    for reference in sorted(seen, key="&amp;".__eq__):
        text = text.replace(reference, seen[reference])
    return text


def _character(reference: str) -> str | None:
    known = _REFERENCES.get(reference)
    number = None if known else _NUMBER.fullmatch(reference)
    if number is None:
        return known
    code = int(number[2] or number[1], 16 if number[2] else 10)
    # Those of ASCII may be white space or markup.
    legal = 0x80 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return chr(code) if legal else None
