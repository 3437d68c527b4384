"""Names in ``fig.toml`` that must lead to a table there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ConfigError

if TYPE_CHECKING:  # it calls this
    from .config import Workspace

__all__ = ["check_references"]


def check_references(workspace: Workspace) -> None:
    """Hold every endpoint's names against the tables there are. Raises ``ConfigError``."""
    for endpoint in workspace.endpoint.values():
        wanted = [
            ("legacy", workspace.legacy, endpoint.legacy, "legacy"),
            ("replacement", workspace.replacement, endpoint.replacement, "replacement"),
            ("listen.facade", workspace.facade, endpoint.listen.facade, "facade"),
            ("listen.system", workspace.legacy, endpoint.listen.system, "legacy"),
            ("listen.source", workspace.legacy, endpoint.listen.source, "legacy"),
            ("send", workspace.legacy, endpoint.send, "legacy"),
        ]
        if endpoint.outcome is not None:
            wanted.append(("outcome.source", workspace.legacy, endpoint.outcome.source, "legacy"))
        for kind, effect in endpoint.effects.items():
            wanted.append((f"effects.{kind}.source", workspace.legacy, effect.source, "legacy"))
        judge = endpoint.adjudication.judge
        if judge is not None:
            key = "adjudication.judge.replacement"
            wanted.append((key, workspace.replacement, judge.replacement, "replacement"))
        for key, section, name, title in wanted:
            if name and name not in section:
                raise ConfigError(
                    f"there is no [{title}.{name}]",
                    place=workspace.place("endpoint", endpoint.name, key),
                    value=repr(name),
                    expected=f"one of {', '.join(section) or 'none yet'}",
                    remedy=f"add [{title}.{name}], or mend the name",
                )
