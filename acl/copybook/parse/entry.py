"""One entry of a copybook as it is written, before anybody knows where its bytes stand."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ..item import Condition, Picture, Sign, Usage
from .tokens import Token

__all__ = ["Entry", "Reference", "Table", "Value"]

Value = str | Decimal
"""A literal: a text, a number, or one of the constants that ``item`` has as texts of their own."""


class Reference(msgspec.Struct, frozen=True):
    """Another item's name with the groups that qualify it: ``ID OF CUSTOMER``, innermost first."""

    names: tuple[str, ...]
    token: Token

    def __str__(self) -> str:
        """Write it as COBOL does."""
        return " OF ".join(self.names)


class Table(msgspec.Struct, frozen=True):
    """OCCURS as it is written."""

    least: int
    most: int
    depending: Reference | None
    token: Token


class Entry(msgspec.Struct, kw_only=True):
    """A level, a name and clauses. The parser fills it clause by clause.

    ``usage`` and ``sign`` are None where the entry does not say: the group around it may.
    ``bytes`` is the size that the usage alone gives, 0 where the picture decides.
    """

    level: int
    token: Token
    name: str = "FILLER"
    named: Token | None = None
    picture: Picture | None = None
    pictured: Token | None = None
    usage: Usage | None = None
    used: Token | None = None
    bytes: int = 0
    sign: Sign | None = None
    table: Table | None = None
    redefines: Reference | None = None
    renames: tuple[Reference, Reference | None] | None = None
    value: Value | None = None
    values: tuple[Value | tuple[Value, Value], ...] = ()
    conditions: list[Condition] = []
    justified: bool = False
    blank_when_zero: bool = False
    synchronized: bool = False
    seen: set[str] = set()

    @property
    def place(self) -> Token:
        """Give the token that errors about it point to."""
        return self.named or self.token
