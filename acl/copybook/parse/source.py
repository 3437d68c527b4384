"""The text of a copybook, line by line, with the columns that hold code."""

from __future__ import annotations

import re

import msgspec

from ..error import CopybookError
from .form import Form, Margins, margins
from .limits import MAX_SOURCE

__all__ = ["Source"]


_LINE_END = re.compile(r"\r\n|\n|\r|\x0b|\x0c|\u2028|\u2029")
_FORMAT = re.compile(
    r"\s*(?:>>\s*SOURCE\s+(?:FORMAT\s+)?(?:IS\s+)?|\$\s*SET\s+SOURCEFORMAT\s*\(?\s*[\"']?)(FREE|FIXED|VARIABLE)",
    re.IGNORECASE,
)


class Source(msgspec.Struct, frozen=True):
    """One file's text: ``file`` names it in errors, ``lines`` are as they stand.

    ``guessed``: nobody said which columns hold code.
    """

    file: str
    lines: tuple[str, ...]
    margins: Margins
    guessed: bool = False

    @classmethod
    def of(cls, text: str, file: str, form: Form = "auto") -> Source:
        """Split a text into lines. Raises ``CopybookError`` where it is too long."""
        if len(text) > MAX_SOURCE:
            raise CopybookError(
                f"the copybook has {len(text)} characters",
                file=file,
                expected=f"at most {MAX_SOURCE}",
                remedy="is this a copybook, or the data that it describes?",
            )
        lines = tuple(_LINE_END.split(text.removeprefix("\ufeff").rstrip("\x1a\x00")))
        if form == "auto":
            form = next((found for line in lines[:200] if (found := _form_named(line))), form)
        return cls(file, lines, margins(lines, form), form == "auto")

    def beyond(self, line: int) -> str:
        """Give what a line (from 1) has behind the columns that hold code."""
        right = self.margins.right
        return "" if right is None else self.lines[line - 1][right:].strip()

    def error(
        self, line: int, column: int, message: str, *, expected: str = "", remedy: str = ""
    ) -> CopybookError:
        """Give an error at a place of it; line and column count from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        if text and self.beyond(line) and not self.beyond(line).isdigit():
            remedy += "; columns 73-80 are not read: say form = 'free' if they hold code"
        return CopybookError(
            message,
            file=self.file,
            line=line,
            column=column,
            source=text,
            expected=expected,
            remedy=remedy.removeprefix("; "),
        )


def _form_named(line: str) -> Form | None:
    """Give the form that a compiler directive names."""
    found = _FORMAT.match(line)
    if found is None:
        return None
    forms: dict[str, Form] = {"FREE": "free", "FIXED": "fixed", "VARIABLE": "variable"}
    return forms[found[1].upper()]
