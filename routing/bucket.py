"""Which keys a canary takes: stable, uniform, and in whole numbers.

The bucket of a key never changes under one salt, so raising the percent only adds keys.
"""

from __future__ import annotations

from hashlib import sha256

__all__ = ["BUCKETS", "bucket", "inside"]

BUCKETS = 100_000
"""A bucket is a thousandth of a percent."""


def bucket(salt: str, key: str) -> int:
    """Give the bucket, 0 to 99,999, of a key: the first 8 bytes of SHA-256, scaled by integers."""
    digest = sha256(f"{salt}\x1f{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS >> 64


def inside(salt: str, key: str, percent: float) -> bool:
    """Say whether a canary of that percent (0..100) takes the key."""
    return bucket(salt, key) < round(percent * 1000)
