"""Bringing back what was masked, with the tokens of this request and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from .ledger import MISSING, Ledger
from .pack import plain
from .token import MARK, TOKEN

__all__ = ["tokens_in", "unmask", "walk"]

_DEEPEST: Final = 200
"""Levels of groups and lists beyond which a value is no payload of ours."""


def unmask(value: object, ledger: Ledger) -> object:
    """Give a value with every token that the ledger knows replaced by what it stands for.

    A text that is one token becomes the value with its type; inside of a text the value is written
    as it reads. What looks like a token and was not handed out stays, and is counted in
    ``ledger.strangers``. What was put in is not looked at again. Raises ``ValueError`` for a value
    nested too deeply.
    """

    def one(match: re.Match[str]) -> str:
        found = ledger.value(match[0])
        if found is MISSING:
            ledger.strangers += 1
            return match[0]
        return plain(found)

    def text(whole: str) -> object:
        if MARK not in whole:
            return whole
        found = ledger.value(whole)
        return TOKEN.sub(one, whole) if found is MISSING else found

    return walk(value, text)


def tokens_in(value: object) -> set[str]:
    """Give everything in a value that looks like a token."""
    found: set[str] = set()

    def text(whole: str) -> str:
        if MARK in whole:
            found.update(TOKEN.findall(whole))
        return whole

    walk(value, text)
    return found


def walk(value: object, text: Callable[[str], object], level: int = 0) -> object:
    """Give a copy with each text, keys included, replaced. Raises ``ValueError`` where too deep."""
    if isinstance(value, str):
        return text(value)
    if level > _DEEPEST:
        raise ValueError(f"at most {_DEEPEST} levels of groups and lists")
    if isinstance(value, Mapping):
        return {_key(key, text): walk(one, text, level + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [walk(one, text, level + 1) for one in value]
    return value


def _key(key: object, text: Callable[[str], object]) -> object:
    if not isinstance(key, str):
        return key
    found = text(key)
    return found if isinstance(found, str) else plain(found)
