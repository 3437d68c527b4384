"""``fig copybook``: files of COBOL records, read and written."""

from __future__ import annotations

import click

from .copybook_decode import decode
from .copybook_encode import encode
from .copybook_replay import replay
from .copybook_show import show

__all__ = ["copybook"]


@click.group()
def copybook() -> None:
    """Read and write files of COBOL records."""


for _command in (show, decode, encode, replay):
    copybook.add_command(_command)
