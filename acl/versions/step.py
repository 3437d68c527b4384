"""Files that carry an operation from one version to the next: ``operations/NAME@1-2.toml``.

``fields`` takes an old input up to the new one, ``reply`` a new reply down to the old one: the rows
of a mapping, from value to value. Loading fails unless both are total.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from ...config import options, read_toml
from ...errors import ConfigError
from ...model import Payload
from ..converters.codes import load_codes
from ..operations.operation import Operation
from ..origin import source_of
from .carry import Carry, CarryRow

__all__ = ["Step", "StepTable", "load_step", "versions_of"]

_FILE: Final = re.compile(r"(?P<name>.+)@(?P<old>[1-9][0-9]{0,5})-(?P<new>[1-9][0-9]{0,5})\.toml")


class StepTable(msgspec.Struct, frozen=True, kw_only=True):
    """A file between two versions: its rows still as tables, each checked with its own number."""

    operation: str
    same: bool = False
    fields: tuple[Mapping[str, object], ...] = ()
    ignore: Mapping[str, str] = {}
    reply: tuple[Mapping[str, object], ...] = ()
    reply_ignore: Mapping[str, str] = {}
    codes: Mapping[str, Mapping[str, str]] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step between two versions. ``up`` and ``down`` take payloads that were checked."""

    old: Operation
    new: Operation
    up: Callable[[Payload], dict[str, object]]
    down: Callable[[Payload], dict[str, object]]
    decides: Mapping[str, object]
    """All that decides what it does, for a digest: the file, its code tables, own converters."""


def versions_of(file: Path) -> tuple[int, int]:
    """Give the two versions that a step's file name says. Raises ``ConfigError``."""
    found = _FILE.fullmatch(file.name)
    old, new = (int(found["old"]), int(found["new"])) if found else (0, 0)
    if old >= new:
        expected = "NAME@OLD-NEW.toml, the older version first"
        raise ConfigError("not a step", place=str(file), value=file.name, expected=expected)
    return old, new


def load_step(file: Path, old: Operation, new: Operation, root: Path) -> Step:
    """Read, check and compile a step. Called at start; files of codes are relative to ``root``.

    Raises ``ConfigError`` that names all that is wrong: rows that do not fit, fields that are
    neither carried nor ignored with a reason, needed fields that nothing feeds.
    """
    tables = read_toml(file)
    table = options(StepTable, tables, file.name)
    if table.operation != new.name:
        raise ConfigError(
            "for another operation",
            place=f"{file.name}: operation",
            value=table.operation,
            expected=new.name,
        )
    codes = load_codes(table.codes, root, f"{file.name}: codes")
    up = Carry(f"{file.name}: fields", old.input, new.input, codes, upward=True)
    down = Carry(f"{file.name}: reply", new.output, old.output, codes, upward=False)
    problems: list[ConfigError] = []
    for carry, rows, ignore in (
        (up, table.fields, table.ignore),
        (down, table.reply, table.reply_ignore),
    ):
        read: list[CarryRow] = []
        for number, row in enumerate(rows, 1):
            try:
                read.append(options(CarryRow, row, f"{carry.place} row {number}"))
            except ConfigError as error:
                problems.append(error)
        problems.extend(carry.tie(read, ignore, same=table.same))
    unused = table.codes.keys() - up.tables - down.tables
    problems += [
        ConfigError("a table of codes that no row reads", place=f"{file.name}: codes.{name}")
        for name in sorted(unused)
        if not problems
    ]
    if problems:
        raise _all(problems, file)
    modules = sorted({name for carry in (up, down) for name in carry.modules})
    decides = {
        "file": tables,
        "codes": {name: dict(one) for name, one in codes.items()},
        "modules": {name: source_of(name) for name in modules},
    }
    return Step(old=old, new=new, up=up.compiled(), down=down.compiled(), decides=decides)


def _all(problems: list[ConfigError], file: Path) -> ConfigError:
    if len(problems) == 1:
        return problems[0]
    listed = "".join(f"\n  {number}. {one}" for number, one in enumerate(problems, 1))
    return ConfigError(
        f"{len(problems)} problems:{listed}", place=str(file), remedy="mend them all"
    )
