"""``do = "learn"``: train the endpoint's replacement from labelled examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import RunbookError
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Learn"]


class Learn(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Learn from ``file`` (of the workspace); ``columns`` names a CSV's text and label.

    The same examples give the same revision. Nothing is deployed by it: a revision that no route
    names answers nobody, so there is nothing to undo.
    """

    file: str
    columns: tuple[str, str] | None = None

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say what is learnt from. Raises ``RunbookError`` where the file is not there."""
        self._check(ctx)
        return (f"{ctx.endpoint.replacement} learns from {self.file}",)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Train. Raises ``InputError`` for examples that cannot be learnt from."""
        self._check(ctx)
        file = ctx.workspace.path(self.file)
        ctx.announce(f"learns from {self.file}: this may take minutes")
        revision = ctx.parts.learn(ctx.endpoint.name, file, self.columns)
        return Done(result={"revision": revision}, told=f"revision {revision}")

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Leave the revision where it is: it answers nobody."""
        del ctx
        revision = result.get("revision")
        return Done(told=f"revision {revision} stays, and answers nobody" if revision else "")

    def _check(self, ctx: Ctx) -> None:
        if not ctx.workspace.path(self.file).is_file():
            raise RunbookError(
                "no such file",
                place=f"{ctx.step.place}.with.file",
                value=self.file,
                expected="a CSV or JSON lines with examples, its path relative to fig.toml",
            )
