"""A long list on the screen: a part of it at a time, and how much more there is."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import click
from rich.markup import escape

from ..store.page import Page
from .screen import Screen

__all__ = ["page_of", "paging_options", "tell_rest"]

_ROWS: Final = 50

_Function = TypeVar("_Function", bound=Callable[..., object])


def paging_options(command: _Function) -> _Function:
    """Add ``--limit``, ``--after`` and ``--newest`` to a command that lists."""
    for option in (
        click.option("--newest", is_flag=True, help="The newest first."),
        click.option(
            "--after",
            type=click.IntRange(0),
            default=0,
            metavar="ID",
            help="Those behind this one.",
        ),
        click.option(
            "--limit",
            type=click.IntRange(0),
            help=f"At most so many; 0: all. Without it {_ROWS} in a table, and all as JSON.",
        ),
    ):
        command = option(command)
    return command


def page_of(limit: int | None, after: int, *, newest: bool, as_json: bool) -> Page:
    """Give the part that is asked for."""
    if limit is None:
        limit = 0 if as_json else _ROWS
    return Page(limit=limit, after=after, newest=newest)


def tell_rest(
    screen: Screen, rest: int, command: str, options: Mapping[str, object], last: int
) -> None:
    """Say how many more there are, and how they are seen; nothing where there are none.

    ``options`` are those that the command was called with, by their names.
    """
    if rest <= 0:
        return
    words = [word for name, value in options.items() for word in _words(name, value)]
    said = escape(shlex.join(["fig", *command.split(), *words, "--after", str(last)]))
    screen.note(f"[yellow]{rest} more[/]: {said}")


def _words(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}"] if value else []
    values = value if isinstance(value, tuple) else (value,)
    return [word for one in values if one for word in (f"--{name}", str(one))]
