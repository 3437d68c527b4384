"""What people see: tables, colours that mean something, errors by their parts; and JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .. import config
from ..errors import FigError
from ..model import Stage

__all__ = ["COLOURS", "Screen", "endpoint_argument", "json_option"]

COLOURS = {
    "legacy": "yellow",
    "shadow": "cyan",
    "canary": "magenta",
    "live": "green",
    "retired": "blue",
    "pass": "green",
    "fail": "red",
    "hold": "yellow",
    "error": "red",
}
"""One meaning a colour: stages from yellow (legacy serves) to green (the replacement does)."""

_UNBOUND = 1000

_Function = TypeVar("_Function", bound=Callable[..., object])


def _output() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # Into a file or a pipe, lines stay whole: whoever greps for a row must find it.
        console.width = _UNBOUND
    return console


@dataclass
class Screen:
    """Where a command prints: results on standard output, everything else on standard error."""

    workspace: Path
    out: Console = field(default_factory=_output)
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def load(self) -> config.Workspace:
        """Read the workspace's ``fig.toml``."""
        return config.load(self.workspace)

    def json(self, value: object) -> None:
        """Print one value as one line of JSON."""
        sys.stdout.write(msgspec.json.encode(value, order="sorted").decode() + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print a line for people; rich's markup is understood."""
        self.out.print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line beside the result, on standard error."""
        self.err.print(text, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Print a table. Cells may hold rich's markup; text of others is to be escaped."""
        table = Table(
            box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False
        )
        for column in columns:
            right = column.startswith(">")
            table.add_column(column.lstrip(">"), justify="right" if right else "left")
        for row in rows:
            table.add_row(*row)
        self.out.print(table)

    def error(self, error: FigError) -> None:
        """Print an error by its parts, on standard error."""
        # Where the problems follow, each by its parts, the message need not list them.
        message = error.message.partition("\n")[0] if error.problems else error.message
        self.err.print(f"[bold red]error[/]: {escape(message)}", soft_wrap=True)
        self._parts(error)
        for problem in error.problems:
            if (problem.message, problem.place) == (error.message, error.place):
                continue  # it is the only one, and was said
            self.err.print(f"  [red]-[/] {escape(problem.message)}", soft_wrap=True)
            self._parts(problem)

    def _parts(self, error: FigError) -> None:
        parts: Mapping[str, str] = error.as_dict()
        if error.source:
            self._caret(error.source, error.column)
        for name in ("place", "value", "expected", "remedy"):
            if parts[name]:
                self.err.print(f"  [dim]{name:<9}[/] {escape(parts[name])}", soft_wrap=True)

    def _caret(self, source: str, column: int) -> None:
        line = source.rstrip()
        shown = line.expandtabs()
        self.err.print(f"  [dim]{'':<9}[/] {escape(shown)}", soft_wrap=True)
        if 0 < column <= len(line) + 1:
            before = len(line[: column - 1].expandtabs())
            self.err.print(f"  {'':<9} {' ' * before}[bold red]^[/]", soft_wrap=True)


def coloured(word: str, text: str = "") -> str:
    """Give a stage or a verdict in its colour."""
    colour = COLOURS.get(word, "white")
    return f"[{colour}]{escape(text or word)}[/]"


def stage_text(stage: Stage, percent: float) -> str:
    """Give a stage with its percent, in its colour."""
    return coloured(stage.value, f"canary {percent:g} %" if stage is Stage.CANARY else stage.value)


def json_option(command: _Function) -> _Function:
    """Add ``--json`` to a command that prints data."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


def endpoint_argument(command: _Function) -> _Function:
    """Add the argument ENDPOINT, completed in the shell from fig.toml."""
    return click.argument("endpoint", shell_complete=_endpoints)(command)


def _endpoints(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del param
    root = ctx.find_root().params.get("workspace") or Path()
    try:
        return [name for name in config.load(root).endpoint if name.startswith(incomplete)]
    except FigError:
        return []
