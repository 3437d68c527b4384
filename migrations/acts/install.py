"""``do = "install"``: put what catches changes into a legacy system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import LegacyError
from ..installed import taken_out
from ..ports import Ctx, Done, Waiting
from ..system import system_of
from .reversible import Reversible

__all__ = ["Install"]


class Install(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Install in ``system``; none named: the one that the endpoint listens to.

    Undone, it is taken out again, unless something of it stood there before: once what was caught
    is taken, or at once where ``discard`` gives that up.
    """

    system: str = ""
    discard: bool = False

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Give the statements that would be run now. Raises ``RunbookError``, ``ConfigError``."""
        part = ctx.parts.installable(system_of(ctx, self.system))
        return [line for line in part.install_plan() if not _is_record(line)]

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Install what is not there yet. Raises ``LegacyError``; then nothing was changed."""
        system = system_of(ctx, self.system)
        part = ctx.parts.installable(system)
        kept = dict(ctx.result)
        if "there_before" not in kept:
            # Kept before anything is done: after a crash nobody could tell any more.
            statements = list(self.plan(ctx))
            kept = {
                "system": system,
                "there_before": bool(part.remove_plan()),
                "statements": statements,
            }
            ctx.keep(kept)
        part.install()
        left = list(part.install_plan())
        if left:
            raise LegacyError(
                "something is not installed, though it was",
                place=ctx.step.place,
                value=left[0].partition("\n")[0],
                remedy=f"look at it: fig adapter doctor {system}",
            )
        return Done(result=kept, told=f"{system}: installed")

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Take out what this step put in."""
        if "there_before" not in result:
            return Done(told="nothing was installed")
        system = str(result["system"])
        if result["there_before"]:
            return Done(told=f"{system}: had something installed before the run; it stays")
        return taken_out(ctx, system, discard=self.discard)


def _is_record(statement: str) -> bool:
    """Say whether a statement only writes down what was done, which is no news."""
    return statement.startswith(("INSERT INTO", "DELETE FROM"))
