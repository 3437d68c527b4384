"""What stands in the place of a value: tokens, pseudonyms and redactions, told apart by their form.

====================  ==========================================  ============
``⟦name:7f3a09c401⟧``  a token: whoever holds the vault reads it    reversible
``⟦name~a1b2:9c0d…⟧``  a pseudonym: ``a1b2`` names the key          one way
``⟦name⟧``             something was here                           gone
====================  ==========================================  ============

They are never of the form of what they stand for: nobody takes one for an account number.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MARK", "TOKEN", "kind_of", "pseudonym", "redacted", "token"]

MARK: Final = "⟦"

TOKEN: Final = re.compile(r"⟦[a-z0-9_-]{1,63}:[0-9a-f]{4,64}⟧")
"""Everything that looks like a token, whether anybody minted it or not."""


_UNFIT: Final = re.compile("[^a-z0-9_-]")


def kind_of(tag: str) -> str:
    """Give the word that says what a value is: the last one of its tag, fit for a token."""
    return _UNFIT.sub("_", tag.rpartition(".")[2].lower())[:63] or "value"


def token(kind: str, number: str) -> str:
    """Write a token. ``number`` is in hex digits."""
    return f"⟦{kind}:{number}⟧"


def pseudonym(kind: str, key: str, digest: str) -> str:
    """Write a pseudonym; ``key`` is the id of the key it was made with."""
    return f"⟦{kind}~{key}:{digest}⟧"


def redacted(kind: str) -> str:
    """Write what says that something was here."""
    return f"⟦{kind}⟧"
