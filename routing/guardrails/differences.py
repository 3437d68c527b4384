"""Where the sides differ: by field, with examples as the journal holds them, which is masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ...model import Comparison, Payload
from ..comparison.path import field_of, values_at

__all__ = ["Difference", "Example", "differences"]

_EXAMPLES = 3


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request on which the sides differed in a field; ``right`` is what is right, if known."""

    request_id: str
    legacy: object
    replacement: object
    right: object = None
    winner: str = "open"


class Difference(msgspec.Struct, kw_only=True):
    """How often the sides differed in a field, and who was right then."""

    field: str
    count: int = 0
    winners: dict[str, int] = {}
    examples: list[Example] = []


def differences(seen: Iterable[Comparison], winners: Mapping[str, str]) -> list[Difference]:
    """Tally the fields in which comparisons differ, the most frequent first.

    ``winners`` by unit are those of the evidence, as people may have adjudicated since the line was
    written. Each distinct input counts once. Examples are the newest, one for each pair of values.
    """
    units = {one.unit: one for one in seen if one.differs}
    found: dict[str, Difference] = {}
    for one in reversed(list(units.values())):
        winner = winners.get(one.unit, one.winner)
        paths: dict[str, str] = {}
        for path in one.differs:
            paths.setdefault(field_of(path), path)
        for field, path in paths.items():
            known = found.setdefault(field, Difference(field=field))
            known.count += 1
            known.winners[winner] = known.winners.get(winner, 0) + 1
            _show(known, path, one, winner)
    return sorted(found.values(), key=lambda known: (-known.count, known.field))


def _show(known: Difference, path: str, one: Comparison, winner: str) -> None:
    legacy, replacement = values_at(path, one.legacy, one.replacement)
    pairs = [(example.legacy, example.replacement) for example in known.examples]
    if len(pairs) < _EXAMPLES and (legacy, replacement) not in pairs:
        known.examples.append(
            Example(
                request_id=one.request_id,
                legacy=legacy,
                replacement=replacement,
                right=None if one.golden is None else _at(one.golden, known.field),
                winner=winner,
            )
        )


def _at(values: Payload, path: str) -> object:
    """Give what stands at a field's path; None where nothing does."""
    if path in values:
        return values[path]
    found: object = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
