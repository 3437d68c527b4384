"""Keyword rules for a new domain, as an analyst would have typed them in 2004."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .data import Message

__all__ = ["keyword_rules"]

_WORD = re.compile(r"[a-z']+")
_DULL = frozenset(
    """
    a about am an and any are as at be been but by can could did do does for from get has have how
    i if in is it long make me my need not of on or please should so some tell than that the there
    they this to up use was want way were what when where which who why will with would you your
    """.split()  # noqa: SIM905  # one line a word would hide the rest of the file
)


def keyword_rules(messages: Sequence[Message]) -> list[tuple[str, str, int]]:
    """Give (word, category, weight): the words of a category's name, and its two commonest.

    Crude on purpose: it is what such tables look like, and what the demo strangles.
    """
    words_of = {message.category: Counter[str]() for message in messages}
    for message in messages:
        words_of[message.category].update(set(_words(message.text)))
    rules: dict[tuple[str, str], int] = {}
    for category, counts in sorted(words_of.items()):
        for word in _words(category.replace("_", " ")):
            rules[word, category] = 2
        for word, _ in counts.most_common(2):
            rules.setdefault((word, category), 1)
    return [(word, category, weight) for (word, category), weight in sorted(rules.items())]


def _words(text: str) -> list[str]:
    found = _WORD.findall(text.lower())
    return [word for word in found if word not in _DULL and len(word) > 2 and "'" not in word]
