"""A kind of effect of an endpoint, compiled: its contract, and how legacy's own is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from ... import config
from ...acl.mapping.mapping import CompiledMapping, load_mapping
from ...acl.masking.mask import Mask
from ...acl.operations.operation import Operation, load_operation
from ...answer_settings import EffectRules
from ...errors import ConfigError
from ...model import Payload, Record, Request
from ..comparison.comparing import Comparing
from ..comparison.compile import compile_comparing
from ..journalled import Journalled, journalled

__all__ = ["Kind", "account_of", "load_kinds"]

_ANY: Final = "*"


def account_of(endpoint: str, kind: str) -> str:
    """Name what a kind's rows are kept under. No endpoint is called so."""
    return f"{endpoint}/{kind}"


class Kind:
    """Made by ``load_kinds``; used by whoever has a reply with intents, and by ``Witness``.

    ``account`` is the name that its rows are kept under; ``digest`` that of all that decides what
    is the same.
    """

    def __init__(
        self,
        endpoint: str,
        name: str,
        rules: EffectRules,
        operation: Operation,
        mapping: CompiledMapping | None,
        mask: Mask,
    ) -> None:
        self.endpoint, self.name, self.rules = endpoint, name, rules
        self.operation, self._mapping, self._mask = operation, mapping, mask
        self.account = account_of(endpoint, name)
        place = f"endpoint.{endpoint}.effects.{name}"
        self.comparing: Comparing = compile_comparing(rules.comparison, (), operation.input, place)
        self.journalled: Journalled = journalled(mask)
        read = "" if mapping is None else mapping.digest
        said = msgspec.json.encode([operation.digest, read, rules], order="deterministic")
        self.digest = sha256(said).hexdigest()

    @property
    def seen(self) -> bool:
        """Say whether legacy's own effects of this kind are seen anywhere."""
        return self._mapping is not None

    def masked(self, payload: Payload) -> Payload:
        """Give a payload as the journal may hold it. It fits the contract."""
        return self._mask.apply(payload)

    def key_of(self, request: Request) -> str:
        """Give what the effects of a request are found by; "" where it has nothing."""
        if not self.rules.match:
            return request.record.key if request.record is not None else ""
        value = request.payload.get(self.rules.match)
        return "" if value is None else str(value)

    def read(self, record: Record) -> tuple[str, Payload] | None:
        """Give the key and the payload of an effect of legacy's; None where a record is none.

        Raises ``InputError`` where the mapping refuses it.
        """
        mapping, op = self._mapping, record.header("op")
        if mapping is None or (op is not None and op not in self.rules.changes):
            return None
        if self.rules.when and not self._is_one(mapping, record):
            return None
        payload = mapping.decode_request(record)
        self.operation.check_input(payload)
        value = payload.get(self.rules.key)
        return ("" if value is None else str(value)), payload

    def _is_one(self, mapping: CompiledMapping, record: Record) -> bool:
        values = mapping.request.shape.read(record)[0]
        for place, texts in self.rules.when.items():
            found = values.get(place)
            wanted = (texts,) if isinstance(texts, str) else texts
            if found is None or not (_ANY in wanted or str(found) in wanted):
                return False
        return True


def load_kinds(
    endpoint: config.Endpoint,
    asked: Operation,
    root: Path,
    mask: Callable[[Operation], Mask],
) -> Mapping[str, Kind]:
    """Load an endpoint's kinds of effects, by name. ``mask`` gives what the journal may hold.

    ``asked`` is the endpoint's operation. Raises ``ConfigError`` for the first that does not fit.
    """
    found: dict[str, Kind] = {}
    for name, rules in endpoint.effects.items():
        place = f"endpoint.{endpoint.name}.effects.{name}"
        operation = load_operation(root, rules.operation)
        mapping = None
        if rules.mapping:
            mapping = load_mapping((root / rules.mapping).resolve(), operation, root)
            _check_field(rules.key, operation, f"{place}.key")
            _check_when(rules, mapping, f"{place}.when")
        if rules.match:
            _check_field(rules.match, asked, f"{place}.match")
        found[name] = Kind(endpoint.name, name, rules, operation, mapping, mask(operation))
    return found


def _check_field(name: str, operation: Operation, place: str) -> None:
    if name not in operation.input.by_name:
        raise ConfigError(
            f"{operation.id} has no such input field",
            place=place,
            value=repr(name),
            expected="one of " + ", ".join(sorted(operation.input.by_name)),
        )


def _check_when(rules: EffectRules, mapping: CompiledMapping, place: str) -> None:
    known = {leaf.path for leaf in mapping.request.shape.leaves}
    for name in rules.when:
        if name not in known:
            raise ConfigError(
                "the record has no such place",
                place=place,
                value=repr(name),
                expected="one of " + ", ".join(sorted(known)),
            )
