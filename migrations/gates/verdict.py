"""``needs = ["verdict"]``: the guardrail passes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..ports import Ctx, Met, Waiting

__all__ = ["VerdictPasses"]


class VerdictPasses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The guardrail passes as a whole, or the one that is named (``mismatch``, ``errors`` …)."""

    costly: ClassVar[bool] = False
    guardrail: str = ""

    def asks(self) -> str:
        """Say what it asks for."""
        return f"guardrail {self.guardrail} passes" if self.guardrail else "the guardrail passes"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Judge what is known now; looking often costs no certainty. Raises ``StoreError``."""
        evidence = ctx.operator().evidence()
        verdict = evidence.of(self.guardrail) if self.guardrail else evidence.verdict
        name = ctx.endpoint.name
        if verdict is None:
            said = ", ".join(one.guardrail for one in evidence.verdicts) or "none"
            return Waiting(
                reason=f"guardrail {self.guardrail} says nothing on this rung",
                missing=f"one of those that do: {said}",
                command=f"fig route show {name}",
            )
        if verdict.outcome == "pass":
            return Met(found=f"passes: {verdict.reason}", evidence=evidence.snapshot())
        failed = verdict.outcome == "fail"
        return Waiting(
            reason=f"the guardrail says {verdict.outcome}: {verdict.reason}",
            missing=verdict.missing or ("another revision of the replacement" if failed else ""),
            command=f"fig route deploy {name}" if failed else f"fig evidence {name}",
        )
