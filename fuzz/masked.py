"""Texts that may hold what must not leave, and what comes back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final
from zlib import crc32

import msgspec

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.detect import detect
from stranglerfig.acl.masking.keys import Keyring, load_keys
from stranglerfig.acl.masking.ledger import Ledger
from stranglerfig.acl.masking.memory import MemoryVault
from stranglerfig.acl.masking.policy import DEFAULT, Policy, parse_policy
from stranglerfig.acl.masking.unmask import tokens_in, unmask
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.fuzz.target import Target, folder

__all__ = ["keys", "payloads", "replies", "texts"]

_TEXT: Final = (
    "Anna Meyer, DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111, anna@example.com, "
    "+49 711 123456, SSN 078-05-1120, DNI 12345678Z, NINO QQ 12 34 56 C, NIR 2 55 08 14 168 025 38, "
    "codice fiscale RSSMRA85T10A562S, BSN 111222333, Steuer-ID 86095742719, ⟦name:7f3a09c4⟧"
)
_WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            "DE89370400440532013000",
            "4111-1111-1111-1111",
            "a@b.de",
            "@",
            "+",
            "0049",
            "(0)",
            "078-05-1120",
        ),
        *(
            "⟦",
            "⟧",
            "⟦name:7f3a09c4⟧",
            ":",
            "⟦iban:00⟧",
            "tel",
            "IBAN",
            "card",
            "SSN",
            ".",
            "-",
            " ",
            "\u00a0",
        ),
        *(
            "\u0661\u0662\u0663",
            "\u2009",
            "\u200b",
            "12345678901234567890",
            "a" * 300,
            "1 " * 50,
            "GB",
            "X",
        ),
        *('"', "\\u27e6", "{}", "[]", "null", "{", "}", '":', "ß", "\ud7ff", "\U0001f600"),
    )
)


def texts() -> Target:
    """Free text, searched for what must not leave."""

    def read(case: bytes) -> None:
        text = case.decode("utf-8", "surrogateescape")
        last = 0
        for start, end, tag in detect(text):
            assert last <= start < end <= len(text), "stretches overlap"
            assert tag.startswith("pii.")
            last = end

    return Target((_TEXT.encode(), b"", _TEXT.upper().encode("latin-1", "ignore")), _WORDS, read)


_CONTRACT: Final = Contract(
    "x@1 input",
    (
        Field(name="name", type="text", tag="pii.name", required=False),
        Field(name="text", type="text", tag="pii.text", required=False),
        Field(name="free", type="text", tag="none", required=False),
        Field(name="group.iban", type="text", tag="pii.iban", required=False),
        Field(name="lines[].note", type="text", tag="pii.text", required=False),
        Field(name="lines[].amount", type="decimal", tag="pii.amount", required=False),
        Field(name="tags[]", type="text", tag="pii.id", required=False),
        Field(name="extra", type="json", tag="pii.text", required=False),
    ),
)
_WIDE: Final = parse_policy(
    {
        "provider": {
            "pii": {"action": "token", "scope": "tenant"},
            "pii.name": {"action": "token", "scope": "conversation"},
            "pii.text": "keep",
        }
    },
    "masking",
)
_PAYLOAD: Final = json.dumps(
    {
        "name": "Anna Meyer",
        "text": _TEXT,
        "free": "x",
        "group": {"iban": "DE89370400440532013000"},
        "lines": [{"note": "Anna Meyer rang", "amount": 1}, {"note": None, "amount": None}],
        "tags": ["a", "Anna"],
        "extra": {"Anna Meyer": [1, "anna@example.com"]},
    },
    ensure_ascii=False,
).encode()


def _masked(payload: dict[str, object], policy: Policy, ring: Keyring) -> tuple[object, Ledger]:
    mask = compile_mask(_CONTRACT, policy, "provider", ring)
    vault, ledger = MemoryVault(), Ledger("t", "c")
    masked = mask.apply(payload, ledger)
    if ledger.wanted:
        ledger.settle(vault)
        masked = mask.apply(payload, ledger)
    assert not ledger.wanted
    return masked, ledger


def payloads() -> Target:
    """Payloads, as JSON, that are masked for a provider and come back."""
    ring = Keyring([bytes(32)])

    def read(case: bytes) -> None:
        payload = _CONTRACT.decode(case)
        masked, ledger = _masked(payload, (DEFAULT, _WIDE)[crc32(case) % 2], ring)
        shown = json.dumps(masked, ensure_ascii=False, default=str)
        name = payload.get("name")
        if isinstance(name, str) and len(name) > 6 and name.isalpha():
            assert f'"name": "{name}"' not in shown, "the name leaves"
        assert unmask(masked, ledger) == payload, "what comes back is another payload"

    return Target((_PAYLOAD, b"{}"), _WORDS, read)


def replies() -> Target:
    """Replies, as any JSON, that may hold tokens: those of this request and others."""
    ledger = Ledger("t", "c")
    known = [ledger.mint("name", f"v{number}") for number in range(3)]
    known.append(ledger.mint("amount", Decimal("1.50")))
    decoder = msgspec.json.Decoder(Any)

    def read(case: bytes) -> None:
        # Mutated cases cannot know the tokens: they are drawn anew in every process.
        for number, found in enumerate(known):
            case = case.replace(b"TOKEN%d" % number, found.encode())
        try:
            value = decoder.decode(case)
        except (ValueError, RecursionError):
            return
        tokens_in(value)
        back = unmask(value, ledger)
        assert not [
            one for one in known if one in json.dumps(back, ensure_ascii=False, default=str)
        ]

    seeds = (
        b'{"a":"TOKEN0 and TOKEN1","TOKEN2":["TOKEN3",1],"b":"\xe2\x9f\xa6name:00000000\xe2\x9f\xa7"}',
        b'["TOKEN0TOKEN1",[[["TOKEN2"]]]]',
    )
    return Target(seeds, (*_WORDS, b"TOKEN0", b"TOKEN1", b"TOKEN3", b"[", b"]"), read)


def keys() -> Target:
    """Files of keys."""
    file = folder() / "keys"
    file.touch(0o600)
    good = b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    def read(case: bytes) -> None:
        file.write_bytes(case)
        ring = load_keys(file, {})
        assert ring is not None
        assert len(ring.ids) >= 1

    return Target(
        (good, b"# a remark\n" + good + b"\n" + good.replace(b"A", b"B", 3) + b"\n"),
        (b"#", b"\n", b"=", b"-", b"_"),
        read,
    )
