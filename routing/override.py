"""A signed header with which a tester puts single requests on a side.

The value is ``SIDE.ENDPOINT.UNTIL.SIGNATURE``: the side, the endpoint (``*``: any), the second
since the epoch until which it holds, and HMAC-SHA256 over the three under the workspace's key, in
hex.
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import Final

from ..model import Record, Side

__all__ = ["HEADER", "Override", "sign"]

HEADER: Final = "x-fig-side"
_LONGEST: Final = 31 * 86_400.0
"""Seconds: what was signed for longer is no tester's any more."""


def sign(key: bytes, side: Side, endpoint: str, until: float) -> str:
    """Give the value of the header. Called by ``fig route sign``."""
    said = f"{side.value}.{endpoint}.{int(until)}"
    return f"{said}.{_signature(key, said)}"


class Override:
    """Reads the header with one key; without a key no value is genuine. Built by the app.

    A facade takes out every such header that is not genuine: nobody behind us is to believe it.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def side(self, record: Record, endpoint: str) -> Side | None:
        """Give the side that a genuine header asks for; None where there is none. Never raises."""
        value = record.header(HEADER)
        return None if value is None else self._read(value, endpoint)

    def _read(self, value: str, endpoint: str) -> Side | None:
        if not self.is_genuine(value):
            return None
        side, named, _, _ = value.split(".")
        return Side(side) if named in ("*", endpoint) else None

    def is_genuine(self, value: str) -> bool:
        """Say whether a value was signed with our key, and still holds."""
        parts = value.split(".")
        if not self._key or len(parts) != 4 or parts[0] not in tuple(Side):
            return False
        said, signature = ".".join(parts[:3]), parts[3]
        if not hmac.compare_digest(_signature(self._key, said).encode(), signature.encode()):
            return False
        return parts[2].isdecimal() and 0 <= int(parts[2]) - time.time() <= _LONGEST


def _signature(key: bytes, said: str) -> str:
    return hmac.new(key, said.encode("utf-8", "surrogatepass"), sha256).hexdigest()
