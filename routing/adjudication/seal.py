"""Values that only reviewers may see: encrypted where a difference is journalled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, cast

import msgspec

from ...acl.masking.compile import compile_mask
from ...acl.masking.keys import Cipher, Keyring, no_keys
from ...acl.masking.mask import Mask
from ...acl.masking.policy import Policy
from ...acl.masking.rule import Rule
from ...acl.operations.operation import Operation
from ...model import Payload
from ..payloads import dumps, loads

__all__ = ["Sealing", "clearing"]

_KEEP: Final = Rule(action="keep")


class Sealing:
    """Seals and opens what reviewers of an endpoint may see. Raises ``ConfigError`` without keys.

    ``clear`` names the tags, and with each those below it; all others are masked as for the log.
    Whoever has the keys of masking can open it, so can nobody when the keys are gone.
    """

    def __init__(
        self, operation: Operation, policy: Policy, clear: Collection[str], keys: Keyring | None
    ) -> None:
        if keys is None:
            raise no_keys(policy.place, "what reviewers may see in the clear")
        opened = clearing(policy, clear)
        self._masks: Mapping[str, Mask] = {
            "request": compile_mask(operation.input, opened, "log", keys),
            "answer": compile_mask(operation.output, opened, "log", keys),
        }
        self._cipher: Cipher = keys.cipher()

    def seal(self, what: str, payload: Payload) -> str:
        """Encrypt what reviewers may see of a request or an answer."""
        return self._cipher.encrypt(dumps(self._masks[what].apply(payload)).encode()).decode()

    def open(self, sealed: str) -> Payload | None:
        """Give what was sealed; None where no key reads it, or somebody changed it."""
        try:
            return cast("Payload", loads(self._cipher.decrypt(sealed.encode()).decode()))
        except Exception:  # noqa: BLE001 - of a library that is imported with the cipher only
            return None


def clearing(policy: Policy, clear: Collection[str]) -> Policy:
    """Give a policy under which these tags are kept for the log, and not searched."""
    log = {
        tag: rule
        for tag, rule in policy.rules.get("log", {}).items()
        if not any(tag == one or tag.startswith(f"{one}.") for one in clear)
    }
    log.update(dict.fromkeys(clear, _KEEP))
    free = tuple(
        tag
        for tag in policy.free_text
        if not any(tag == one or tag.startswith(f"{one}.") for one in clear)
    )
    return msgspec.structs.replace(policy, rules={**policy.rules, "log": log}, free_text=free)
