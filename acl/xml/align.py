"""Which entries of a list stayed, when it was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple, cast

from ..formats.shape import Values

__all__ = ["Step", "align"]

_MOST_PAIRS: Final = 1_000_000

Entry = Values | str | None


class Step(NamedTuple):
    """Entries ``old`` of the list as it stands become entries ``new``; equal ones are no step."""

    old: range
    new: range


def align(old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Step]:
    """Give the steps that lead from one list to the other.

    Entries are compared by the keys that the new ones have: what those do not speak of stays as it
    is. A key that holds None says that there is nothing.
    """
    keys = _keys(new)
    before = [_token(entry, keys) for entry in old]
    after = [_token(entry, keys) for entry in new]
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


def _keys(entries: Sequence[Entry]) -> dict[str, dict[str, object]]:
    """Give the keys of all entries; behind that of a list, those of its entries."""
    keys: dict[str, dict[str, object]] = {}
    for entry in entries:
        if isinstance(entry, Mapping):
            for key, value in entry.items():
                inner = keys.setdefault(key, {})
                if isinstance(value, (list, tuple)):
                    _merge(inner, _keys(value))
    return keys


def _merge(keys: dict[str, object], more: Mapping[str, object]) -> None:
    for key, inner in more.items():
        _merge(
            cast("dict[str, object]", keys.setdefault(key, {})), cast("dict[str, object]", inner)
        )


def _token(entry: object, keys: Mapping[str, object]) -> object:
    """Give something that two entries share exactly where these keys of them hold the same."""
    if isinstance(entry, Mapping):
        held = (
            (key, _token(entry.get(key), cast("Mapping[str, object]", inner)))
            for key, inner in keys.items()
        )
        return tuple(one for one in held if one[1] not in (None, ()))
    if isinstance(entry, (list, tuple)):
        return tuple(_token(one, keys) for one in entry)
    return entry
