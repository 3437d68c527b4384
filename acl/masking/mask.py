"""A compiled mask: one contract, one destination."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

import msgspec

from ...model import Payload
from .ledger import Ledger
from .policy import Destination
from .rule import Rule, Scope

__all__ = ["REFUSED", "SEARCHED", "Mask", "Row"]

SEARCHED: Final = "searched"
"""The note of free text that stays, but for what is found in it."""

REFUSED: Final = "refused"
"""The note of a text without a tag that must not leave."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one field. ``note`` says why, where the rule alone does not."""

    field: str
    type: str
    tag: str
    rule: Rule
    note: str = ""


class Mask:
    """What leaves of a payload for a destination. Made by ``compile_mask``, shared by all tasks.

    ``title`` names contract and destination. ``digest`` changes when what leaves does; keys are not
    in it. ``scopes`` names the wider scopes that it wants tokens of: with any, the ledger has to be
    settled by a vault.
    """

    __slots__ = ("_found", "_work", "destination", "digest", "rows", "scopes", "title")

    def __init__(
        self,
        title: str,
        destination: Destination,
        rows: tuple[Row, ...],
        found: Mapping[str, Rule],
        work: Callable[[Payload, Ledger], dict[str, object]],
    ) -> None:
        self.title = title
        self.destination = destination
        self.rows = rows
        self._found = found
        self._work = work
        rules = [row.rule for row in rows] + list(found.values())
        self.scopes: frozenset[Scope] = frozenset(
            rule.scope for rule in rules if rule.action == "token" and rule.scope != "request"
        )
        said = msgspec.json.encode([title, destination, rows, found], order="deterministic")
        self.digest = sha256(said).hexdigest()

    def __repr__(self) -> str:
        """Name it."""
        return f"Mask({self.title!r})"

    @property
    def found(self) -> Mapping[str, Rule]:
        """Give the rules for what detectors find in free text; empty where there is none."""
        return self._found

    def apply(self, payload: Payload, ledger: Ledger | None = None) -> dict[str, object]:
        """Give what leaves: a new payload; the given one is not touched.

        What the contract does not know never leaves, nor does a value of another type than its
        field's. Without a ledger nothing can be taken back. Raises ``TypeError`` and ``ValueError``
        for a payload that no contract would pass: nothing leaves then either.
        """
        return self._work(payload, ledger if ledger is not None else Ledger())
