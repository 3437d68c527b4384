"""REPLACING and REPLACE: words of a copybook that stand for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from .cursor import Cursor
from .limits import MAX_REPLACEMENTS, MAX_TOKENS, MAX_WORK
from .tokens import Token

__all__ = ["Pair", "read_pairs", "replace", "replace_stated"]


class Pair(msgspec.Struct, frozen=True):
    """What is replaced and by what. ``part``: only the front or the end of a word."""

    old: tuple[Token, ...]
    new: tuple[Token, ...]
    part: Literal["", "LEADING", "TRAILING"] = ""


def read_pairs(cursor: Cursor) -> list[Pair]:
    """Take ``==a== BY ==b==`` as often as it comes. Raises ``CopybookError``."""
    pairs: list[Pair] = []
    while cursor.key() not in {".", ""}:
        side = cursor.accept("LEADING", "TRAILING")
        start = cursor.peek()
        old = _operand(cursor)
        cursor.expect({"BY"}, "BY and what replaces it")
        new = _operand(cursor)
        if start is not None and (not old or len(pairs) >= MAX_REPLACEMENTS):
            raise start.error(
                "nothing cannot be replaced" if not old else "too many replacements",
                expected=f"==text== BY ==text==, at most {MAX_REPLACEMENTS} times",
            )
        if side is not None and (len(old) != 1 or len(new) > 1):
            raise side.error(
                f"{side.text} takes a part of one word",
                expected=f"{side.text} ==part== BY ==part==",
            )
        part: Literal["", "LEADING", "TRAILING"] = ""
        if side is not None:
            part = "LEADING" if side.key == "LEADING" else "TRAILING"
        pairs.append(Pair(old, new, part))
        cursor.accept(",", ";")
    return pairs


def _operand(cursor: Cursor) -> tuple[Token, ...]:
    """Take pseudo-text between ``==``, or one word or literal with what is glued to it."""
    if cursor.accept("=="):
        found: list[Token] = []
        while (word := cursor.take()).kind != "pseudo":
            found.append(word)
        return tuple(found)
    found = [cursor.take()]
    while (token := cursor.peek()) is not None and token.glued and token.text != ".":
        found.append(cursor.take())
    return tuple(found)


class _Work:
    """Counts comparisons, so that replacing ends."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def spend(self, token: Token, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise token.error(
                "replacing takes too long",
                expected="fewer or shorter replacements",
                remedy="split the copybook",
            )


def replace(found: Sequence[Token], pairs: Sequence[Pair]) -> list[Token]:
    """Give the words with all pairs replaced, each word once; the first pair that fits wins."""
    whole: dict[str, list[Pair]] = {}
    for pair in pairs:
        if not pair.part:
            whole.setdefault(pair.old[0].key, []).append(pair)
    parts = [pair for pair in pairs if pair.part]
    work = _Work()
    done: list[Token] = []
    at = 0
    loose: bool | None = None
    while at < len(found):
        token = found[at]
        taken, new = _fit(found, at, whole.get(token.key, ()), work)
        if not taken:
            taken, new = 1, [_partly(token, parts, work)]
        if loose is not None and token.glued and new:
            new[0] = msgspec.structs.replace(new[0], glued=loose)
        loose = token.glued if not new else None
        done.extend(new)
        at += taken
        if len(done) > MAX_TOKENS:
            raise token.error(f"replacing makes more than {MAX_TOKENS} words", expected="less text")
    return done


def _fit(
    found: Sequence[Token], at: int, pairs: Sequence[Pair], work: _Work
) -> tuple[int, list[Token]]:
    """Give how many words the first pair that fits replaces, and by what; 0 where none fits."""
    first = found[at]
    for pair in pairs:
        size = len(pair.old)
        work.spend(first, size)
        if at + size <= len(found) and all(
            found[at + step].key == pair.old[step].key for step in range(1, size)
        ):
            return size, [
                _placed(word, first, glued=first.glued if not step else word.glued)
                for step, word in enumerate(pair.new)
            ]
    return 0, []


def _placed(word: Token, at: Token, *, glued: bool) -> Token:
    """Give a word of a replacement the place of what it replaces: errors are looked for there."""
    return Token(word.kind, word.text, at.line, at.column, at.source, glued)


def _partly(token: Token, pairs: Sequence[Pair], work: _Work) -> Token:
    """Replace the front or the end of a word."""
    if token.kind != "word":
        return token
    work.spend(token, len(pairs))
    for pair in pairs:
        old = pair.old[0].key
        new = pair.new[0].text if pair.new else ""
        if pair.part == "LEADING" and token.key.startswith(old) and len(token.text) > len(old):
            return msgspec.structs.replace(token, text=new + token.text[len(old) :])
        if pair.part == "TRAILING" and token.key.endswith(old) and len(token.text) > len(old):
            return msgspec.structs.replace(token, text=token.text[: -len(old)] + new)
    return token


def replace_stated(found: list[Token]) -> list[Token]:
    """Do what REPLACE statements say: each holds until the next or ``REPLACE OFF``."""
    starts = [at for at, token in enumerate(found) if token.key == "REPLACE" and not token.glued]
    if not starts:
        return found
    done = found[: starts[0]]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(found)
        cursor = Cursor(found[start:end], found[start].source)
        cursor.take()
        cursor.accept("ALSO", "LAST")
        pairs = [] if cursor.accept("OFF") else read_pairs(cursor)
        cursor.expect({"."}, "a period at the end of REPLACE")
        rest: list[Token] = []
        while not cursor.done:
            rest.append(cursor.take())
        done.extend(replace(rest, pairs) if pairs else rest)
    return done
