"""An endpoint, ready to serve: its contract, its mapping and the two that can answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from .. import config
from ..acl.mapping.mapping import CompiledMapping
from ..acl.operations.operation import Operation
from ..acl.versions.versions import Versions
from ..model import Comparison, Payload, Record, Reply, Request, request_id
from .golden import Golden
from .journalled import Journalled
from .observed import Observed
from .router import Router
from .time_limits import TimeLimits

__all__ = ["AskLegacy", "Endpoint", "Replacement"]

AskLegacy = Callable[[Record, float], Awaitable[Record]]
"""Send a record's bytes to legacy by a deadline (seconds since the epoch), give the answer's."""


class Replacement(Protocol):
    """The replacement of an endpoint in all its revisions."""

    async def answer(self, request: Request, revision: str) -> Reply:
        """Answer with that revision. Raises ``ReplacementError``."""


def _as_it_is(comparison: Comparison) -> Comparison:
    return comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What the dispatcher, the shadow and the watch know of an endpoint.

    ``operation`` is the version that the mapping speaks; ``versions``, where there are later ones,
    carries requests up to the one that the replacement knows, and its replies down. ``journalled``
    masks what of a comparison the journal holds. ``observed`` reads what legacy decides
    later, where the endpoint declares that. ``router`` decides who answers; ``caller`` says in
    which header what is known of a caller stands. ``time_limit`` is the replacement's, ``timeout``
    legacy's, both in seconds.
    """

    config: config.Endpoint
    operation: Operation
    mapping: CompiledMapping
    versions: Versions | None = None
    legacy: AskLegacy | None = None
    replacement: Replacement | None = None
    golden: Golden | None = None
    observed: Observed | None = None
    router: Router = field(default_factory=Router, compare=False)
    caller: Mapping[str, str] = field(default_factory=dict)
    time_limit: float = 2.0
    timeout: float = 30.0
    journalled: Journalled = _as_it_is
    limits: TimeLimits = field(default_factory=TimeLimits, compare=False)

    @property
    def name(self) -> str:
        """Give the endpoint's name in ``fig.toml``."""
        return self.config.name

    def request(self, record: Record, deadline: float | None = None) -> Request:
        """Translate a record into a canonical request. Raises ``InputError``."""
        payload = self.mapping.decode_request(record)
        self.operation.check_input(payload)
        key = _value(payload, self.config.key) if self.config.key else record.key
        return Request(
            id=request_id(record.source, record.position),
            operation=self.operation.name,
            version=self.operation.version,
            source=record.source,
            key=key,
            payload=payload,
            context=self._context(record) if self.caller else {},
            deadline=deadline,
            record=record,
        )

    def _context(self, record: Record) -> Mapping[str, str]:
        found = ((name, record.header(header)) for name, header in self.caller.items())
        return {name: value for name, value in found if value is not None}

    def asked(self, request: Request) -> Request:
        """Give the request as the replacement gets it. Raises ``ContractError``."""
        if self.versions is None or not self.versions.steps:
            return request
        return msgspec.structs.replace(
            request,
            payload=self.versions.upcast(request.payload),
            version=self.versions.latest.version,
        )

    def answered(self, payload: Payload) -> Payload:
        """Give the replacement's output in the mapping's version. Raises ``ContractError``."""
        if self.versions is None or not self.versions.steps:
            self.operation.check_output(payload)
            return payload
        return self.versions.downcast(payload)


def _value(payload: Payload, path: str) -> str:
    value: object = payload
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
