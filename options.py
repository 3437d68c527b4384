"""Reading TOML and holding its tables against structs; every error names file and key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import ConfigError

__all__ = ["check_keys", "options", "read_toml"]

T = TypeVar("T", bound=msgspec.Struct)


def read_toml(file: Path) -> dict[str, object]:
    """Read a TOML file. Raises ``ConfigError`` where it is absent or not TOML."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        remedy = "run 'fig init', or name the folder with --workspace"
        raise ConfigError(
            "no such file", place=str(file), expected="a TOML file", remedy=remedy
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"cannot be read: {error}", place=str(file), expected="TOML") from error


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
