"""``fig acl``: mappings and operations, checked, explained and used on recorded messages."""

from __future__ import annotations

import click

from .acl_check import check
from .acl_diff import diff
from .acl_payload import decode, encode
from .acl_proof import cover, explain, roundtrip
from .acl_schema import schema

__all__ = ["acl"]


@click.group()
def acl() -> None:
    """Check, explain and try out mappings and operations."""


for _command in (check, cover, decode, diff, encode, explain, roundtrip, schema):
    acl.add_command(_command)
