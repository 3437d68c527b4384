"""Fields of a canonical payload by their path: ``customer.name``."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["put", "take"]


def take(payload: Mapping[str, object], path: str) -> object:
    """Give the value at a path. Raises ``KeyError`` with the first part that is not there."""
    value: object = payload
    done: list[str] = []
    for part in path.split("."):
        done.append(part)
        if not isinstance(value, Mapping) or part not in value:
            raise KeyError(".".join(done))
        value = value[part]
    return value


def put(payload: dict[str, object], path: str, value: object) -> None:
    """Set the value at a path, making the tables on the way.

    Raises ``KeyError`` where the path leads through a value that is not a table.
    """
    *parents, last = path.split(".")
    table = payload
    for part in parents:
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            raise KeyError(path)
        table = below
    table[last] = value
