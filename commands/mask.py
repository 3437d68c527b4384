"""``fig mask``: what leaves of a payload, for whom, and the keys that hide the rest."""

from __future__ import annotations

import click

from .mask_explain import explain
from .mask_keys import forget, key, keys, rotate

__all__ = ["mask"]


@click.group()
def mask() -> None:
    """Show what leaves masked, and manage the keys and the vault of masking."""


for _command in (explain, forget, key, keys, rotate):
    mask.add_command(_command)
