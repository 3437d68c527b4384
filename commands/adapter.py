"""The group ``fig adapter``. Commands of its own add themselves to it; ``adapters.py`` has all."""

from __future__ import annotations

import click

__all__ = ["adapter"]


@click.group()
def adapter() -> None:
    """Install and remove what adapters need in a legacy system."""
