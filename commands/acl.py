"""``fig acl``: mappings and operations, checked, explained and used on recorded messages."""

from __future__ import annotations

import click

from .acl_check import check
from .acl_diff import diff
from .acl_payload import decode, encode

__all__ = ["acl"]


@click.group()
def acl() -> None:
    """Check, explain and try out mappings and operations."""


for _command in (check, decode, diff, encode):
    acl.add_command(_command)
