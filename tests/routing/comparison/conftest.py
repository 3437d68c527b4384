"""Comparisons of an operation with all that an output can hold."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig import config
from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.options import options
from stranglerfig.route_settings import AdjudicationRules, Compared
from stranglerfig.routing.comparison.compile import compile_comparing
from stranglerfig.routing.endpoint import Endpoint

OPERATION = {
    "name": "claim.price",
    "version": 1,
    "effect": "read",
    "input": {"text": {"type": "text", "tag": "none"}, "channel": {"type": "text", "tag": "none"}},
    "output": {
        "category": {"type": "text", "required": False},
        "priority": {"type": "text", "required": False},
        "note": {"type": "text", "required": False},
        "document": {"type": "text", "required": False},
        "amount": {"type": "decimal", "required": False},
        "count": {"type": "integer", "required": False},
        "due": {"type": "date", "required": False},
        "at": {"type": "timestamp", "required": False},
        "hour": {"type": "time", "required": False},
        "lasts": {"type": "duration", "required": False},
        "extra": {"type": "json", "required": False},
        "tags[]": {"type": "text", "required": False},
        "prices[]": {"type": "decimal", "required": False},
        "customer": {
            "type": "group",
            "required": False,
            "name": {"type": "text", "required": False, "tag": "pii.name"},
            "since": {"type": "date", "required": False},
        },
        "lines[]": {
            "type": "group",
            "required": False,
            "sku": {"type": "text", "required": False},
            "size": {"type": "text", "required": False},
            "owner": {"type": "text", "required": False, "tag": "pii.name"},
            "amount": {"type": "decimal", "required": False},
            "seen": {"type": "timestamp", "required": False},
        },
    },
}


@pytest.fixture(scope="session")
def operation():
    return parse_operation(OPERATION, "claim.price@1.toml")


@pytest.fixture(scope="session")
def comparing(operation):
    """Compile settings as fig.toml would hold them."""

    def make(only=(), **table):
        settings = options(Compared, table, "fig.toml: endpoint.e.comparison")
        return compile_comparing(settings, tuple(only), operation.output, "endpoint.e")

    return make


@pytest.fixture(scope="session")
def made(operation):
    """Make an endpoint with these tables."""

    def make(compare=(), comparison=None, adjudication=None, **fields):
        settings = config.Endpoint(
            name="e",
            operation=operation.id,
            listen=config.Listen(source="s"),
            mapping="m",
            compare=tuple(compare),
            comparison=options(Compared, comparison or {}, "comparison"),
            adjudication=msgspec.convert(adjudication or {}, AdjudicationRules),
        )
        return Endpoint(config=settings, operation=operation, mapping=None, **fields)

    return make
