"""The recorded message that a ``fig acl`` command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

from ..acl.mapping.open import Opened, mapping_files, open_mapping
from ..errors import ConfigError, FigError
from ..fixtures.folder import find_fixture, fixtures
from ..model import Record

__all__ = ["Message", "fixture_argument", "mapping_argument", "message", "message_options"]

_Function = TypeVar("_Function", bound=Callable[..., object])


class Message(NamedTuple):
    """A record, the request that it belongs to, and the mapping that reads it."""

    name: str
    opened: Opened
    request: Record
    record: Record


def message(root: Path, name: str, mapping: str, encoding: str, *, reply: bool) -> Message:
    """Find a fixture; or take any file's bytes, where ``mapping`` says what reads them.

    Raises ``ConfigError``.
    """
    if mapping:
        record = _file(name, encoding)
        return Message(name, open_mapping(root, mapping), record, record)
    fixture = find_fixture(root, name)
    opened = open_mapping(root, fixture.mapping)
    if not reply:
        return Message(fixture.id, opened, fixture.request, fixture.request)
    if fixture.reply is None:
        expected = "a fixture with a [reply]"
        raise ConfigError("has no reply", place=fixture.file.name, expected=expected)
    return Message(fixture.id, opened, fixture.request, fixture.reply)


def _file(name: str, encoding: str) -> Record:
    try:
        body = Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", place=name, expected="a file of one message"
        ) from error
    return Record(source="file", position=name, kind="file", body=body, encoding=encoding)


def fixture_argument(command: _Function) -> _Function:
    """Add the argument FIXTURE: a path or an id, completed in the shell."""
    return click.argument("fixture", shell_complete=_ids)(command)


def mapping_argument(command: _Function) -> _Function:
    """Add the arguments MAPPING …: paths in the workspace, completed in the shell."""
    return click.argument("mappings", metavar="[MAPPING]...", nargs=-1, shell_complete=_mappings)(
        command
    )


def message_options(command: _Function) -> _Function:
    """Add ``--reply``, ``--mapping`` and ``--encoding``."""
    for option in (
        click.option("--encoding", default="utf-8", help="With --mapping: the file's encoding."),
        click.option(
            "--mapping",
            default="",
            shell_complete=_mappings,
            help="FIXTURE is a file of one message; this mapping reads it.",
        ),
        click.option("--reply", is_flag=True, help="The answer instead of the request."),
    ):
        command = option(command)
    return command


def _root(ctx: click.Context) -> Path:
    return Path(ctx.find_root().params.get("workspace") or ".")


def _ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del param
    try:
        return [one.id for one in fixtures(_root(ctx)) if one.id.startswith(incomplete)]
    except FigError:
        return []


def _mappings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del param
    return [name for name in mapping_files(_root(ctx)) if name.startswith(incomplete)]
