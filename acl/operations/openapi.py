"""OpenAPI 3.1 of operations: a path, its schemas, and a document of several.

Whoever serves REST writes this out; it says nothing that the operation does not say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ...errors import ConfigError
from .operation import Operation
from .schema import DIALECT, error_schema, json_schema

__all__ = ["components", "document", "path_item", "path_of"]

_REFUSALS: Final = {
    "400": "The body is not JSON.",
    "422": "The body does not fit the operation's input.",
    "default": "Anything else that went wrong.",
}


def path_of(operation: Operation) -> str:
    """Give the path that an operation is served at: ``/ticket.triage/1``."""
    return f"/{operation.name}/{operation.version}"


def path_item(operation: Operation) -> dict[str, Any]:
    """Give the path item; its schemas are ``components(operation)``.

    It is always POST: the input is a body, also where nothing is changed. The declared effect is
    ``x-effect``. Raises ``ConfigError`` where the operation has no description: nobody may have to
    guess what it does.
    """
    if not operation.description.strip():
        raise ConfigError(
            "has no description",
            place=f"{operation.id}: description",
            expected="what it does, for those who call it",
        )
    return {
        "post": {
            "operationId": _name(operation),
            "summary": operation.description.splitlines()[0],
            "description": operation.description,
            **({"tags": [operation.domain]} if operation.domain else {}),
            "requestBody": {"required": True, "content": _content(f"{_name(operation)}.input")},
            "responses": {
                "200": {
                    "description": "The answer.",
                    "content": _content(f"{_name(operation)}.output"),
                },
                **{
                    status: {"description": words, "content": _content("error")}
                    for status, words in _REFUSALS.items()
                },
            },
            "x-effect": operation.effect,
            **({"x-owner": operation.owner} if operation.owner else {}),
        }
    }


def components(operation: Operation) -> dict[str, Any]:
    """Give the schemas that the path item refers to, for ``components.schemas``."""
    return {
        f"{_name(operation)}.input": json_schema(operation.input, dialect=False),
        f"{_name(operation)}.output": json_schema(operation.output, dialect=False),
        "error": error_schema(),
    }


def document(
    operations: Iterable[Operation], *, title: str, version: str, servers: Iterable[str] = ()
) -> dict[str, Any]:
    """Give a whole document. Raises ``ConfigError`` where an operation stands in it twice."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for operation in operations:
        path = path_of(operation)
        if path in paths:
            raise ConfigError("stands twice", place=operation.id, expected="each operation once")
        paths[path] = path_item(operation)
        schemas.update(components(operation))
    urls = [{"url": url} for url in servers]
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": title, "version": version},
        **({"servers": urls} if urls else {}),
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _name(operation: Operation) -> str:
    return f"{operation.name}.v{operation.version}"


def _content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
