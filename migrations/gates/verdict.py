"""``needs = ["verdict"]``: the guardrail passes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..ports import Ctx, Met, Waiting
from ..verdicts import not_passed

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
        passed = f"passes: {verdict.reason}"
        return not_passed(verdict, name) or Met(found=passed, evidence=evidence.snapshot())
