"""A runbook's file, read and checked whole: every error names the file, the step and the key."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from ..errors import ConfigError
from ..options import options, read_toml
from . import known
from .ports import Act
from .runbook import Need, OnTimeout, Runbook, Step, Undo
from .span import Span, seconds

__all__ = ["FOLDER", "file_of", "load", "parse"]

FOLDER: Final = "runbooks"
"""Beside fig.toml: where ``fig new runbook`` writes, and where names are looked for."""

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[runbook]``."""

    endpoint: str
    owner: str
    why: str = ""
    expires: dt.date | None = None


class _Instead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``undo = { do = …, with = … }``."""

    do: str
    options: Mapping[str, object] = msgspec.field(default={}, name="with")


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[[step]]``, as TOML has it."""

    name: str
    do: str
    options: Mapping[str, object] = msgspec.field(default={}, name="with")
    needs: tuple[str | Mapping[str, object], ...] = ()
    undo: Undo | Mapping[str, object] = "act"
    timeout: Span | None = None
    on_timeout: OnTimeout = "fail"
    why: str = ""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    runbook: Mapping[str, object]
    step: tuple[Mapping[str, object], ...]


def file_of(root: Path, name: str) -> Path:
    """Find a runbook: ``triage`` is ``runbooks/triage.toml``; a path is itself."""
    if name.endswith(".toml"):
        return root / name
    return root / FOLDER / f"{name}.toml"


def load(file: Path) -> Runbook:
    """Read a runbook's file. Raises ``ConfigError``."""
    tables = read_toml(file)
    try:
        text = file.read_text("utf-8")
    except OSError as error:  # it was there just now
        raise ConfigError("cannot be read", place=str(file), expected="a TOML file") from error
    return _runbook(tables, file.name, text)


def parse(text: str, file: str) -> Runbook:
    """Read a runbook from the text that a run has kept. Raises ``ConfigError``."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"cannot be read: {error}", place=file, expected="TOML") from error
    return _runbook(tables, file, text)


def _runbook(tables: Mapping[str, object], file: str, text: str) -> Runbook:
    whole = options(_File, tables, file)
    head = options(_Head, whole.runbook, f"{file}: runbook")
    name = file.removesuffix(".toml")
    _check_name(name, file, "a runbook is named as its file")
    steps = tuple(_step(one, index, file) for index, one in enumerate(whole.step))
    twice = [step for step, count in Counter(one.name for one in steps).items() if count > 1]
    if not steps or twice:
        raise ConfigError(
            "a step comes twice" if twice else "there is no step",
            place=f"{file}: step",
            value=", ".join(twice),
            expected="[[step]] tables, each with a name of its own",
        )
    return Runbook(
        name=name,
        endpoint=head.endpoint,
        owner=head.owner,
        why=head.why,
        expires=head.expires,
        steps=steps,
        file=file,
        text=text,
        digest=sha256(text.encode()).hexdigest(),
    )


def _step(table: Mapping[str, object], index: int, file: str) -> Step:
    said = table.get("name")
    place = f"{file}: step {said if isinstance(said, str) else index + 1}"
    one = options(_Step, table, place)
    _check_name(one.name, place, "a step's name")
    undo, undo_by = _undo(one, place)
    return Step(
        name=one.name,
        do=one.do,
        act=known.act(one.do, one.options, f"{place}.with"),
        needs=tuple(_need(each, f"{place}.needs[{at}]") for at, each in enumerate(one.needs)),
        undo=undo,
        undo_by=undo_by,
        timeout=None if one.timeout is None else seconds(one.timeout, f"{place}.timeout"),
        on_timeout=one.on_timeout,
        why=one.why,
        place=place,
    )


def _undo(one: _Step, place: str) -> tuple[Undo, Act | None]:
    if not isinstance(one.undo, Mapping):
        return one.undo, None
    instead = options(_Instead, one.undo, f"{place}.undo")
    return "act", known.act(instead.do, instead.options, f"{place}.undo.with")


def _need(said: str | Mapping[str, object], place: str) -> Need:
    table = {"gate": said} if isinstance(said, str) else dict(said)
    name = table.pop("gate", None)
    if not isinstance(name, str):
        raise ConfigError("names no gate", place=place, expected='{ gate = "verdict" }')
    return Need(name=name, gate=known.gate(name, table, place))


def _check_name(name: str, place: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{what} has other letters",
            place=place,
            value=repr(name),
            expected="small letters, digits and dashes",
        )
