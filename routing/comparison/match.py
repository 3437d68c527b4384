"""Which entry of one list is which of another, where their order does not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["matched"]

_MOST: Final = 500
"""Entries that are matched where being the same is more than being equal: n² comparisons."""


def matched(
    first: Sequence[object],
    second: Sequence[object],
    alike: Callable[[object, object], bool] | None = None,
) -> dict[int, int]:
    """Match as many entries as can be, each once: places in the first to places in the second.

    ``alike`` need not be transitive (tolerances are not), so that who takes the first that fits may
    take away another's only one: augmenting paths put that right (H. W. Kuhn, 1955). Lists that
    are too long for that, and all without ``alike``, are matched by being equal.
    """
    if alike is None or max(len(first), len(second)) > _MOST:
        return _equal(first, second)
    fitting = [[j for j, other in enumerate(second) if alike(one, other)] for one in first]
    taken: dict[int, int] = {}
    for at in range(len(first)):
        _place(at, fitting, taken)
    return {one: other for other, one in taken.items()}


def _equal(first: Sequence[object], second: Sequence[object]) -> dict[int, int]:
    free: dict[object, list[int]] = {}
    for at, value in enumerate(second):
        free.setdefault(_frozen(value), []).append(at)
    found: dict[int, int] = {}
    for at, value in enumerate(first):
        places = free.get(_frozen(value))
        if places:
            found[at] = places.pop(0)
    return found


def _place(start: int, fitting: list[list[int]], taken: dict[int, int]) -> None:
    """Find a place for one entry, moving those that have one: breadth first, without recursion."""
    came: dict[int, int] = {}
    waiting = [start]
    for one in waiting:
        for place in fitting[one]:
            if place in came:
                continue
            came[place] = one
            holder = taken.get(place)
            if holder is None:
                _move(place, came, taken)
                return
            waiting.append(holder)


def _move(place: int, came: dict[int, int], taken: dict[int, int]) -> None:
    held = {one: at for at, one in taken.items()}
    now: int | None = place
    while now is not None:
        one = came[now]
        taken[now] = one
        now = held.get(one)


def _frozen(value: object) -> object:
    """Give a value by which equal ones are found; equal decimals are equal however written."""
    if isinstance(value, dict):
        return frozenset((key, _frozen(one)) for key, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in value)
    return value
