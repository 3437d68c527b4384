"""Python functions written at load time, so that nothing is interpreted per record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

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
        self._depth = 0
        self._fresh = 0

    def constant(self, value: object) -> str:
        """Give an identifier that stands for the value inside the function."""
        identifier = f"c{len(self._constants)}"
        self._constants[identifier] = value
        return identifier

    def fresh(self) -> str:
        """Give the name of a variable that nobody else uses."""
        self._fresh += 1
        return f"t{self._fresh}"

    def refuse(self) -> str:
        """Give an expression that raises ``ValueError``."""
        return f"{self.constant(_refuse)}()"

    def inlined(self, write: Callable[[Function, str], str], name: str, source: str) -> str:
        """Give the expression that ``write`` makes of a variable ``name`` that holds ``source``.

        Where it reads the variable but once, the source itself stands there instead.
        """
        start = len(self._lines)
        self.line(f"{name} = {source}")
        expression = write(self, name)
        found = re.findall(rf"\b{name}\b", expression)
        if len(self._lines) == start + 1 and len(found) == 1 and not set(expression) & set("'\""):
            del self._lines[start]
            return re.sub(rf"\b{name}\b", lambda _: source, expression)
        return expression

    def line(self, source: str, depth: int = 1) -> None:
        """Add a line, indented by ``depth`` steps inside the blocks that are open."""
        self._lines.append("    " * (self._depth + depth) + source)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add ``head``, and the lines that follow inside it."""
        self.line(head)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def build(self) -> Callable[..., Any]:
        """Compile it. The source only ever holds what our own code wrote."""
        source = "\n".join([self._head, *(self._lines or ["    pass"])])
        namespace: dict[str, Any] = dict(self._constants)
        exec(compile(source, f"<acl {self._name}>", "exec"), namespace)  # noqa: S102
        built: Callable[..., Any] = namespace[self._name]
        return built


def _refuse() -> NoReturn:
    raise ValueError
