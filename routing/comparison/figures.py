"""By field: how often the two sides differ, and how much of that is noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from ...route_settings import NoiseRules
from ...store.compared import seen
from ...store.database import Database
from ...store.noise import doubled
from .noise import FieldNoise, excused, field_noise
from .path import field_of, values_at

__all__ = ["Example", "FieldFigures", "field_figures"]


class Example(msgspec.Struct, frozen=True):
    """One difference, with both values as the journal holds them: masked where they are tagged."""

    unit: str
    path: str
    legacy: object
    replacement: object


class FieldFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an endpoint, for one revision.

    Of ``pairs`` distinct inputs, in ``differs`` the two sides differ in it, and in ``taken_out``
    that was taken out as noise. ``noise`` holds what is known of each side that was asked twice.
    ``significant``: its differences are shown to be more than any side's noise; None: not known,
    for nobody was asked twice, or too seldom. ``excused``: they are noise, and none any more.
    """

    field: str
    pairs: int
    differs: int
    taken_out: int
    noise: tuple[FieldNoise, ...]
    significant: bool | None
    excused: bool
    examples: tuple[Example, ...]


def field_figures(
    database: Database,
    endpoint: str,
    revision: str,
    rules: NoiseRules,
    *,
    count: int,
    examples: int = 3,
) -> tuple[FieldFigures, ...]:
    """Count by field, those that differ most often first. Called by ``fig evidence``; blocks.

    ``rules`` are the endpoint's, ``count`` is how many fields are compared (``Comparing.count``);
    of each field the newest ``examples`` are given. Raises ``StoreUnavailable``.
    """
    differs, taken, shown, pairs = Counter[str](), Counter[str](), dict[str, list[Example]](), 0
    for one in seen(database, endpoint, revision):
        pairs += 1
        differs.update({field_of(path) for path in one.differs})
        taken.update({field_of(path) for path in one.noise})
        for path in (*one.differs, *one.noise):
            kept = shown.setdefault(field_of(path), [])
            if len(kept) < examples and all(other.unit != one.unit for other in kept):
                kept.append(Example(one.unit, path, *values_at(path, one.legacy, one.replacement)))
    noise = field_noise(doubled(database, endpoint, revision), rules, count)
    excuses = excused(noise, rules)
    names = {*differs, *taken, *(one.field for one in noise)}
    found = [
        FieldFigures(
            field=name,
            pairs=pairs,
            differs=differs[name] + taken[name],
            taken_out=taken[name],
            noise=(mine := tuple(one for one in noise if one.field == name)),
            significant=_significant(mine),
            excused=name in excuses,
            examples=tuple(shown.get(name, ())),
        )
        for name in names
    ]
    return tuple(sorted(found, key=lambda one: (-one.differs, one.field)))


def _significant(noise: Iterable[FieldNoise]) -> bool | None:
    states = {one.state for one in noise}
    if "noise" in states:
        return False
    return True if "difference" in states else None
