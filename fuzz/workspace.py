"""Other files of a workspace: masking policies and fixtures."""

from __future__ import annotations

from typing import Final

from stranglerfig.acl.masking.policy import load_policy
from stranglerfig.fixtures.fixture import read_fixture
from stranglerfig.fuzz.seeds import HELPDESK, TOML_WORDS
from stranglerfig.fuzz.target import Target, folder

__all__ = ["fixtures", "policies"]

_POLICY: Final = b"""[masking]
keys = "masking.keys"
free_text = ["pii.text"]
[masking.provider]
untagged = "redact"
"pii.name" = { action = "token", scope = "conversation" }
pii.id = "pseudonym"
"pii.born" = { action = "generalise", to = "year" }
secret = "drop"
[masking.log]
"pii.amount" = { action = "generalise", band = "100" }
none = "keep"
"pii.zip" = { action = "generalise", prefix = 2 }
"""


def policies() -> Target:
    """Masking policies."""
    place = folder()
    file = place / "masking.toml"

    def read(case: bytes) -> None:
        file.write_bytes(case)
        policy = load_policy(place)
        for tag in ("pii.name", "pii.text", "secret", "x", ""):
            policy.rule(tag, "provider")

    words = (
        b'"token"',
        b'"keep"',
        b'"generalise"',
        b"scope",
        b"band = ",
        b"prefix = ",
        b"to = ",
        b"[masking.trace]",
    )
    return Target((_POLICY,), (*TOML_WORDS, *words), read)


def fixtures() -> Target:
    """Fixture files."""
    place = folder()
    file = place / "case.toml"
    dumped = b"""fixture = 1
id = "a/1"
mapping = "acl/a.toml"
[request]
encoding = "cp037"
dump = '''
0000  F0F0F4F4 F1F1F2F2 F0F0F4F4 F1F1F2F2  |0044112200441122|
0010  C1                                   |A|
'''
[reply]
file = "case.toml"
"""

    def read(case: bytes) -> None:
        file.write_bytes(case)
        found = read_fixture(file)
        assert isinstance(found.request.body, bytes)

    seeds = [dumped, *(one.read_bytes() for one in sorted(HELPDESK.glob("fixtures/*/*.toml"))[:2])]
    words = (
        b"dump = ",
        b"body = ",
        b"file = ",
        b'encoding = "utf-16"',
        b"0000  ",
        b"headers = ",
        b"recorded = ",
    )
    return Target(seeds, (*TOML_WORDS, *words), read)
