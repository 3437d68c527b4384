"""Text inside XML, escaped; characters that XML cannot carry are refused, not replaced."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["attribute", "content"]

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# One set each, which the regular expression engine runs through without backtracking: all that is
# neither & < > nor a control character nor, in attributes, a quote.
_IN_CONTENT: Final = re.compile(
    "[^\t\n\x20-\x25\x27-\x3b\x3d\x3f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_IN_ATTRIBUTE: Final = re.compile(
    "[^\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_CONTENT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = _CONTENT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def content(text: str) -> str:
    """Escape the text of an element. Raises ``ValueError`` where XML 1.0 cannot carry it."""
    if _IN_CONTENT.search(text) is None:
        return text
    _check(text)
    return text.translate(_CONTENT)


def attribute(text: str) -> str:
    """Escape the value of an attribute that stands in double quotes. Raises ``ValueError``."""
    if _IN_ATTRIBUTE.search(text) is None:
        return text
    _check(text)
    return text.translate(_ATTRIBUTE)


def _check(text: str) -> None:
    bad = _ILLEGAL.search(text)
    if bad is not None:
        raise ValueError(
            f"text that XML can carry: character U+{ord(bad[0]):04X} cannot stand in it"
        )
