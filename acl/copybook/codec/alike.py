"""Whether a value that was given is the one that written bytes read as."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["alike"]


def alike(given: object, found: object) -> bool:
    """Say whether what was read is what was given, as far as that goes.

    A float may be given with all its digits, as JSON has them: 0.1 is no Decimal that is a float.
    """
    if isinstance(given, Mapping):
        if not isinstance(found, Mapping):
            return all(value is None for value in given.values())
        return all(alike(value, found.get(key)) for key, value in given.items())
    if isinstance(given, list | tuple):
        return (
            isinstance(found, list) and len(given) == len(found) and all(map(alike, given, found))
        )
    if isinstance(given, str) and isinstance(found, str):
        return given.strip(" ") == found.strip(" ")
    return given == found or (isinstance(found, float) and _as_float(given) == found)


def _as_float(given: object) -> float | None:
    try:
        return float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
