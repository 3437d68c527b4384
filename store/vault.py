"""The vault: values that tokens stand for, encrypted, for as long as a conversation or a tenant."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..acl.masking.keys import Cipher, Keyring
from ..acl.masking.ledger import Entry
from ..acl.masking.token import token
from ..errors import StoreError
from .database import Database
from .tables import vault

__all__ = ["StoreVault"]

_PAGE: Final = 200


class StoreVault:
    """A ``Vault`` in our store, shared by all processes that have its keys.

    What a token stands for is encrypted with the first key and read with whichever fits; the value
    is found again by a keyed digest under each key, so that it keeps its token when keys rotate.
    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``; building
    one raises ``MissingExtra`` without cryptography.
    """

    def __init__(self, database: Database, keys: Keyring) -> None:
        self._database = database
        self._keys = keys
        self._cipher: Cipher = keys.cipher()

    def tokens(self, scope: str, entries: Sequence[Entry]) -> Sequence[str]:
        """Give each value's token, in order; they are durable when it returns."""
        lookups = [self._keys.lookups(scope, kind, packed) for kind, packed in entries]
        with self._database.read() as connection:
            found = _found(connection, scope, lookups)
        if len(found) < len(entries):
            with self._database.write() as connection:
                # Once more, now that nobody else writes: another process may have been quicker.
                found = _found(connection, scope, lookups)
                for number, entry in enumerate(entries):
                    if number not in found:
                        found[number] = self._add(connection, scope, entry, lookups[number][0])
        return [found[number] for number in range(len(entries))]

    def values(self, scope: str, tokens: Collection[str]) -> Mapping[str, str]:
        """Give the packed values of the tokens that this scope knows.

        Raises ``StoreError`` where one is known and no key reads it.
        """
        known: dict[str, str] = {}
        listed = list(tokens)
        for start in range(0, len(listed), _PAGE):
            where = vault.c.scope == scope, vault.c.token.in_(listed[start : start + _PAGE])
            with self._database.read() as connection:
                rows = connection.execute(select(vault).where(*where)).all()
            known |= {str(row.token): self._opened(row) for row in rows}
        return known

    def forget(self, scope: str) -> int:
        """Delete a scope, such as a conversation that is to be erased; say how many tokens."""
        with self._database.write() as connection:
            return connection.execute(delete(vault).where(vault.c.scope == scope)).rowcount

    def forget_before(self, at: float) -> int:
        """Delete what was minted before a time, in seconds since the epoch; say how many tokens."""
        with self._database.write() as connection:
            return connection.execute(delete(vault).where(vault.c.at < at)).rowcount

    def keys(self) -> Mapping[str, int]:
        """Say how many tokens were written with each key, by the key's id."""
        query = select(vault.c.key, func.count()).group_by(vault.c.key)
        with self._database.read() as connection:
            return {str(key): int(count) for key, count in connection.execute(query)}

    def rotate(self) -> int:
        """Write everything anew with the first key, so that the others can be taken out.

        In many small transactions; harmless where it was interrupted. Gives how many were written.
        Raises ``StoreError`` where a value can be read with no key.
        """
        done = 0
        for page in iter(self._old, []):
            with self._database.write() as connection:
                for row in page:
                    self._rewrite(connection, row)
            done += len(page)
        return done

    def _old(self) -> list[Row[tuple[object, ...]]]:
        query = select(vault).where(vault.c.key != self._keys.first).limit(_PAGE)
        with self._database.read() as connection:
            return list(connection.execute(query).all())

    def _rewrite(self, connection: Connection, row: Row[tuple[object, ...]]) -> None:
        packed = self._opened(row)
        lookup = self._keys.lookups(row.scope, _kind(row.token), packed)[0]
        same = select(vault.c.token).where(vault.c.scope == row.scope, vault.c.lookup == lookup)
        held = connection.execute(same).scalar()
        # While keys were being changed, two processes may have minted for one value. Both tokens
        # stay readable; the value is found by the one that the new key found first.
        changed = {
            "key": self._keys.first,
            "value": self._sealed(row.scope, row.token, packed),
            "lookup": lookup if held is None else row.lookup,
        }
        where = vault.c.scope == row.scope, vault.c.token == row.token
        connection.execute(update(vault).where(*where).values(**changed))

    def _add(self, connection: Connection, scope: str, entry: Entry, lookup: str) -> str:
        kind, packed = entry
        minted = token(kind, os.urandom(8).hex())
        row = {
            "scope": scope,
            "token": minted,
            "lookup": lookup,
            "key": self._keys.first,
            "value": self._sealed(scope, minted, packed),
            "at": time.time(),
        }
        connection.execute(insert(vault).values(**row))
        return minted

    def _sealed(self, scope: str, minted: str, packed: str) -> bytes:
        # With its place, so that nobody can move a value under another token.
        return self._cipher.encrypt(json.dumps([scope, minted, packed]).encode("ascii"))

    def _opened(self, row: Row[tuple[object, ...]]) -> str:
        try:
            scope, minted, packed = json.loads(self._cipher.decrypt(row.value))
        except Exception as error:
            known = ", ".join(self._keys.ids)
            raise StoreError(
                "no key reads this token" if row.key not in self._keys.ids else "was changed",
                place=f"vault: {row.token}",
                value=f"written with key {row.key}",
                expected=f"one of the keys {known}",
                remedy=f"put key {row.key} back behind the others"
                if row.key not in self._keys.ids
                else "bring the store back from a backup",
            ) from error
        if (scope, minted) != (row.scope, row.token):
            raise StoreError("stands under another token", place=f"vault: {row.token}")
        return str(packed)


def _kind(minted: str) -> str:
    return minted[1:].partition(":")[0]


def _found(
    connection: Connection, scope: str, lookups: Sequence[tuple[str, ...]]
) -> dict[int, str]:
    """Give the tokens that are there, by the number of their value."""
    numbers = {one: number for number, each in enumerate(lookups) for one in each}
    found: dict[int, str] = {}
    for page in _pages(list(numbers)):
        query = select(vault.c.lookup, vault.c.token).where(
            vault.c.scope == scope, vault.c.lookup.in_(page)
        )
        for lookup, minted in connection.execute(query.order_by(vault.c.at, vault.c.token)):
            found.setdefault(numbers[lookup], str(minted))
    return found


def _pages(lookups: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lookups), _PAGE):
        yield lookups[start : start + _PAGE]
