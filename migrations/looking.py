"""A look at a step's gates: the cheap ones first, the costly ones only once those are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .ports import Ctx, Waiting
from .runbook import Need

__all__ = ["Found", "look_at"]

Found = Mapping[str, object]
"""What an open gate found, as it is kept with the step: ``gate``, ``found``, ``evidence``."""


def look_at(needs: Sequence[Need], ctx: Ctx) -> tuple[Sequence[Found], Sequence[Waiting]]:
    """Look at all gates; give what they found, and what is to be waited for.

    A costly one runs once the cheap ones are open, and those are looked at again after it: a window
    may have closed while tests ran. Raises what gates do.
    """
    cheap = [need for need in needs if not need.gate.costly]
    costly = [need for need in needs if need.gate.costly]
    found, waits = _looked(cheap, ctx)
    for need in costly:
        if waits:
            return (), waits
        more, waits = _looked([need], ctx)
        found |= more
    if costly and not waits:
        again, waits = _looked(cheap, ctx)
        found |= again
    # In the file's order; gates of one name differ in their options.
    return [found[id(need)] for need in needs if id(need) in found], waits


def _looked(needs: Sequence[Need], ctx: Ctx) -> tuple[dict[int, Found], list[Waiting]]:
    found: dict[int, Found] = {}
    waits = []
    for need in needs:
        seen = need.gate.look(ctx)
        if isinstance(seen, Waiting):
            waits.append(seen)
        else:
            found[id(need)] = {
                "gate": need.name,
                "found": seen.found,
                "evidence": seen.evidence,
            }
    return found, waits
