"""Endpoints, put together from a workspace: each ready to serve."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from math import inf

from . import config, registry
from .acl.mapping.mapping import CompiledMapping, load_mapping
from .acl.operations.operation import Operation
from .acl.versions.versions import Versions, load_versions
from .answering import Answering
from .config import Workspace
from .doors import Masking
from .errors import ConfigError, FigError
from .judging import held
from .routing.adjudication.golden import Golden, load_golden
from .routing.dual.lookup import load_lookups
from .routing.effects.kind import load_kinds
from .routing.endpoint import AskLegacy, Endpoint
from .routing.guards import Guarding
from .routing.observed import load_observed
from .routing.override import Override
from .routing.replacements import Replacements
from .routing.router import Router
from .routing.rules import Rules, compile_rules
from .secret import read_secret
from .telemetry import log

__all__ = ["contract", "endpoints", "golden", "override"]


def endpoints(
    workspace: Workspace,
    legacy: Mapping[str, AskLegacy],
    pools: Mapping[str, Replacements],
    guarding: Mapping[str, Guarding],
) -> dict[str, Endpoint]:
    """Put every endpoint together. Raises ``ConfigError`` for the first that does not fit."""
    masking, signed = Masking(workspace), override(workspace)
    return {
        name: _endpoint(workspace, one, legacy, (pools, guarding), masking, signed)
        for name, one in workspace.endpoint.items()
    }


def _endpoint(
    workspace: Workspace,
    one: config.Endpoint,
    legacy: Mapping[str, AskLegacy],
    asked: tuple[Mapping[str, Replacements], Mapping[str, Guarding]],
    masking: Masking,
    signed: Override,
) -> Endpoint:
    versions, mapping = contract(workspace, one)
    facade = workspace.facade.get(one.listen.facade)
    pool, guarding = asked[0].get(one.replacement), asked[1].get(one.replacement)
    replacement, time_limit = None, 0.0
    if pool is not None and guarding is not None:
        time_limit = workspace.replacement[one.replacement].deadline
        door = masking.door(one.replacement, versions.latest)[0]
        effect, waits = versions.spoken.effect, bool(one.listen.facade)
        guard = partial(guarding.around, time_limit=time_limit, effect=effect, waits=waits)
        replacement = Answering(pool, door, guard)
        if guarding.there and not waits:
            # The guards keep the time of each attempt; an event may wait for its turn.
            time_limit = inf
    return Endpoint(
        config=one,
        operation=versions.spoken,
        versions=versions,
        mapping=mapping,
        legacy=legacy.get(one.legacy),
        replacement=replacement,
        golden=golden(workspace, one, versions.spoken),
        observed=load_observed(one, versions.spoken, mapping, workspace.root),
        **held(one, versions.spoken, masking),
        router=Router(_rules(workspace, one, versions.spoken), signed, versions.spoken.effect),
        caller=workspace.routing.caller,
        kinds=load_kinds(
            one, versions.spoken, workspace.root, lambda found: masking.mask(found, "log")
        ),
        acts=_acts(workspace, one, versions.spoken.effect),
        lookups=load_lookups(one.dual, workspace.place("endpoint", one.name, "dual")),
        time_limit=time_limit,
        timeout=facade.timeout if facade else 30.0,
    )


def _acts(workspace: Workspace, one: config.Endpoint, effect: str) -> bool:
    """Say whether asking its replacement in shadow might do something: nobody promises not."""
    if effect == "read" or one.shadow.effects == "told" or not one.replacement:
        return False
    place = workspace.place("replacement", one.replacement, "provider")
    try:
        part = registry.find(
            "providers", workspace.replacement[one.replacement].provider, place=place
        )
    except FigError:
        return True  # whoever starts it says what is wrong
    return getattr(part, "acts", True) is not False


def contract(workspace: Workspace, endpoint: config.Endpoint) -> tuple[Versions, CompiledMapping]:
    """Load an endpoint's operation, with the steps to later versions, and its mapping.

    Raises ``ConfigError``.
    """
    versions = load_versions(workspace.root, endpoint.operation)
    mapping = load_mapping(workspace.path(endpoint.mapping), versions.spoken, workspace.root)
    return versions, mapping


def override(workspace: Workspace) -> Override:
    """Give what tells testers' headers. Raises ``ConfigError`` where the key is not to be had."""
    key, place = workspace.routing.override_key, workspace.place("routing", "override_key")
    return Override(read_secret(key, place=place, root=workspace.root).encode() if key else b"")


def _rules(workspace: Workspace, one: config.Endpoint, operation: Operation) -> Rules:
    fields = frozenset(field.name for field in operation.input.fields)
    for number, rule in enumerate(one.rules):
        for at in rule.when:
            name = at.removeprefix("caller.")
            if name != at and name not in workspace.routing.caller:
                raise ConfigError(
                    "nothing says where that is known of a caller",
                    place=workspace.place("endpoint", one.name, f"rules[{number}].when"),
                    value=at,
                    expected="one of " + (", ".join(workspace.routing.caller) or "none yet"),
                    remedy=f"name its header: [routing] caller = {{ {name} = … }}",
                )
    return compile_rules(one.rules, workspace.place("endpoint", one.name, "rules"), fields)


def golden(workspace: Workspace, one: config.Endpoint, operation: Operation) -> Golden | None:
    """Load an endpoint's golden labels, where it names any. Raises ``InputError``."""
    if not one.golden:
        return None
    started = time.monotonic()
    inputs = frozenset(field.name for field in operation.input.fields)
    outputs = frozenset(field.name for field in operation.output.fields)
    found = load_golden(workspace.path(one.golden), inputs, outputs)
    log.info("%s: %d golden labels (%.1f s)", one.name, len(found), time.monotonic() - started)
    return found
