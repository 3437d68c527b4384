"""One short word for all that a process reads of a workspace when it starts or reloads."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from ..acl.masking.policy import FILE as MASKING
from ..config import Workspace

__all__ = ["digest"]

_LENGTH: Final = 12


def digest(workspace: Workspace) -> str:
    """Digest ``fig.toml``, the masking policy, the operations and the endpoints' mappings.

    Two processes with the same digest were told the same. A file that is not there counts as
    empty: whoever loads it says what is wrong.
    """
    made = sha256()
    for file in _files(workspace):
        try:
            content = file.read_bytes()
        except OSError:
            content = b""
        made.update(f"{file}\x1f{len(content)}\x1f".encode())
        made.update(content)
    return made.hexdigest()[:_LENGTH]


def _files(workspace: Workspace) -> Iterator[Path]:
    yield workspace.file
    yield workspace.root / MASKING
    yield from sorted((workspace.root / "operations").glob("*.toml"))
    mappings = {endpoint.mapping for endpoint in workspace.endpoint.values()}
    for endpoint in workspace.endpoint.values():
        if endpoint.outcome is not None and endpoint.outcome.mapping:
            mappings.add(endpoint.outcome.mapping)
        mappings |= {one.mapping for one in endpoint.effects.values() if one.mapping}
    yield from sorted(workspace.path(mapping) for mapping in mappings)
