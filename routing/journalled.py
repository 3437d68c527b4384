"""What the journal may hold of a comparison, and what only reviewers may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from ..acl.masking.mask import SEARCHED, Mask
from ..model import Comparison, Payload

__all__ = ["NOTHING", "Journalled", "Keep", "Kept", "Seal", "as_it_is", "journalled", "keeping"]

Journalled = Callable[[Comparison], Comparison]
"""Gives a comparison as the journal may hold it. It has been compared by then."""

Seal = Callable[[str, Payload], str]
"""Encrypts what reviewers may see of a payload; told whether it is a request or a side's answer."""


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a request for reviewers: masked, and encrypted what they may see."""

    request: Payload | None = None
    sealed: Mapping[str, str] = {}


NOTHING = Kept()

Keep = Callable[[Payload], Kept]
"""Gives what is kept of a request."""


def as_it_is(comparison: Comparison) -> Comparison:
    """Give a comparison of which nothing is masked, without its request, which nobody masked."""
    return comparison if comparison.request is None else _without(comparison)


def keeping(mask: Mask, seal: Seal | None = None) -> Keep:
    """Keep requests masked as the policy says for the log; ``mask`` is the operation's input's."""

    def keep(payload: Payload) -> Kept:
        sealed = {} if seal is None else {"request": seal("request", payload)}
        return Kept(mask.apply(payload), sealed)

    return keep


def journalled(mask: Mask, seal: Seal | None = None) -> Journalled:
    """Mask the tagged output fields of comparisons as the policy says for the log.

    ``mask`` is that of the operation's output. Fields that stay are not touched at all, so that a
    line says of them exactly what was compared. Of an open one, what reviewers may see is sealed.
    """
    touched = frozenset(
        row.field.split(".", 1)[0].removesuffix("[]")
        for row in mask.rows
        if row.rule.action != "keep" or row.note == SEARCHED
    )

    def payload(values: Payload) -> Payload:
        held = {name: value for name, value in values.items() if name in touched}
        left = mask.apply(held)
        return {name: left.get(name) if name in held else value for name, value in values.items()}

    def label(values: Payload) -> Payload:
        # Labels come from a CSV: texts, whatever the field's type. customer.name is of customer.
        return {n: None if n.partition(".")[0] in touched else v for n, v in values.items()}

    def change(comparison: Comparison) -> Comparison:
        golden, sealed = comparison.golden, dict(comparison.sealed)
        if seal is not None and comparison.winner == "open":
            sealed["legacy"] = seal("answer", comparison.legacy)
            sealed["replacement"] = seal("answer", comparison.replacement)
        return msgspec.structs.replace(
            comparison,
            legacy=payload(comparison.legacy),
            replacement=payload(comparison.replacement),
            golden=None if golden is None else label(golden),
            sealed=sealed,
        )

    return change if touched or seal else lambda comparison: comparison


def _without(comparison: Comparison) -> Comparison:
    return msgspec.structs.replace(comparison, request=None, sealed={})
