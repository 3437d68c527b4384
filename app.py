"""The only place where parts are wired together: a workspace becomes endpoints that can serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, cast

from . import config, registry
from .acl.mapping.mapping import CompiledMapping, load_mapping
from .acl.masking.policy import FILE as MASKING
from .acl.operations.operation import Operation, load_operation
from .acl.versions.versions import Versions, load_versions
from .answering import Announce, Answering, guards, replacements
from .config import Workspace
from .doors import Masking
from .errors import ConfigError, RouteError
from .judging import compared_digest, held
from .model import Route
from .parts import adapter, caller, installable, provider, sink, source
from .routing.adjudication.golden import Golden, load_golden
from .routing.endpoint import AskLegacy, Endpoint
from .routing.guards import Guarding
from .routing.observed import load_observed
from .routing.operator import Operator
from .routing.replacements import Replacements
from .store.outcomes import OutcomeCounts, outcome_counts
from .store.store import Store
from .telemetry import log

if TYPE_CHECKING:  # it needs the extra that learning needs
    from .ai.report import Report

__all__ = [
    "KILL_FILE",
    "Announce",
    "Masking",
    "RouteAction",
    "adapter",
    "caller",
    "contract",
    "endpoint_of",
    "endpoints",
    "full_revision",
    "golden",
    "guards",
    "installable",
    "learn",
    "masked",
    "masks",
    "operator",
    "outcomes",
    "provider",
    "replacements",
    "sink",
    "source",
    "store",
]

KILL_FILE = "fig.kill"
"""Beside fig.toml: the endpoints named in it, one a line, go to legacy at once."""

RouteAction = Callable[[Operator], Route]


@contextmanager
def store(workspace: Workspace) -> Iterator[Store]:
    """Open the workspace's store. Raises ``StoreError``, also where there is none."""
    opened = Store(workspace.store_url)
    opened.open()
    try:
        yield opened
    finally:
        opened.close()


def endpoint_of(workspace: Workspace, name: str) -> config.Endpoint:
    """Find an endpoint by name. Raises ``ConfigError`` with the names there are."""
    found = workspace.endpoint.get(name)
    if found is None:
        raise ConfigError(
            "there is no such endpoint",
            place=workspace.file.name,
            value=name,
            expected="one of " + (", ".join(workspace.endpoint) or "none yet"),
        )
    return found


def operator(workspace: Workspace, opened: Store, name: str, *, who: str) -> Operator:
    """Give an endpoint's operator: the CLI changes routes through it."""
    endpoint = endpoint_of(workspace, name)
    effect = load_operation(workspace.root, endpoint.operation).effect
    return Operator(
        opened,
        endpoint,
        effect=effect,
        newest=lambda: full_revision(workspace, name),
        who=who,
    )


def outcomes(workspace: Workspace, opened: Store, name: str) -> OutcomeCounts | None:
    """Count the outcomes that legacy decided; None where the endpoint declares none."""
    if endpoint_of(workspace, name).outcome is None:
        return None
    return outcome_counts(opened.database, name)


def full_revision(workspace: Workspace, name: str, model: str = "") -> str:
    """Give a route's revision: the provider's (none named: the newest) and that of the mapping.

    Whatever decides an answer is in it, so a change of any starts the evidence at zero. Raises
    ``RouteError`` where the replacement has no revision yet.
    """
    endpoint = endpoint_of(workspace, name)
    if not endpoint.replacement:
        raise RouteError(
            "has no replacement",
            place=workspace.place("endpoint", name),
            remedy="name one: replacement = …",
        )
    versions, mapping = contract(workspace, endpoint)
    part = provider(workspace, endpoint.replacement, model)
    if not part.revision:
        raise RouteError(
            "its replacement has no model yet",
            place=workspace.place("replacement", endpoint.replacement),
            remedy=f"fig learn {name} --from FILE",
        )
    observed = load_observed(endpoint, versions.spoken, mapping, workspace.root)
    decides = masked(workspace, endpoint) + ("" if observed is None else observed.digest)
    decides += compared_digest(endpoint)
    return f"{part.revision}.{_digest(versions, mapping, decides)}"


def masks(workspace: Workspace) -> bool:
    """Say whether a workspace has a masking policy of its own."""
    return (workspace.root / MASKING).exists()


def masked(workspace: Workspace, endpoint: config.Endpoint) -> str:
    """Give the digest of what decides what leaves for an endpoint's replacement; "" for one here.

    Raises ``ConfigError`` where something would leave that must not.
    """
    versions = load_versions(workspace.root, endpoint.operation)
    return Masking(workspace).door(endpoint.replacement, versions.latest)[1]


def contract(workspace: Workspace, endpoint: config.Endpoint) -> tuple[Versions, CompiledMapping]:
    """Load an endpoint's operation, with the steps to later versions, and its mapping.

    Raises ``ConfigError``.
    """
    versions = load_versions(workspace.root, endpoint.operation)
    mapping = load_mapping(workspace.path(endpoint.mapping), versions.spoken, workspace.root)
    return versions, mapping


def _digest(versions: Versions, mapping: CompiledMapping, mask: str) -> str:
    return sha256(f"{versions.digest}{mapping.digest}{mask}".encode()).hexdigest()[:8]


def learn(
    workspace: Workspace,
    name: str,
    file: Path,
    *,
    columns: tuple[str, str] | None = None,
    margin: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Train an endpoint's replacement from examples. Raises ``InputError`` and ``ConfigError``."""
    endpoint = endpoint_of(workspace, name)
    one = workspace.replacement.get(endpoint.replacement)
    if one is None or one.provider != "local":
        raise ConfigError(
            "nothing of this endpoint can be trained",
            place=workspace.place("endpoint", name, "replacement"),
            value=endpoint.replacement,
            expected='a replacement with provider = "local"',
        )
    teach = cast(
        "Callable[..., Report]", registry.find("providers", "py:stranglerfig.ai.learn:learn")
    )
    return teach(
        file,
        folder=workspace.path(str(one.options.get("model", ""))),
        text_field=str(one.options.get("text", "text")),
        predicts=str(one.options.get("predicts", "category")),
        columns=columns,
        margin=margin,
        progress=progress,
    )


def endpoints(
    workspace: Workspace,
    legacy: Mapping[str, AskLegacy],
    pools: Mapping[str, Replacements],
    guarding: Mapping[str, Guarding],
) -> dict[str, Endpoint]:
    """Put every endpoint together. Raises ``ConfigError`` for the first that does not fit."""
    masking = Masking(workspace)
    return {
        name: _endpoint(workspace, one, legacy, (pools, guarding), masking)
        for name, one in workspace.endpoint.items()
    }


def _endpoint(
    workspace: Workspace,
    one: config.Endpoint,
    legacy: Mapping[str, AskLegacy],
    asked: tuple[Mapping[str, Replacements], Mapping[str, Guarding]],
    masking: Masking,
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
        time_limit=time_limit,
        timeout=facade.timeout if facade else 30.0,
    )


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
