"""``needs = [{ gate = "tests", run = ["pytest", "-q"] }]``: a program says that all is well."""

from __future__ import annotations

import shlex
from typing import Annotated, ClassVar

import msgspec

from ..acts.command import program
from ..length import length
from ..ports import Ctx, Met, Waiting
from ..program import StillRuns
from ..span import Span

__all__ = ["TestsPass"]


class TestsPass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program ends with 0: tests, a check of one's own.

    It is run without a shell, as ``do = "command"`` runs one, and again after ``every`` where it
    did not pass.
    """

    __test__: ClassVar[bool] = False
    costly: ClassVar[bool] = True
    run: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    timeout: Span = "10m"
    every: Span = "1m"
    env: tuple[str, ...] = ()
    folder: str = ""

    def __post_init__(self) -> None:
        """Hold the times against what they can be."""
        length(self.timeout, "timeout")
        length(self.every, "every")

    def asks(self) -> str:
        """Say what it asks for."""
        return f"{shlex.join(self.run)} ends with 0"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Run it. Raises ``RunbookError`` where it cannot be started."""
        timeout, every = length(self.timeout, "timeout"), length(self.every, "every")
        one = program(ctx, self.run, timeout=timeout, env=self.env, folder=self.folder)
        ctx.announce(f"runs {shlex.join(self.run)}")
        try:
            ended = one.run(ctx.stop)
        except StillRuns:
            reason = f"{self.run[0]}: an earlier start of it still runs"
            return Waiting(reason=reason, missing="its end", again_after=2.0)
        if ended.status == 0 and not ended.cut:
            return Met(
                found=f"{self.run[0]} {ended.text}",
                evidence={"seconds": ended.seconds, "output": ended.output},
            )
        last = ended.output.rpartition("\n")[2]
        return Waiting(
            reason=f"{self.run[0]} {ended.text}",
            missing=f"status 0; it says: {last}" if last else "status 0",
            command=shlex.join(self.run),
            again_after=every,
        )
