"""Reading TOML and holding its tables against structs; every error names file and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from .errors import ConfigError

__all__ = ["check_keys", "options", "read_toml"]

T = TypeVar("T", bound=msgspec.Struct)


_MOST: Final = 2 << 20
"""Bytes of a file. The largest that anybody writes by hand are tables of codes."""
_DEEPEST: Final = 32
_WIDEST: Final = 4096
"""Bits of a number. In digits they are fewer than the 4300 that Python takes."""
_DOTTED: Final = re.compile(
    r"(?<![\w-])(?>(?>\"[^\"\n]*\"|'[^'\n]*'|[\w-]++)[ \t]*\.[ \t]*){32}", re.ASCII
)
"""A key of more parts than ``_DEEPEST``."""


def read_toml(file: Path) -> dict[str, object]:
    """Read a TOML file. Raises ``ConfigError`` where it is absent, not TOML, or beyond all use.

    Beyond use are files of more than 2 MiB, numbers of more than 4096 bits, and tables or keys of
    more than 32 levels: ``tomllib`` takes time that is their square.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MOST + 1)
        text = raw.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        if len(raw) > _MOST or _DOTTED.search(text):
            raise _beyond(file)
        tables = tomllib.loads(text)
    except FileNotFoundError:
        remedy = "run 'fig init', or name the folder with --workspace"
        raise ConfigError(
            "no such file", place=str(file), expected="a TOML file", remedy=remedy
        ) from None
    except RecursionError:
        raise _beyond(file) from None
    except (ValueError, OSError) as error:
        # ValueError: bytes that are no UTF-8, what TOML does not allow, a number without an end.
        reason = str(error)[:300]
        raise ConfigError(f"cannot be read: {reason}", place=str(file), expected="TOML") from error
    if _useless(tables):
        raise _beyond(file)
    return tables


def _useless(tables: object) -> bool:
    """Say whether tables are too deep, or hold a number that Python would not write again."""
    level = [tables]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if any(isinstance(one, int) and one.bit_length() > _WIDEST for one in level):
            return True
    return any(isinstance(one, dict | list) for one in level)


def _beyond(file: Path) -> ConfigError:
    return ConfigError(
        "too large or too deep",
        place=str(file),
        expected=f"TOML of at most {_MOST >> 20} MiB, its tables at most {_DEEPEST} deep",
    )


def options(kind: type[T], table: Mapping[str, object], place: str) -> T:
    """Check a table against a struct. Adapters and providers call it for their own options.

    Raises ``ConfigError`` with the key in ``place``.
    """
    fields = msgspec.structs.fields(kind)
    check_keys(table, [field.encode_name for field in fields], place)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        key = path.rstrip("`").lstrip(".")
        raise ConfigError(message, place=f"{place}.{key}" if key else place) from error


def check_keys(table: Mapping[str, object], names: Sequence[str], place: str) -> None:
    """Refuse a key that is not among ``names``. Raises ``ConfigError`` with a near name."""
    for key in table:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            raise ConfigError(
                "unknown key",
                place=f"{place}{'.' if ': ' in place else ': '}{key}",
                value=repr(key),
                expected="one of " + ", ".join(names),
                remedy=f"did you mean {close[0]!r}?" if close else "take the key out",
            )
