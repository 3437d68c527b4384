"""References to characters: those that any document may have, checked and resolved."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Final

__all__ = ["decoded", "resolved", "usual"]

_NAMED: Final = {"&gt;": ">", "&apos;": "'", "&quot;": '"', "&lt;": "<", "&amp;": "&"}
_ONE: Final = re.compile("&(?:#(?:[0-9]{1,7}|x[0-9a-fA-F]{1,6})|gt|lt|amp|quot|apos);")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


def usual(text: str) -> bool:
    """Say whether all references in a text are such as a document without a doctype can have."""
    at = text.find("&")
    while at >= 0:
        if _character(text[at : text.find(";", at, at + 10) + 1]) is None:
            return False
        at = text.find("&", at + 1)
    return True


def resolved(text: str) -> str:
    """Give a text with characters in place of its references, all of which are usual."""
    return _ONE.sub(_put, text) if "&" in text else text


def _put(found: re.Match[str]) -> str:
    return _character(found[0]) or ""


@lru_cache(maxsize=1024)
def _character(reference: str) -> str | None:
    """Give the character that a reference stands for, None where it is not usual."""
    known = _NAMED.get(reference)
    if known is not None or _ONE.fullmatch(reference) is None:
        return known
    hexadecimal = reference[2] == "x"
    code = int(reference[3 if hexadecimal else 2 : -1], 16 if hexadecimal else 10)
    character = chr(code) if code <= sys.maxunicode else "\0"
    return None if _ILLEGAL.match(character) else character
