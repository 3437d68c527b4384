"""What was handed out for one request: the only tokens that its reply may be unmasked with."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol

from .pack import pack, unpack
from .rule import Scope

__all__ = ["MISSING", "Entry", "Ledger", "Vault", "scope_key"]

Entry = tuple[str, str]
"""A value that wants a token: its kind, and itself as ``pack`` writes it."""

MISSING: Final = object()


class Vault(Protocol):
    """Keeps tokens longer than a request. May block: an event loop calls it in a thread.

    ``scope`` is what ``scope_key`` gives. Both raise ``StoreError``.
    """

    def tokens(self, scope: str, entries: Sequence[Entry]) -> Sequence[str]:
        """Give each value's token, in order; the same value in the same scope has the same.

        They are durable when it returns.
        """

    def values(self, scope: str, tokens: Collection[str]) -> Mapping[str, str]:
        """Give the packed values of the tokens that this scope knows."""


def scope_key(scope: Scope, tenant: str, conversation: str = "") -> str:
    """Give the name under which a vault keeps a scope: 64 hex digits, which name nobody."""
    parts = [scope, tenant, conversation if scope == "conversation" else ""]
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


class _Stems:
    """Random beginnings of tokens, so that no text of anybody's holds one before it is minted.

    Drawn many at a time, as asking the system costs more than all else of a token. A process that
    was forked draws its own.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Forget what was drawn."""
        self._left: list[str] = []

    def next(self) -> str:
        """Give 8 hex digits that nobody was given before. Any thread may ask."""
        try:
            return self._left.pop()
        except IndexError:
            drawn = os.urandom(4096).hex()
            self._left = [drawn[start : start + 8] for start in range(8, len(drawn), 8)]
            return drawn[:8]


_stems: Final = _Stems()


class _Wide:
    """What a ledger has asked of a vault, and got."""

    __slots__ = ("given", "wanted")

    def __init__(self) -> None:
        self.given: dict[tuple[Scope, Entry], str] = {}
        self.wanted: dict[Scope, dict[Entry, None]] = {}


class Ledger:
    """Mints tokens for one request and remembers them. Used by one task, then thrown away.

    ``conversation`` "" narrows tokens of a conversation to the request. ``strangers`` counts what
    looked like a token in a reply and was not handed out here.
    """

    __slots__ = ("_known", "_stem", "_tokens", "_wide", "conversation", "strangers", "tenant")

    def __init__(self, tenant: str = "", conversation: str = "") -> None:
        self.tenant = tenant
        self.conversation = conversation
        self.strangers = 0
        self._stem = ""
        self._tokens: dict[tuple[str, ...], str] = {}
        self._known: dict[str, object] = {}
        self._wide: _Wide | None = None  # few requests need one

    def __repr__(self) -> str:
        """Say how many; neither values nor tokens."""
        return f"Ledger({len(self._known)} tokens)"

    def mint(self, kind: str, value: object) -> str:
        """Give the value's token, the same one for the same value of the same kind."""
        entry = (kind, value) if value.__class__ is str else (kind, "", pack(value))
        found = self._tokens.get(entry)
        if found is None:
            if not self._stem:
                self._stem = _stems.next()
            tokens = self._tokens
            found = f"⟦{kind}:{self._stem}{len(tokens):02x}⟧"
            tokens[entry] = found
            self._known[found] = value
        return found

    def mint_wide(self, scope: Scope, kind: str, value: object) -> str:
        """Give the value's token in a wider scope; until a vault gave it, a mere place for it."""
        if scope == "request" or (scope == "conversation" and not self.conversation):
            return self.mint(kind, value)
        if self._wide is None:
            self._wide = _Wide()
        entry = (kind, pack(value))
        found = self._wide.given.get((scope, entry))
        if found is None:
            self._wide.wanted.setdefault(scope, {})[entry] = None
            return ""
        return found

    @property
    def wanted(self) -> bool:
        """Say whether a vault has to give tokens before the payload is masked once more."""
        return self._wide is not None and bool(self._wide.wanted)

    def settle(self, vault: Vault) -> None:
        """Get from the vault what is wanted. Blocks as the vault does; raises what it raises."""
        wide = self._wide
        if wide is None:
            return
        for scope, entries in wide.wanted.items():
            listed = list(entries)
            given = vault.tokens(scope_key(scope, self.tenant, self.conversation), listed)
            for entry, found in zip(listed, given, strict=True):
                wide.given[scope, entry] = found
                self._known[found] = unpack(entry[1])
        wide.wanted = {}

    def recall(self, vault: Vault, tokens: Collection[str]) -> None:
        """Learn tokens of earlier requests of the same conversation, where there is one.

        Never those of a whole tenant: they may be somebody else's.
        """
        if not self.conversation:
            return
        scope = scope_key("conversation", self.tenant, self.conversation)
        asked = [one for one in tokens if one not in self._known]
        for found, packed in (vault.values(scope, asked) if asked else {}).items():
            self._known[found] = unpack(packed)

    def value(self, found: str) -> object:
        """Give the value that a token stands for; ``MISSING`` where it was not handed out here."""
        return self._known.get(found, MISSING)
