"""Reading the copybook that a command names, and telling what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
from rich.markup import escape

from ..acl.copybook.copybook import Copybook
from ..acl.copybook.error import CopybookError
from ..acl.copybook.parse.parser import read_copybook
from .screen import Screen

__all__ = ["copybook_argument", "read"]

_Function = TypeVar("_Function", bound=Callable[..., object])
_MARGIN = 4


def copybook_argument(command: _Function) -> _Function:
    """Add the argument COPYBOOK."""
    return click.argument("copybook", type=click.Path(path_type=Path, dir_okay=False))(command)


def read(screen: Screen, file: Path, copies: Sequence[Path]) -> Copybook:
    """Read it. A ``CopybookError`` goes on to the caller after its line was shown, with a caret."""
    try:
        book = read_copybook(file, copies=copies)
    except CopybookError as error:
        if error.source and error.column:
            screen.note(escape(_shown(error)))
        raise
    for notice in book.notices:
        screen.note(f"[yellow]notice[/] {escape(str(notice))}")
    return book


def _shown(error: CopybookError) -> str:
    number = f"{error.line:>{_MARGIN}} "
    # A tab stays a tab on the line below, so that the caret stands under its character.
    before = "".join("\t" if one == "\t" else " " for one in error.source[: error.column - 1])
    return f"{number}| {error.source.rstrip()}\n{' ' * len(number)}| {before}^"
