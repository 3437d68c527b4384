"""A vault in memory, for as long as the process: for programs of one run, and for tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping, Sequence

from .ledger import Entry
from .token import token

__all__ = ["MemoryVault"]


class MemoryVault:
    """A ``Vault`` that forgets everything when it is let go of. Any thread may use it."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, Entry], str] = {}
        self._values: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Say how many; neither values nor tokens."""
        return f"MemoryVault({len(self._values)} tokens)"

    def tokens(self, scope: str, entries: Sequence[Entry]) -> Sequence[str]:
        """Give each value's token, in order."""
        with self._lock:
            return [self._token(scope, entry) for entry in entries]

    def values(self, scope: str, tokens: Collection[str]) -> Mapping[str, str]:
        """Give the packed values of the tokens that this scope knows."""
        with self._lock:
            known = {one: self._values.get((scope, one)) for one in tokens}
        return {one: value for one, value in known.items() if value is not None}

    def _token(self, scope: str, entry: Entry) -> str:
        found = self._tokens.get((scope, entry))
        if found is None:
            found = token(entry[0], os.urandom(8).hex())
            self._tokens[scope, entry] = found
            self._values[scope, found] = entry[1]
        return found
