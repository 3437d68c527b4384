"""A place in the tokens of a copybook, and what can be read from there."""

from __future__ import annotations

from collections.abc import Container, Sequence

from ..error import CopybookError
from .limits import MAX_NAME
from .source import Source
from .tokens import Token

__all__ = ["Cursor"]

_INTEGER_DIGITS = 12


class Cursor:
    """Reads tokens one after the other. Used while one copybook is parsed, by nobody else."""

    def __init__(self, tokens: Sequence[Token], source: Source) -> None:
        self._tokens = tokens
        self._source = source
        self._at = 0

    @property
    def done(self) -> bool:
        """Say whether nothing is left."""
        return self._at >= len(self._tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        """Give a token without taking it, -1 the one before; None where there is none."""
        at = self._at + ahead
        return self._tokens[at] if 0 <= at < len(self._tokens) else None

    def key(self, ahead: int = 0) -> str:
        """Give what a token is compared by; "" behind the end."""
        token = self.peek(ahead)
        return token.key if token is not None else ""

    def take(self) -> Token:
        """Take a token. Raises ``CopybookError`` where none is left."""
        token = self.peek()
        if token is None:
            raise self.error("the copybook ends inside an entry", expected="the rest of it")
        self._at += 1
        return token

    def accept(self, *keys: str) -> Token | None:
        """Take the next token where it is one of these."""
        return self.take() if self.key() in keys else None

    def expect(self, keys: Container[str], expected: str) -> Token:
        """Take the next token, which must be one of these."""
        if self.key() not in keys:
            raise self.error(f"{self._shown()} is not expected here", expected=expected)
        return self.take()

    def word(self, what: str) -> Token:
        """Take a name: a word, or parts of one that stand together as in ``:TAG:-ID``."""
        first = self.peek()
        if first is None or not (first.kind == "word" or first.text == ":" or self._quoted(first)):
            raise self.error(f"{self._shown()} is not {what}", expected=what)
        text = self._glued_word()
        if len(text) > MAX_NAME:
            raise first.error(
                f"a name of {len(text)} characters",
                expected=f"at most {MAX_NAME}",
                remedy="is a period or a space missing?",
            )
        return Token("word", text, first.line, first.column, first.source, first.glued)

    def _quoted(self, first: Token) -> bool:
        """Say whether a literal is the front of a name: ``'PRE'-NAME``."""
        after = self.peek(1)
        return (
            first.kind == "literal" and after is not None and after.glued and (after.kind == "word")
        )

    def _glued_word(self) -> str:
        """Take a word with all that is glued to it, quotes left out."""
        parts: list[str] = []
        while (token := self.peek()) is not None and (token.glued or not parts):
            if token.kind != "word" and token.text != ":" and not self._quoted(token):
                break
            parts.append(token.value if token.kind == "literal" else token.text)
            self._at += 1
        return "".join(parts)

    def glued(self, stops: Container[str]) -> tuple[str, Token]:
        """Take all that stands together, for a picture; a period at its end is left.

        So is a word of ``stops`` behind a parenthesis: some write ``9(6)USAGE``.
        """
        first = self.peek()
        if first is None or first.kind == "literal":
            raise self.error(
                f"{self._shown()} is not a picture", expected="a picture such as 9(5)V99 or X(10)"
            )
        start = self._at
        self._at += 1
        while (token := self.peek()) is not None and token.glued and token.kind != "literal":
            if token.key in stops and self._tokens[self._at - 1].text == ")":
                break
            self._at += 1
        if self._at - start > 1 and self._tokens[self._at - 1].text in {".", ",", ";"}:
            self._at -= 1
        parts = [token.text for token in self._tokens[start : self._at]]
        if self.key() == "(" and self.key(2) == ")" and self.key(1).isdigit():
            parts += [self.take().text for _ in range(3)]  # PIC X (10)
        return "".join(parts), first

    def integer(self, what: str) -> tuple[int, Token]:
        """Take a whole number without a sign."""
        token = self.peek()
        if token is None or not token.text.isascii() or not token.text.isdigit():
            raise self.error(f"{self._shown()} is not {what}", expected=what)
        if len(token.text) > _INTEGER_DIGITS and len(token.text.lstrip("0")) > _INTEGER_DIGITS:
            raise token.error(
                f"a number of {len(token.text)} digits",
                expected=f"at most {_INTEGER_DIGITS} digits",
            )
        self._at += 1
        return int(token.text), token

    def error(self, message: str, *, expected: str = "", remedy: str = "") -> CopybookError:
        """Give an error at the next token, or behind the last."""
        token = self.peek()
        if token is not None:
            return token.error(message, expected=expected, remedy=remedy)
        if self._tokens:
            return self._tokens[-1].error(message, expected=expected, remedy=remedy)
        return self._source.error(0, 0, message, expected=expected, remedy=remedy)

    def _shown(self) -> str:
        """Name the next token in an error."""
        token = self.peek()
        if token is None:
            return "the end of the copybook"
        text = token.text if len(token.text) <= 40 else token.text[:40] + "…"
        return repr(text)
