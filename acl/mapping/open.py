"""Opens a workspace's mappings, each with the operation that it names."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ...errors import ConfigError
from ...options import read_toml
from ..operations.operation import Operation, load_operation
from .mapping import CompiledMapping, load_mapping

__all__ = ["Opened", "mapping_files", "open_mapping"]


class Opened(NamedTuple):
    """A mapping at work and the contract that it is for. ``name`` is its path in the workspace."""

    name: str
    operation: Operation
    mapping: CompiledMapping


def mapping_files(root: Path) -> list[str]:
    """Give the paths of all mappings of a workspace, relative to it: ``acl/*.toml``."""
    return [file.relative_to(root).as_posix() for file in sorted((root / "acl").glob("*.toml"))]


def open_mapping(root: Path, name: str) -> Opened:
    """Load a mapping by its path in the workspace. Called by ``fig acl`` and by tests.

    Raises ``ConfigError``.
    """
    file = root / name
    operation = read_toml(file).get("operation")
    if not isinstance(operation, str):
        expected = "name@version of a file in operations/"
        raise ConfigError("names no operation", place=f"{file.name}: operation", expected=expected)
    contract = load_operation(root, operation)
    return Opened(name, contract, load_mapping(file, contract, root))
