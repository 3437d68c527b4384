"""Secrets by reference: ``env:NAME`` or ``file:PATH``. A TOML file never holds one itself."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from .errors import ConfigError

__all__ = ["absolute_sqlite", "read_secret", "with_password"]


def read_secret(reference: str, *, place: str, root: Path) -> str:
    """Give what a reference stands for, without the line's end.

    Called when a connection is made. ``place`` is the key that holds the reference, ``root`` the
    workspace's folder. Raises ``ConfigError`` where it is no reference, or leads to nothing; the
    secret itself is in no error.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        found = os.environ.get(name)
        if found is None:
            remedy = f"set the environment variable {name}"
            raise ConfigError("leads to no secret", place=place, value=reference, remedy=remedy)
        return found.rstrip("\r\n")
    if kind == "file" and name:
        try:
            return (root / name).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"leads to no secret: {type(error).__name__}",
                place=place,
                value=reference,
                remedy="make the file, readable by this user only",
            ) from None
    # What stands there may be the secret itself, so it is not repeated.
    expected = "env:NAME or file:PATH"
    raise ConfigError("not a reference to a secret", place=place, expected=expected)


def with_password(url: str, reference: str, place: str, root: Path) -> str:
    """Put a password, by its reference, into a URL that has a user; the URL itself where none is.

    Raises ``ConfigError`` where the URL holds a password already: TOML is no place for one.
    """
    scheme, mark, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not reference:
        return url
    if not at or not mark or ":" in user:
        expected = f"{scheme}://USER@HOST/NAME, the password by reference only"
        raise ConfigError("has no place for a password", place=place, expected=expected)
    return f"{scheme}://{user}:{quote(read_secret(reference, place=place, root=root))}@{host}"


def absolute_sqlite(url: str, root: Path) -> str:
    """Give an address of a database, that of a relative SQLite file resolved against ``root``."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/") and url != prefix + ":memory:":
        return f"{prefix}{(root / url.removeprefix(prefix)).resolve()}"
    return url
