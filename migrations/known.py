"""Acts and gates by the names that runbooks know them by."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Final, Literal, cast

import msgspec

from .. import registry
from ..errors import ConfigError
from ..options import options
from .ports import Act, Gate

__all__ = ["ACTS", "GATES", "act", "gate", "struct_of"]

ACTS: Final[Mapping[str, str]] = {
    "install": "install:Install",
    "remove": "remove:Remove",
    "backfill": "backfill:TakeRows",
    "record": "record:RecordTraffic",
    "learn": "learn:Learn",
    "shadow": "shadow:Shadow",
    "canary": "canary:Canary",
    "live": "live:Live",
    "retire": "retire:Retire",
    "data": "data:MoveData",
    "approve": "approve:Approve",
    "observe": "observe:Observe",
    "command": "command:Command",
    "webhook": "webhook:Webhook",
}
"""Each a struct of its options: the module in ``acts/``, and its class."""

GATES: Final[Mapping[str, str]] = {
    "verdict": "verdict:VerdictPasses",
    "minimum": "minimum:Minimum",
    "backfilled": "backfilled:Backfilled",
    "copied": "copied:Copied",
    "tests": "tests:TestsPass",
    "window": "window:Window",
    "approvals": "approvals:Approvals",
    "file": "file:Marker",
    "checksums": "checksums:Checksums",
    "no-doubts": "no_doubts:NoDoubts",
    "adopted": "adopted:Adopted",
}
"""Each a struct of its options: the module in ``gates/``, and its class."""

_Kind = Literal["acts", "gates"]


def struct_of(kind: _Kind, name: str, place: str = "") -> type[msgspec.Struct]:
    """Import the struct of that name; ``py:package.module:Class`` is anybody's own.

    Raises ``ConfigError`` where there is none.
    """
    ours = ACTS if kind == "acts" else GATES
    if name.startswith("py:"):
        found = registry.find("converters", name, place=place)  # no group has a part in "py:"
    elif name in ours:
        module, _, attribute = ours[name].partition(":")
        found = getattr(importlib.import_module(f".{kind}.{module}", __package__), attribute)
    else:
        raise _unknown(kind, name, ours, place)
    if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
        raise ConfigError(
            "is no struct of options", place=place, value=name, expected="a msgspec.Struct"
        )
    return found


def act(name: str, table: Mapping[str, object], place: str) -> Act:
    """Make an act from its options. Raises ``ConfigError`` with the key in its place."""
    made = options(struct_of("acts", name, place), table, place)
    _check(made, ("plan", "do", "undo", "final", "routed"), name, place)
    return cast("Act", made)


def gate(name: str, table: Mapping[str, object], place: str) -> Gate:
    """Make a gate from its options. Raises ``ConfigError`` with the key in its place."""
    made = options(struct_of("gates", name, place), table, place)
    _check(made, ("look", "asks", "costly"), name, place)
    return cast("Gate", made)


def _check(made: object, members: tuple[str, ...], name: str, place: str) -> None:
    lacking = [member for member in members if not hasattr(made, member)]
    if lacking:
        raise ConfigError(
            "lacks what the runner calls", place=place, value=name, expected=", ".join(lacking)
        )


def _unknown(kind: _Kind, name: str, ours: Mapping[str, str], place: str) -> ConfigError:
    close = difflib.get_close_matches(name, ours, n=1)
    return ConfigError(
        f"there is no such {kind.removesuffix('s')}",
        place=place,
        value=repr(name),
        expected="one of " + ", ".join(sorted(ours)),
        remedy=f"did you mean {close[0]!r}?" if close else "mend the name",
    )
