"""``do = "command"``: run a program of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from ...errors import RunbookError
from ..begun import kept
from ..length import length
from ..ports import Ctx, Done, Waiting
from ..program import Ended, Program, StillRuns, environment
from ..span import Span
from .reversible import Reversible

__all__ = ["Command", "program"]

_AGAIN: Final = 2.0

Argv = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Command(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Run a program, a list of its arguments, without a shell; 0 is success.

    A step that was interrupted is run again: what ``run`` does must be harmless when it is done
    twice, or ``check`` says that it is done already (with 0), or ``once`` has a person decide.
    ``undo`` takes back what this step has run; none: nothing is done then. ``folder`` is seen
    from that of fig.toml; ``env`` names what is passed of our environment beside PATH, HOME and
    the like. The program is told ``FIG_RUN``, ``FIG_STEP``, ``FIG_ENDPOINT`` and ``FIG_ATTEMPT``.
    """

    run: Argv
    check: Argv | None = None
    undo_with: Argv | None = msgspec.field(default=None, name="undo")
    timeout: Span = "10m"
    env: tuple[str, ...] = ()
    folder: str = ""
    once: bool = False

    def __post_init__(self) -> None:
        """Hold the timeout against what it can be."""
        length(self.timeout, "timeout")

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Give the program; whether it was run before is not asked."""
        del ctx
        return (shlex.join(self.run),)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Run it to its end. Raises ``RunbookError`` where that is none of success."""
        have = kept(ctx)
        if self.check is not None:
            checked = self._run(ctx, self.check)
            if isinstance(checked, Waiting):
                return checked
            if checked.status == 0 and not checked.cut:
                return Done(result=have, told=f"{self.check[0]} says that it is done already")
        if self.once and have.get("begun") and not have.get("ended"):
            raise self._unknown(ctx, have)
        have |= {"begun": True, "ended": False}
        ctx.keep(have)
        ctx.announce(f"runs {shlex.join(self.run)}")
        ended = self._run(ctx, self.run)
        if isinstance(ended, Waiting):
            return ended
        have |= {"ended": True, "status": ended.status, "output": ended.output}
        have["seconds"] = ended.seconds
        ctx.keep(have)
        return _judged(ctx, self.run, ended, have)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Run the program that takes it back. Raises ``RunbookError`` where it fails."""
        if self.undo_with is None:
            return Done(told="no program takes it back")
        if not result.get("begun"):
            return Done(told="it was never begun")
        ended = self._run(ctx, self.undo_with)
        return ended if isinstance(ended, Waiting) else _judged(ctx, self.undo_with, ended, {})

    def _run(self, ctx: Ctx, argv: Sequence[str]) -> Ended | Waiting:
        timeout = length(self.timeout, "timeout")
        one = program(ctx, argv, timeout=timeout, env=self.env, folder=self.folder)
        try:
            ended = one.run(ctx.stop)
        except StillRuns as error:
            return Waiting(
                reason=f"{argv[0]}: an earlier start of this step still runs",
                missing="its end",
                command=f"fuser {error}",
                again_after=_AGAIN,
            )
        if ended.cut == "stop":
            return Waiting(reason=f"{argv[0]}: {ended.text}", missing="another start of it")
        return ended

    def _unknown(self, ctx: Ctx, have: dict[str, object]) -> RunbookError:
        # Whoever applies the run after this has decided.
        ctx.keep(have | {"ended": True})
        return RunbookError(
            "was begun before, and nobody knows how it ended: it is not run again by itself (once)",
            place=ctx.step.place,
            value=self.run[0],
            expected="a person who looks whether it has happened",
            remedy=f"where it has not, run it again: fig runbook apply {ctx.runbook.name}; "
            f"where it has, say so by a check, or undo the run: "
            f"fig runbook abort {ctx.runbook.name}",
        )


def program(
    ctx: Ctx, argv: Sequence[str], *, timeout: float, env: Sequence[str], folder: str
) -> Program:
    """Make a step's program ready. Gates that run one call it too."""
    run = ctx.run.id if ctx.run is not None else 0
    position = ctx.record.position if ctx.record is not None else 0
    told = {
        "FIG_RUN": str(run),
        "FIG_STEP": ctx.step.name,
        "FIG_ENDPOINT": ctx.endpoint.name,
        "FIG_ATTEMPT": str(ctx.record.attempts if ctx.record is not None else 0),
    }
    passed = environment(env, told)
    return Program(
        argv=argv,
        folder=ctx.workspace.path(folder or "."),
        place=ctx.step.place,
        env=passed,
        timeout=timeout,
        hidden=[passed[name] for name in env if name in passed],
        lock=ctx.workspace.path(f".fig-run-{run}-{position}.lock"),
    )


def _judged(ctx: Ctx, argv: Sequence[str], ended: Ended, result: dict[str, object]) -> Done:
    if ended.status == 0 and not ended.cut:
        return Done(result=result, told=f"{argv[0]} {ended.text}")
    raise RunbookError(
        f"the program {ended.text}",
        place=ctx.step.place,
        value=ended.output[-300:] or "it printed nothing",
        expected="status 0",
        remedy=f"mend what it says, and go on: fig runbook apply {ctx.runbook.name}; "
        f"by hand it is: {shlex.join(argv)}",
    )
