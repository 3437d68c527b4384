"""Which entries of a list stayed, when it was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from ..formats.shape import Values

__all__ = ["Step", "align"]

_MOST_PAIRS: Final = 1_000_000

Entry = Values | str | None


class Step(NamedTuple):
    """Entries ``old`` of the list as it stands become entries ``new``; equal ones are no step."""

    old: range
    new: range


def align(old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Step]:
    """Give the steps that lead from one list to the other, few of them.

    An entry is compared whole; a key that holds None is as good as none. In lists of one length,
    each entry is what became of the one in its place.
    """
    before = [_token(entry) for entry in old]
    after = [_token(entry) for entry in new]
    if len(before) == len(after):
        for place, (gone, come) in enumerate(zip(before, after, strict=True)):
            if gone != come:
                yield Step(range(place, place + 1), range(place, place + 1))
        return
    shorter = min(len(before), len(after))
    head = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    most = shorter - head
    tail = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    ends = len(before) - tail, len(after) - tail
    if (ends[0] - head) * (ends[1] - head) > _MOST_PAIRS:
        yield Step(range(head, ends[0]), range(head, ends[1]))
        return
    matcher = SequenceMatcher(None, before[head : ends[0]], after[head : ends[1]], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield Step(range(head + i, head + j), range(head + k, head + m))


def _token(entry: object) -> object:
    """Give something that two entries share exactly where they hold the same."""
    if isinstance(entry, Mapping):
        held = ((key, _token(value)) for key, value in entry.items())
        return frozenset(one for one in held if one[1] not in (None, ()))
    if isinstance(entry, list | tuple):
        return tuple(_token(one) for one in entry)
    return entry
