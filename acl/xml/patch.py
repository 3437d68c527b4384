"""Putting changed values into the bytes of a document that stays as it is otherwise."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Final

from ..formats.shape import Values
from .edits import Edits
from .element import Element
from .names import Names
from .scan import scan
from .writer import Write, writer

__all__ = ["Patcher"]

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_MOST_WRITERS: Final = 256


class Patcher:
    """Patches the documents of one message; any thread may use it.

    ``root`` is the tree of the message's own element, which stands in a SOAP Body where
    ``enveloped``.
    """

    def __init__(self, root: Element, *, enveloped: bool) -> None:
        self._root = root
        self._enveloped = enveloped
        self._writers: dict[tuple[object, ...], Write] = {}

    def patch(
        self, body: bytes, encoding: str, changes: Values, held: Callable[[], Values]
    ) -> bytes:
        """Give the document with these values changed, set or (None) taken away.

        ``held`` gives what the message's reader reads; it is asked where lists changed. What is not
        changed keeps its bytes: comments, prefixes, headers, white space. An element that was not
        there is put where the schema wants it. Entries of a changed list that are the same keep
        their bytes; where as many others come as go, those are changed in place, and keep
        what has no value of its own. A list is given whole, an entry too: what it lacks is taken
        away. Raises ``ValueError`` with what was expected.
        """
        name = next((name for mark, name in _BOMS if body.startswith(mark)), encoding or "utf-8")
        document = _as_utf8(body, name)
        edits = Edits(document, self._writer)
        values = held() if any(key.endswith("[]") for key in changes) else {}
        edits.group(scan(document, self._root, enveloped=self._enveloped), changes, values, "")
        changed = edits.applied()
        if name == "utf-8":
            return changed
        return changed.decode("utf-8").encode(name, "xmlcharrefreplace")

    def _writer(self, node: Element, scope: str, names: Names) -> Write:
        key = (id(node), names.declarations, *names.prefixes.items())
        found = self._writers.get(key)
        if found is None:
            # Prefixes are the senders': a new one with each message must not fill the memory.
            if len(self._writers) >= _MOST_WRITERS:
                self._writers = {}
            found = self._writers[key] = writer(node, scope, names)
        return found


def _as_utf8(body: bytes, name: str) -> bytes:
    try:
        text = body.decode(name)
        if text.encode(name) == body:
            return text.encode("utf-8")
    except (LookupError, UnicodeError):
        pass
    raise ValueError(f"a document whose encoding, {name}, comes out as it went in")
