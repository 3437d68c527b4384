"""Acts and gates for runbooks of tests: named there as ``py:MODULE:Move``. It is no test.

What is done stands in the workspace's file ``deeds``, a line each time; files of the workspace say
what a gate waits for and what fails.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from stranglerfig.errors import LegacyError, LegacyUnavailable
from stranglerfig.migrations.ports import Done, Met, Waiting
from stranglerfig.model import Route, Stage, Step
from stranglerfig.routing.stages import position


def there(ctx, name: str) -> bool:
    return bool(name) and (ctx.workspace.root / name).exists()


def write(ctx, line: str) -> None:
    with (ctx.workspace.root / "deeds").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def deeds(root) -> list[str]:
    file = root / "deeds"
    return file.read_text("utf-8").split("\n")[:-1] if file.exists() else []


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The route goes to a stage, whatever the evidence."""

    routed: ClassVar[bool] = True
    to: Stage
    percent: float = 0.0
    lasts: str = ""
    waits: str = ""

    def final(self, ctx):
        del ctx
        return self.lasts

    def plan(self, ctx):
        return [] if position(ctx.route()) >= position(self._rung()) else [f"to {self.to}"]

    def do(self, ctx):
        if self.waits and not there(ctx, self.waits):
            return Waiting(reason=f"waits for {self.waits}", again_after=0.05)
        if position(ctx.route()) < position(self._rung()):
            ctx.operator().advance(self._rung(), force=True, why=ctx.step.name)
        return Done(told=f"at {self.to}")

    def undo(self, ctx, result):
        before = msgspec.convert(result["before"], Route) if "before" in result else None
        if before is not None and position(ctx.route()) > position(before):
            ctx.operator().rollback(before.stage, why=ctx.step.name)
        return Done(told="back")

    def _rung(self):
        return Step(stage=self.to, percent=self.percent)


class Deed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line in the file ``deeds``; looked for before it is written."""

    routed: ClassVar[bool] = False
    line: str
    waits: str = ""
    fails: str = ""
    stuck: str = ""
    lasts: str = ""
    gone: str = ""
    asleep: bool = False

    def final(self, ctx):
        del ctx
        return self.lasts

    def plan(self, ctx):
        return [] if self._stands(ctx) else [f"writes {self.line}"]

    def do(self, ctx):
        if there(ctx, self.fails):
            raise LegacyError("does not go", place="there", remedy="take the file away")
        if there(ctx, self.gone):
            raise LegacyUnavailable("is away", place="there")
        if not self._stands(ctx):
            write(ctx, self.line)
        ctx.keep({"kept": self.line})
        if self.asleep:
            ctx.stop.wait(60)
            return Waiting(reason="asleep", again_after=60)
        if self.waits and not there(ctx, self.waits):
            return Waiting(reason=f"waits for {self.waits}", again_after=0.05, command="touch it")
        return Done(result={"line": self.line}, told=self.line)

    def undo(self, ctx, result):
        if there(ctx, self.stuck):
            raise LegacyError("cannot be taken out", place="there")
        if self._stands(ctx):
            write(ctx, f"-{self.line}")
        ctx.keep({**result, "gone": True})
        return Done(told=f"no {self.line}")

    def _stands(self, ctx):
        lines = deeds(ctx.workspace.root)
        return lines.count(self.line) > lines.count(f"-{self.line}")


class Open(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file is there."""

    costly: ClassVar[bool] = False
    path: str

    def asks(self):
        return f"the file {self.path}"

    def look(self, ctx):
        if there(ctx, self.path):
            return Met(found=f"{self.path} is there", evidence={"path": self.path})
        return Waiting(
            reason=f"there is no {self.path}",
            missing=self.path,
            command=f"touch {self.path}",
            again_after=0.05,
        )
