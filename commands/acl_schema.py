"""``fig acl schema``: what others must know of an operation, made from its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import click
import msgspec

from ..acl.operations import Operation, load_operation
from ..acl.operations.openapi import document
from ..acl.operations.schema import json_schema
from ..acl.operations.structured import structured_schema
from ..acl.operations.tools import tool
from .screen import Screen

__all__ = ["schema"]

_FORMS: Final[Mapping[str, Callable[[Operation], Any]]] = {
    "json-schema": lambda one: {
        "input": json_schema(one.input),
        "output": json_schema(one.output),
    },
    "structured": lambda one: structured_schema(one.output),
    "openapi": lambda one: document([one], title=one.name, version=str(one.version)),
    "mcp": tool,
}


@click.command()
@click.argument("operation")
@click.option(
    "--as",
    "form",
    type=click.Choice(list(_FORMS)),
    default="json-schema",
    show_default=True,
    help="JSON Schema 2020-12 of both sides; the output's schema for a language model; an OpenAPI "
    "3.1 document; an MCP tool.",
)
@click.pass_obj
def schema(screen: Screen, operation: str, form: str) -> None:
    """Print the schema of OPERATION, such as ticket.triage@1, as JSON."""
    made = _FORMS[form](load_operation(screen.workspace, operation))
    click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))
