"""``fig copybook``: files of COBOL records, read and written."""

from __future__ import annotations

import click

from .copybook_show import show

__all__ = ["copybook"]


@click.group()
def copybook() -> None:
    """Read and write files of COBOL records."""


copybook.add_command(show)
