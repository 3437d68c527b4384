"""What the journal may hold of a comparison."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..acl.masking.mask import SEARCHED, Mask
from ..model import Comparison, Payload

__all__ = ["Journalled", "journalled"]

Journalled = Callable[[Comparison], Comparison]
"""Gives a comparison as the journal may hold it. It has been compared by then."""


def journalled(mask: Mask) -> Journalled:
    """Mask the tagged output fields of comparisons as the policy says for the log.

    ``mask`` is that of the operation's output. Fields that stay are not touched at all, so that a
    line says of them exactly what was compared.
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
        # Labels come from a CSV: texts, whatever the field's type.
        return {name: None if name in touched else value for name, value in values.items()}

    def change(comparison: Comparison) -> Comparison:
        golden = comparison.golden
        return msgspec.structs.replace(
            comparison,
            legacy=payload(comparison.legacy),
            replacement=payload(comparison.replacement),
            golden=None if golden is None else label(golden),
        )

    return change if touched else lambda comparison: comparison
