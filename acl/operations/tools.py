"""MCP tools of operations: what an agent sees of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...errors import ConfigError
from .operation import Effect, Operation
from .schema import DIALECT, error_schema, json_schema

__all__ = ["HINTS", "tool", "tools"]

HINTS: Final[Mapping[Effect, Mapping[str, bool]]] = {
    "read": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True},
    # That it may be repeated does not say that it only adds: the protocol's own default stays.
    "idempotent": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "compensable": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False},
    "irreversible": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False},
}
"""What each declared effect says to an agent's host. Hints are no authorisation."""

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def tool(operation: Operation) -> dict[str, Any]:
    """Give an operation as a tool. An answer is ``{"result": …}``, a refusal ``{"error": …}``.

    The name is the operation's, its dots as ``_``: hosts take no others. Raises ``ConfigError``
    where it is too long, or where the operation has no description for the agent to choose by.
    """
    name = operation.name.replace(".", "_")
    if not _NAME.fullmatch(name):
        expected = "at most 64 letters, digits, - and _"
        raise ConfigError("no name for a tool", place=operation.id, value=name, expected=expected)
    if not operation.description.strip():
        raise ConfigError(
            "has no description",
            place=f"{operation.id}: description",
            expected="what it does, for the agent that chooses it",
        )
    return {
        "name": name,
        "title": operation.id,
        "description": operation.description,
        "inputSchema": json_schema(operation.input),
        "outputSchema": {
            "$schema": DIALECT,
            "type": "object",
            "properties": {
                "result": json_schema(operation.output, dialect=False),
                "error": error_schema(),
            },
            "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
            "additionalProperties": False,
        },
        "annotations": {"title": operation.id, **HINTS[operation.effect]},
    }


def tools(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """Give several operations as tools. Raises ``ConfigError`` where two have one name."""
    found: dict[str, dict[str, Any]] = {}
    for operation in operations:
        one = tool(operation)
        if one["name"] in found:
            raise ConfigError(
                "another tool has that name",
                place=operation.id,
                value=one["name"],
                expected=f"another name than that of {found[one['name']]['title']}",
                remedy="serve only the latest version, or rename one",
            )
        found[one["name"]] = one
    return list(found.values())
