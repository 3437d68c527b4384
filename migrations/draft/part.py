"""A step as it will stand in a file, and how it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Final, Literal

import msgspec

from ..runbook import OnTimeout

__all__ = ["Gate", "Part", "comment", "gate", "slug", "toml", "written"]

_WIDTH: Final = 96

Value = str | int | float | bool | Sequence[str]
Gate = str | Mapping[str, Value]
"""A gate as a step names it: its name, or with its options."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One ``[[step]]``. ``says`` stands as a comment before it; ``off``: all of it is a comment."""

    name: str
    do: str
    options: Mapping[str, Value] = {}
    needs: tuple[Gate, ...] = ()
    undo: Literal["act", "keep", "freeze"] = "act"
    timeout: str = ""
    on_timeout: OnTimeout = "pause"
    why: str = ""
    says: str = ""
    off: bool = False


def gate(name: str, **options: Value) -> Gate:
    """Give a gate with its options; those that are empty are left out."""
    chosen = {key.rstrip("_"): value for key, value in options.items() if value not in ("", 0, ())}
    return {"gate": name, **chosen} if chosen else name


def slug(text: str) -> str:
    """Give a name as runbooks and steps have them: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:64].strip("-")


def written(part: Part) -> str:
    """Write a step, its comment before it."""
    mark = "# " if part.off else ""
    lines = ["[[step]]", *_keys(part)]
    return "".join([comment(part.says), *(f"{mark}{line}\n" for line in lines)])


def comment(text: str) -> str:
    """Write a text as lines of comments."""
    return "".join(f"# {row}\n" for row in wrap(text, _WIDTH - 2, break_long_words=False))


def _keys(part: Part) -> Iterator[str]:
    pairs: list[tuple[str, Value | Mapping[str, Value]]] = [("name", part.name), ("do", part.do)]
    pairs += [("with", part.options)] if part.options else []
    pairs += [("why", part.why)] if part.why else []
    pairs += [("undo", part.undo)] if part.undo != "act" else []
    if part.timeout:
        pairs += [("timeout", part.timeout), ("on_timeout", part.on_timeout)]
    width = max(len(key) for key, _ in pairs)
    for key, value in pairs:
        yield f"{key:<{width}} = {toml(value)}"
    if part.needs:
        yield "needs = ["
        for one in part.needs:
            yield f"  {toml(one)},"
        yield "]"


def toml(value: Value | Mapping[str, Value]) -> str:
    """Write a value as TOML does, on one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml(each)}' for key, each in value.items())} }}"
    if isinstance(value, str):
        # A JSON string is a TOML one, but for this character.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return f"[{', '.join(toml(each) for each in value)}]"
