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
from ..errors import ConfigError
from ..model import Payload, Record, Reply, Request, Side, request_id
from .adjudication.golden import Golden
from .adjudication.inline import Inline
from .adjudication.rules import compile_rules
from .blend import Blending, compile_blend
from .comparison.comparing import Comparing
from .comparison.compile import compile_comparing
from .dual.lookup import Lookup
from .dual.token import Token, compile_token
from .effects.kind import Kind
from .journalled import NOTHING, Journalled, Keep, Kept, as_it_is
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


def _nothing(payload: Payload) -> Kept:
    del payload
    return NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What the dispatcher, the shadow and the watch know of an endpoint.

    ``operation`` is the version that the mapping speaks; ``versions``, where there are later ones,
    carries requests up to the one that the replacement knows, and its replies down. ``journalled``
    masks what of a comparison the journal holds, and ``kept`` gives what it holds of the request of
    an open one. ``comparing`` and ``inline`` are made of the settings. ``observed`` reads what
    legacy decides later, where the endpoint declares that. ``router`` decides who answers;
    ``caller`` says in which header what is known of a caller stands. ``lookups`` ask a side whether
    it has a write; ``token`` reads under which idempotency key one happens. ``time_limit`` is the
    replacement's, ``timeout`` legacy's, both in seconds.

    Raises ``ConfigError`` where the settings do not fit the operation.
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
    lookups: Mapping[Side, Lookup] = field(default_factory=dict)
    time_limit: float = 2.0
    timeout: float = 30.0
    journalled: Journalled = as_it_is
    kept: Keep = _nothing
    acts: bool = False
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    limits: TimeLimits = field(default_factory=TimeLimits, compare=False)
    comparing: Comparing = field(init=False, compare=False, repr=False)
    inline: Inline = field(init=False, compare=False, repr=False)
    token: Token = field(init=False, compare=False, repr=False)
    blending: Blending | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compile the comparison, and the rules that decide at once."""
        settings, place = self.config, f"endpoint.{self.config.name}"
        output, said = self.operation.output, settings.adjudication
        comparing = compile_comparing(settings.comparison, settings.compare, output, place)
        rules = compile_rules(said, self.operation, place)
        # The only way to set what is made of the others in a frozen dataclass.
        fields = frozenset(field.name for field in self.operation.input.fields)
        token = compile_token(settings.dual.key, f"{place}.dual.key", fields)
        object.__setattr__(self, "token", token)
        object.__setattr__(self, "comparing", comparing)
        object.__setattr__(self, "inline", Inline(said.order, comparing, rules, output))
        object.__setattr__(self, "blending", self._blending(place))

    def _blending(self, place: str) -> Blending | None:
        given = self.config.blend
        if given is None:
            return None
        if self.operation.effect != "read" or not self.config.listen.facade:
            raise ConfigError(
                "both sides are asked at once, and would both do it",
                place=f"{place}.blend",
                value=f"effect {self.operation.effect}",
                expected="an operation behind a facade whose effect is read",
            )
        return compile_blend(given, self.operation.output, place)

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
