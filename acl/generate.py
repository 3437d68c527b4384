"""Python functions written at load time, so that nothing is interpreted per record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Function"]


class Function:
    """A function in the making: lines of source, and the constants that they name.

    Nothing from a file is ever put into the source as text: names and values go through
    ``constant``, which hands out a fresh identifier, or ``repr`` of a string.
    """

    def __init__(self, name: str, *parameters: str) -> None:
        self._name = name
        self._head = f"def {name}({', '.join(parameters)}):"
        self._lines: list[str] = []
        self._constants: dict[str, object] = {}

    def constant(self, value: object) -> str:
        """Give an identifier that stands for the value inside the function."""
        identifier = f"c{len(self._constants)}"
        self._constants[identifier] = value
        return identifier

    def line(self, source: str, depth: int = 1) -> None:
        """Add a line, indented by ``depth`` steps."""
        self._lines.append("    " * depth + source)

    def build(self) -> Callable[..., Any]:
        """Compile it. The source only ever holds what our own code wrote."""
        source = "\n".join([self._head, *(self._lines or ["    pass"])])
        namespace: dict[str, Any] = dict(self._constants)
        exec(compile(source, f"<acl {self._name}>", "exec"), namespace)  # noqa: S102
        built: Callable[..., Any] = namespace[self._name]
        return built
