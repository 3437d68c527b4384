"""What a step has kept since it was begun: after a crash it goes on, after a rollback anew."""

from __future__ import annotations

from .ports import Ctx

__all__ = ["kept"]


def kept(ctx: Ctx) -> dict[str, object]:
    """Give what the step has kept since it was begun last, with that time as ``began``.

    A step that is done again, for the run was rolled back, still has its earlier result: an act
    that must not take that for its own begins from here, and keeps what it is given.
    """
    began = None if ctx.record is None else ctx.record.began_at
    if "began" in ctx.result and ctx.result["began"] == began:
        return dict(ctx.result)
    return {"began": began}
