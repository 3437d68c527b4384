"""Taking out of a legacy system what was put there, once all that it caught is taken."""

from __future__ import annotations

from typing import Final

from ..adapters.capture.ground import Grounded
from ..errors import LegacyError, LegacyUnavailable, SchemaDrift
from .ports import Ctx, Done, Waiting
from .system import behind

__all__ = ["taken_out"]

_AGAIN: Final = 1.0


def taken_out(ctx: Ctx, system: str, *, discard: bool) -> Done | Waiting:
    """Take it out; wait while caught changes are not taken, unless ``discard`` gives them up.

    Harmless where nothing is installed. Raises ``LegacyError``.
    """
    part = ctx.parts.installable(system)
    if not part.remove_plan():
        return Done(result={"system": system, "removed": False}, told=f"{system}: nothing is there")
    try:
        part.remove(discard=discard)
    except (LegacyUnavailable, SchemaDrift):
        raise
    except LegacyError:
        waiting = 0 if discard else _not_taken(part)
        if not waiting:
            raise
        return Waiting(
            reason=f"{system}: {waiting:,} caught changes are not taken yet",
            missing="the bridge, that takes them; or somebody who gives them up",
            command=f"fig bridge status; or: fig adapter remove {system} --discard",
            again_after=_AGAIN,
        )
    return Done(result={"system": system, "removed": True}, told=f"{system}: taken out")


def _not_taken(part: object) -> int:
    return behind(part.ground()).lag.pending if isinstance(part, Grounded) else 0
