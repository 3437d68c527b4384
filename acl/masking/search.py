"""Free text: what is known of it by the request's own fields, and what detectors find in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from .act import Act, act_of
from .detect import apart, detect
from .keys import Keyring
from .ledger import Ledger
from .pack import plain
from .policy import Destination, Policy
from .token import MARK, TOKEN
from .unmask import walk

__all__ = ["FOUND", "Known", "Search", "searcher"]

FOUND: Final = (
    *("pii.iban", "pii.card", "pii.email", "pii.phone"),
    *(f"pii.national.{one}" for one in ("bsn", "codice", "dni", "nino", "nir", "ssn", "taxid")),
)
"""The tags of what detectors find. A policy names them like any other tag."""

Known = Sequence[tuple[object, Act]]
"""Values of other fields of the request, each with what is done to it there."""

Search = Callable[[object, Ledger, Known], object]
"""Gives a text (or each text of a list or group) with all that was found in it replaced."""

_SHORTEST: Final = 3
"""A text of another field is looked for from so many characters on."""


def searcher(
    policy: Policy, destination: Destination, keys: Keyring | None, *, quotes: bool
) -> Search:
    """Give the search for a destination. ``quotes``: what looks like a token gets one.

    Raises ``ConfigError`` where the policy needs keys for a finding and there are none.
    """
    acts: dict[str, Act] = {}
    for tag in FOUND:
        rule = policy.rule(tag, destination)
        acts[tag] = act_of(rule, tag, keys, f"{policy.place}.{destination}", text=True)

    def search(value: object, ledger: Ledger, known: Known) -> object:
        if value.__class__ is str:
            return _replaced(str(value), ledger, known, acts, quotes)
        return walk(value, lambda text: _replaced(text, ledger, known, acts, quotes))

    return search


def _replaced(
    text: str, ledger: Ledger, known: Known, acts: Mapping[str, Act], quotes: bool
) -> str:
    stretches: list[tuple[int, int, Act]] = []
    if quotes and MARK in text:
        stretches += [(one.start(), one.end(), _quoted) for one in TOKEN.finditer(text)]
    if known:
        stretches += _held(text, known)
    stretches += [(start, end, acts[tag]) for start, end, tag in detect(text)]
    if not stretches:
        return text
    parts: list[str] = []
    last = 0
    for start, end, act in apart(stretches):
        parts += (text[last:start], plain(act(text[start:end], ledger)))
        last = end
    return "".join((*parts, text[last:]))


def _held(text: str, known: Known) -> list[tuple[int, int, Act]]:
    held: list[tuple[str, Act]] = []
    for value, act in known:
        if isinstance(value, str):
            if value in text:
                held.append((value, act))
        else:
            held += [(form, act) for form in _forms(value, text) if form in text]
    return _words(text, held) if held else []


def _forms(value: object, text: str) -> Iterator[str]:
    """Give a value, or each of a list, in the forms in which people write it."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from (one,) if isinstance(one, str) else _forms(one, text)
    elif isinstance(value, dt.date):
        year, month, day = f"{value.year:04}", value.month, value.day
        if year in text:
            yield f"{year}-{month:02}-{day:02}"
            yield f"{day:02}.{month:02}.{year}"
            yield f"{day}.{month}.{year}"
            yield f"{day:02}/{month:02}/{year}"
            yield f"{month:02}/{day:02}/{year}"
    elif isinstance(value, int):
        yield str(value)


def _words(text: str, known: list[tuple[str, Act]]) -> list[tuple[int, int, Act]]:
    """Find known texts where they stand as words; the longest first, as one may hold another."""
    found = []
    known.sort(key=_length, reverse=True)
    for value, act in known:
        start = text.find(value) if len(value) >= _SHORTEST else -1
        while start >= 0:
            end = start + len(value)
            if not (start and text[start - 1].isalnum()) and not text[end : end + 1].isalnum():
                found.append((start, end, act))
            start = text.find(value, end)
    return found


def _length(one: tuple[str, Act]) -> int:
    return len(one[0])


def _quoted(value: object, ledger: Ledger) -> object:
    return ledger.mint("text", value)
