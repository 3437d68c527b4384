"""``needs = [{ gate = "file", path = "GO" }]``: a cut-over that waits for somebody's sign."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..ports import Ctx, Met, Waiting

__all__ = ["Marker"]


class Marker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file is there (``present``), or is there no more: whoever can reach it says when.

    ``path`` is the workspace's, or absolute.
    """

    costly: ClassVar[bool] = False
    path: str
    present: bool = True

    def __post_init__(self) -> None:
        """Hold the path against what it can be."""
        if not self.path:
            raise ValueError("path names no file")

    def asks(self) -> str:
        """Say what it asks for."""
        return f"{self.path} is there" if self.present else f"{self.path} is not there any more"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look whether it is there."""
        file = ctx.workspace.path(self.path)
        if file.exists() is self.present:
            return Met(found=self.asks())
        return Waiting(
            reason=f"waits until {self.asks()}",
            missing="whoever decides when it goes on",
            command=f"touch {file}" if self.present else f"rm {file}",
            again_after=1.0,
        )
