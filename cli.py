"""The ``fig`` command: parses, calls, prints. The groups are imported when they are called."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from . import __version__
from .commands.screen import Screen
from .errors import FigError
from .telemetry import start_logging

__all__ = ["fig", "main"]

_COMMANDS = {
    "adapter": "adapter",
    "bridge": "serve",
    "check": "check",
    "completion": "completion",
    "demo": "demo",
    "init": "init",
    "learn": "learn",
    "route": "route",
    "serve": "serve",
    "up": "serve",
}


class _LazyGroup(click.Group):
    """Imports a command's module when it is called, so that ``fig --help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".commands.{_COMMANDS[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fig")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(path_type=Path),
    default=Path(),
    envvar="FIG_WORKSPACE",
    show_default="this folder",
    help="The folder that holds fig.toml.",
)
@click.option("-v", "--verbose", count=True, help="Log what happens; twice for all of it.")
@click.pass_context
def fig(ctx: click.Context, workspace: Path, verbose: int) -> None:
    """Move a legacy system's traffic onto an AI replacement, endpoint by endpoint, on evidence."""
    start_logging(verbose)
    ctx.obj = Screen(workspace=workspace)


def main() -> None:
    """Run ``fig``; errors of ours are printed by their parts, with a stable exit status.

    0 done, 1 failed, 2 usage, 3 configuration, 4 input, 5 route refused, 6 legacy, 7 replacement,
    8 store, 9 an extra is missing, 130 interrupted.
    """
    screen = Screen(workspace=Path())
    try:
        status = fig(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except FigError as error:
        screen.error(error)
        sys.exit(error.exit_status)
    sys.exit(status if isinstance(status, int) else 0)
