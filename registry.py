"""Parts by name: our own and those of other packages, through the same entry points."""

from __future__ import annotations

import difflib
import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from .errors import ConfigError, MissingExtra

__all__ = ["Group", "find", "names"]

Group = Literal["adapters", "providers", "converters"]


@cache
def _points(group: Group) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"stranglerfig.{group}")}


def names(group: Group) -> tuple[str, ...]:
    """Give the registered names of a group, sorted."""
    return tuple(sorted(_points(group)))


def find(group: Group, name: str, *, place: str = "") -> object:
    """Import the part of that name; ``py:package.module:attribute`` names one directly.

    Called while a workspace is put together. ``place`` is where the name stands (file and key).
    Raises ``ConfigError`` for an unknown name and ``MissingExtra`` where its package is not there.
    """
    if name.startswith("py:"):
        return _import(name.removeprefix("py:"), place)
    point = _points(group).get(name)
    if point is None:
        close = difflib.get_close_matches(name, names(group), n=1)
        raise ConfigError(
            f"no such part in stranglerfig.{group}",
            place=place,
            value=repr(name),
            expected="one of " + ", ".join(names(group)),
            remedy=f"did you mean {close[0]!r}?" if close else "mend the name",
        )
    try:
        return point.load()
    except ModuleNotFoundError as error:
        raise missing(name, error, place) from error


def missing(extra: str, error: ModuleNotFoundError, place: str = "") -> MissingExtra:
    """Turn a failed import into the error that names the extra to install."""
    return MissingExtra(
        f"{extra!r} needs the package {error.name!r}",
        place=place,
        remedy=f"pip install 'stranglerfig[{extra}]'",
    )


def _import(target: str, place: str) -> object:
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"cannot import: {error}",
            place=place,
            value=f"py:{target}",
            expected="py:package.module:attribute",
            remedy="mend the name, or put the module on the Python path",
        ) from error
