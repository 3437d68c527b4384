"""``fig runbook``: the migration of an endpoint, step by step, as its runbook says."""

from __future__ import annotations

import click

from .runbook_apply import abort, apply
from .runbook_change import approve, freeze, pause, resume, rollback
from .runbook_plan import plan
from .runbook_render import render
from .runbook_status import list_, status

__all__ = ["runbook"]


@click.group()
def runbook() -> None:
    """Move an endpoint step by step, as its runbook says."""


for _command in (
    plan,
    apply,
    status,
    list_,
    approve,
    pause,
    resume,
    freeze,
    abort,
    rollback,
    render,
):
    runbook.add_command(_command)
