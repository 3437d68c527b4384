"""The only place where parts are wired together: a workspace becomes endpoints that can serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

from . import config, registry
from .acl.mapping.mapping import CompiledMapping
from .acl.masking.policy import FILE as MASKING
from .acl.operations.operation import load_operation
from .acl.versions.versions import Versions, load_versions
from .answering import Announce, guards, replacements
from .config import Workspace
from .doors import Masking
from .errors import ConfigError, RouteError
from .judging import compared_digest
from .model import Route
from .parts import adapter, caller, installable, provider, sink, source
from .routing.effects.kind import load_kinds
from .routing.observed import load_observed
from .routing.operator import Operator
from .serving import contract, endpoints, golden, override
from .store.outcomes import OutcomeCounts, outcome_counts
from .store.store import Store

if TYPE_CHECKING:  # it needs the extra that learning needs
    from .ai.report import Report

__all__ = [
    "KEPT_ROUTES",
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
    "override",
    "provider",
    "replacements",
    "sink",
    "source",
    "store",
]

KILL_FILE = "fig.kill"
"""Beside fig.toml: the endpoints named in it, one a line, go to legacy at once."""

KEPT_ROUTES = ".fig-routes.json"
"""Beside fig.toml: the routes as they were last read here."""

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
        journey=_journey(workspace, endpoint.group),
    )


def _journey(workspace: Workspace, group: str) -> str:
    """Give the salt that all endpoints of a group share, whoever of them is advanced first."""
    return sha256(f"{workspace.name}\x1f{group}".encode()).hexdigest()[:16] if group else ""


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
    mask = partial(Masking(workspace).mask, destination="log")
    kinds = load_kinds(endpoint, versions.spoken, workspace.root, mask)
    decides += "".join(kind.digest for kind in kinds.values())
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
