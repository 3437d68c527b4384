"""What commands share by which a person decides: who it was, and with what they exit."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from typing import Final, TypeVar

import click

__all__ = ["DONE", "REFUSED", "who_option"]

DONE: Final = 0
REFUSED: Final = 4
"""One of what was named is not in a state for it; the others were changed."""

_Function = TypeVar("_Function", bound=Callable[..., object])


def who_option(command: _Function) -> _Function:
    """Add ``--who``, by default the user, or what ``FIG_WHO`` says."""
    return click.option("--who", default=_who, show_default="you", help="Who decides.")(command)


def _who() -> str:
    return os.environ.get("FIG_WHO") or getpass.getuser()
