"""Adapters and providers of a workspace, built by their registered names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, cast

from . import registry
from .config import Workspace
from .errors import ConfigError
from .ports import Caller, Installable, Provider, Sink, Source

__all__ = ["adapter", "caller", "installable", "provider", "sink", "source"]


class _Part(Protocol):
    def __call__(
        self, *, name: str, options: Mapping[str, object], place: str, root: Path
    ) -> object: ...


def provider(workspace: Workspace, name: str, revision: str = "") -> Provider:
    """Build a replacement's provider in this process, unopened. Raises ``ConfigError``."""
    one = workspace.replacement[name]
    place = workspace.place("replacement", name)
    part = registry.find("providers", one.provider, place=f"{place}.provider")
    build = cast("Callable[..., Provider]", part)
    return build(
        name=name, options=one.options, place=place, root=workspace.root, revision=revision
    )


def caller(workspace: Workspace, name: str) -> Caller:
    """Build the adapter that calls a legacy system. Raises ``ConfigError``."""
    part = adapter(workspace, name)
    if not isinstance(part, Caller):
        raise _wrong_adapter(workspace, name, "one that can be called")
    return part


def source(workspace: Workspace, name: str) -> Source:
    """Build the adapter through which a legacy system talks to us. Raises ``ConfigError``."""
    part = adapter(workspace, name)
    if not isinstance(part, Source):
        raise _wrong_adapter(workspace, name, "a source")
    return part


def sink(workspace: Workspace, name: str) -> Sink:
    """Build the adapter that messages of ours go to. Raises ``ConfigError``."""
    part = adapter(workspace, name)
    if not isinstance(part, Sink):
        raise _wrong_adapter(workspace, name, "one that messages are sent to")
    return part


def installable(workspace: Workspace, name: str) -> Installable:
    """Build an adapter that installs something in its system. Raises ``ConfigError``."""
    part = adapter(workspace, name)
    if not isinstance(part, Installable):
        raise _wrong_adapter(workspace, name, "one that installs something")
    return part


def adapter(workspace: Workspace, name: str) -> object:
    """Build a legacy system's adapter, of whatever kind. Raises ``ConfigError``."""
    system = workspace.legacy.get(name)
    if system is None:
        raise ConfigError(
            "there is no such legacy system",
            place=workspace.file.name,
            value=name,
            expected="one of " + (", ".join(workspace.legacy) or "none yet"),
        )
    place = workspace.place("legacy", name)
    part = cast("_Part", registry.find("adapters", system.adapter, place=f"{place}.adapter"))
    return part(name=name, options=system.options, place=place, root=workspace.root)


def _wrong_adapter(workspace: Workspace, name: str, expected: str) -> ConfigError:
    return ConfigError(
        "this adapter cannot do that",
        place=workspace.place("legacy", name, "adapter"),
        value=workspace.legacy[name].adapter,
        expected=expected,
    )
