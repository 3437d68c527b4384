"""References to characters: those that any document may have, checked and resolved."""

from __future__ import annotations

import re
import sys
from typing import Final

from .reader import Found

__all__ = ["decoded", "resolve", "usual"]

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
    seen = set()
    while at >= 0:
        reference = text[at : text.find(";", at, at + 10) + 1]
        if reference not in seen:
            if _ONE.fullmatch(reference) is None or not _legal(_character(reference)):
                return False
            seen.add(reference)
        at = text.find("&", at + 1)
    return True


def resolve(values: Found) -> None:
    """Put characters in place of the references in all texts."""
    for key, value in values.items():
        if isinstance(value, str):
            if "&" in value:
                values[key] = _resolved(value)
        elif value:
            for place, entry in enumerate(value):
                if isinstance(entry, dict):
                    resolve(entry)
                elif entry is not None and "&" in entry:
                    value[place] = _resolved(entry)  # type: ignore[call-overload]


def _resolved(text: str) -> str:
    return _ONE.sub(lambda found: _character(found[0]), text)


def _character(reference: str) -> str:
    known = _NAMED.get(reference)
    if known is not None:
        return known
    hexadecimal = reference[2] == "x"
    code = int(reference[3 if hexadecimal else 2 : -1], 16 if hexadecimal else 10)
    return chr(code) if code <= sys.maxunicode else "\0"


def _legal(character: str) -> bool:
    return _ILLEGAL.match(character) is None
