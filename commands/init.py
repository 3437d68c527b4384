"""``fig init``: a new workspace, empty or the example."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import click
from rich.markup import escape

from .. import app, config
from ..demo.data import Message, read_messages, split
from ..demo.workspace import copy_example
from ..errors import ConfigError
from ..migrations.schema.upgrade import upgrade
from .screen import Screen

__all__ = ["init"]

_LEARN_SHARE = 0.45

_IGNORED = f"""\
# What a workspace makes as it runs; its configuration belongs into version control.
/fig.db*
/{app.KEPT_ROUTES}
/{app.KILL_FILE}
"""

_TEMPLATE = """\
# A workspace of stranglerfig. Check it with: fig check

[workspace]
name  = "{name}"
store = "sqlite:///fig.db"

# -- the legacy systems ------------------------------------------------------------------------
# [legacy.claims]
# adapter = "soap"
# wsdl    = "legacy/claims.wsdl"
# address = "https://mainframe.internal/claims"

# -- what replaces them ------------------------------------------------------------------------
# [replacement.triage]
# provider = "local"
# model    = "models/triage"

# -- what we serve -----------------------------------------------------------------------------
# [facade.soap]
# listen = "127.0.0.1:8700"

# -- what moves --------------------------------------------------------------------------------
# [endpoint.submit-claim]
# operation   = "claim.triage@1"          # operations/claim.triage@1.toml
# listen      = {{ facade = "soap", system = "claims", operation = "SubmitClaim" }}
# mapping     = "acl/submit_claim.toml"
# legacy      = "claims"
# replacement = "triage"
# key         = "policy"
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--example", is_flag=True, help="The help desk: a legacy service and its workspace.")
@click.pass_obj
def init(screen: Screen, folder: Path, example: bool) -> None:
    """Make a workspace in FOLDER (default: this one)."""
    file = folder / "fig.toml"
    if file.exists():
        raise ConfigError(
            "there is a workspace already",
            place=str(file),
            expected="a folder without fig.toml",
            remedy="name another folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    if example:
        _example(folder)
    else:
        for name in ("operations", "acl", "legacy", "models"):
            (folder / name).mkdir(exist_ok=True)
        file.write_text(_TEMPLATE.format(name=folder.resolve().name), "utf-8")
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text(_IGNORED, "utf-8")
    upgrade(config.load(folder).store_url)
    screen.say(f"[green]made[/] {escape(str(file))}")
    if example:
        where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
        screen.say(
            f"start legacy:  {escape(where)}"
            "python legacy/server.py --db legacy/helpdesk.db --port 8701"
        )
        screen.say("then:          fig check")


def _example(folder: Path) -> None:
    """Copy the help desk, with messages to learn from and others to send, labels and all."""
    copy_example(folder)
    messages = read_messages(Path(str(files("stranglerfig").joinpath("fixtures", "messages.csv"))))
    learn, traffic = split(messages, _LEARN_SHARE)
    _write(folder / "learn.csv", learn)
    _write(folder / "traffic.csv", traffic)
    file = folder / "fig.toml"
    compared = 'compare     = ["category"]\n'
    labelled = f'{compared}golden      = "traffic.csv"         # what is right, where it is known\n'
    file.write_text(file.read_text("utf-8").replace(compared, labelled), "utf-8")


def _write(file: Path, messages: Sequence[Message]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category"))
        writer.writerows((message.text, message.category) for message in messages)
