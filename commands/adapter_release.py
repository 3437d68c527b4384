"""``fig adapter release``: let a key go on that a dead event holds back."""

from __future__ import annotations

import asyncio
from typing import Protocol, runtime_checkable

import click
from rich.markup import escape

from .. import app
from ..errors import ConfigError, LegacyError
from ..ports import Source
from .adapter import adapter
from .screen import Screen

__all__ = ["release"]


@runtime_checkable
class _Releasing(Protocol):
    async def release(self, position: str) -> bool: ...


@adapter.command()
@click.argument("system")
@click.argument("position")
@click.pass_obj
def release(screen: Screen, system: str, position: str) -> None:
    """Let go on what waits behind the dead event at POSITION of SYSTEM.

    'fig dead replay' and 'fig dead drop' do that by themselves; this is for a dead letter that is
    no longer there. The event itself stays undone.
    """
    workspace = screen.load()
    part = app.source(workspace, system)
    if not isinstance(part, _Releasing):
        raise ConfigError(
            "no event of this adapter holds others back",
            place=workspace.place("legacy", system, "adapter"),
            value=workspace.legacy[system].adapter,
        )
    if not asyncio.run(_release(part, part, position)):
        raise LegacyError(
            "no dead event is held there",
            place=system,
            value=position,
            expected="the position of an event that blocks its key",
            remedy="'fig adapter doctor' counts them",
        )
    screen.note(f"{escape(system)}: released")


async def _release(source: Source, part: _Releasing, position: str) -> bool:
    await source.open()
    try:
        return await part.release(position)
    finally:
        await source.close()
