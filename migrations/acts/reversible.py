"""What acts have in common that leave nothing behind which could not be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from ..ports import Ctx, Done, Waiting

__all__ = ["Reversible"]


class Reversible(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of acts' options. What an act does not say otherwise holds for it.

    Where it is not ``routed`` it is called again after a crash, and looks at what is there first.
    """

    routed: ClassVar[bool] = False

    def final(self, ctx: Ctx) -> str:
        """Say why it cannot be taken back: it can."""
        del ctx
        return ""

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say what it would change now: nothing."""
        del ctx
        return ()

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Take it back: there is nothing to take back."""
        del ctx, result
        return Done()
