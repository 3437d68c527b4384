"""``do = "remove"``: take out of a legacy system what catches changes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..installed import taken_out
from ..ports import Ctx, Done, Waiting
from ..system import system_of
from .reversible import Reversible

__all__ = ["Remove"]


class Remove(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take out exactly what is recorded to be in ``system``, once all that it caught is taken.

    ``discard``: even where caught changes still wait. Undone, it is installed again; what changed
    meanwhile was not caught, and ``fig adapter reconcile`` finds it.
    """

    system: str = ""
    discard: bool = False

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Give the statements that would be run now."""
        part = ctx.parts.installable(system_of(ctx, self.system))
        return [line for line in part.remove_plan() if not line.startswith("DELETE FROM")]

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Take it out. Raises ``LegacyError``; then nothing was changed."""
        system = system_of(ctx, self.system)
        kept = dict(ctx.result)
        if "there_before" not in kept:
            kept = {
                "system": system,
                "there_before": bool(ctx.parts.installable(system).remove_plan()),
                "statements": list(self.plan(ctx)),
            }
            ctx.keep(kept)
        done = taken_out(ctx, system, discard=self.discard)
        return done if isinstance(done, Waiting) else Done(result=kept, told=done.told)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Install it again, where it was there."""
        if not result.get("there_before"):
            return Done(told="nothing was taken out")
        system = str(result["system"])
        part = ctx.parts.installable(system)
        if not part.install_plan():
            return Done(told=f"{system}: stands")
        part.install()
        missed = f"what changed meanwhile: fig adapter reconcile {system}"
        return Done(told=f"{system}: installed again; {missed}")
