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
    "acl": ("acl", "Check, explain and try out mappings and operations."),
    "adapter": ("adapters", "Install and remove what adapters need in a legacy system."),
    "bridge": ("serve", "Run the daemon that takes deliveries from sources."),
    "check": ("check", "Check fig.toml and all that it names."),
    "completion": ("completion", "Print the completion script of a SHELL."),
    "copybook": ("copybook", "Read and write files of COBOL records."),
    "dead": ("dead", "List, show, replay and drop dead letters."),
    "demo": ("demo", "Move an endpoint of a legacy SOAP service onto a model."),
    "evidence": ("evidence", "Show the evidence on ENDPOINT, and what is missing."),
    "init": ("init", "Make a workspace in FOLDER (default: this one)."),
    "journal": ("journal", "Read the journal of every request, comparison and change."),
    "learn": ("learn", "Train ENDPOINT's replacement from labelled examples."),
    "mask": ("mask", "Show what leaves masked, and manage the keys and the vault of masking."),
    "new": ("new_runbook", "Write a file to begin with: a runbook."),
    "noise": (
        "noise",
        "Ask a side of ENDPOINT everything twice, and note how often fields differ.",
    ),
    "outbox": ("outbox", "List, show, release and drop messages that are to leave."),
    "review": ("review", "Decide, without knowing which side is which, what ENDPOINT differs in."),
    "route": ("route", "Show and change where endpoints stand."),
    "runbook": ("runbook", "Move an endpoint step by step, as its runbook says."),
    "serve": ("serve", "Run the facades, until SIGTERM or Ctrl-C."),
    "up": ("serve", "Run facades and bridge in one process."),
}
"""Each command's module, and what ``fig --help`` says of it without importing that."""


class _LazyGroup(click.Group):
    """Imports a command's module when it is called.

    So ``fig --help`` is quick, and needs no extra that only one of the commands needs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".commands.{_COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])


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
    8 store, 9 an extra is missing, 10 runbook refused, 130 interrupted.
    """
    screen = Screen(workspace=Path())
    try:
        status = fig(prog_name="fig", standalone_mode=False)
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
