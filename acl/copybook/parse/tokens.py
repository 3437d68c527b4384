"""The words, literals and marks of a copybook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from ..error import CopybookError
from .code import Code, code_lines
from .limits import MAX_TOKENS
from .source import Source

__all__ = ["Token", "tokens"]

_PIECE = re.compile(
    r"""(?P<blank>\s++|[,;](?=\s|$))
    |(?P<comment>\*>.*)
    |(?P<literal>"[^"]*+(?:""[^"]*+)*+"|'[^']*+(?:''[^']*+)*+')
    |(?P<open>["'])
    |(?P<pseudo>==)
    |(?P<mark>[.(),:;=])
    |(?P<word>(?:[^\s.(),:;="'*]++|\*(?!>))++)""",
    re.VERBOSE,
)


class Token(msgspec.Struct, frozen=True, gc=False):
    """One text word. ``glued``: nothing stands between it and the word before.

    A picture, a number with a point and a name with ``:TAG:`` in it are several: they are put
    together by whoever knows what is expected, as replacing works on the parts.
    """

    kind: Literal["word", "literal", "mark", "pseudo"]
    text: str
    line: int
    column: int
    source: Source
    glued: bool = False

    @property
    def key(self) -> str:
        """Give what it is compared by: words without their case, literals by what they say."""
        return f'"{self.value}' if self.kind == "literal" else self.text.upper()

    @property
    def value(self) -> str:
        """Give what a literal says, without its quotes."""
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)

    def error(self, message: str, *, expected: str = "", remedy: str = "") -> CopybookError:
        """Give an error at its place."""
        return self.source.error(self.line, self.column, message, expected=expected, remedy=remedy)


def tokens(source: Source) -> list[Token]:
    """Split a source into its text words. Raises ``CopybookError`` at an open literal."""
    found: list[Token] = []
    for code in code_lines(source):
        found.extend(_of_line(source, code, found))
        if len(found) > MAX_TOKENS:
            raise found[-1].error(
                f"the copybook has more than {MAX_TOKENS} words",
                expected="a copybook",
                remedy="split it, or read only the record that is needed",
            )
    return found


def _of_line(source: Source, code: Code, before: list[Token]) -> Iterator[Token]:
    """Split one line of code."""
    last = before[-1] if before else None
    glued = False
    for piece in _PIECE.finditer(code.text):
        kind, text = piece.lastgroup, piece[0]
        if kind == "comment" or (text[0] == "*" and not glued and not _in_picture(last)):
            return
        if kind == "blank":
            glued = False
            continue
        line, column = code.place(piece.start())
        if kind == "open":
            raise source.error(
                line,
                column,
                "the literal has no end",
                expected=f"a closing {text} on the same line, or a continuation line",
                remedy="close it; a continuation has a hyphen in column 7 and repeats the quote",
            )
        last = Token(kind, text, line, column, source, glued)  # type: ignore[arg-type]
        glued = True
        yield last


def _in_picture(last: Token | None) -> bool:
    """Say whether what follows can be a picture: only there a word may begin with ``*``."""
    return last is not None and last.key in {"PIC", "PICTURE", "IS", "=="}
