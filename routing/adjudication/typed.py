"""Payloads that were read back from the journal, whose JSON knows fewer types than a contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ...acl.operations.contract import Contract
from ...acl.operations.field import Field
from ...acl.operations.tree import Branch
from ...acl.operations.value import from_text
from ...model import Payload

__all__ = ["typed"]


def typed(payload: Payload, contract: Contract) -> Payload:
    """Give each value the type of its field: decimals, days and the like stand there as texts.

    What cannot be one, such as what a mask put in its place, is None. Never raises.
    """
    return cast("Payload", _group(contract.tree, payload) or {})


def _group(branch: Branch, value: object) -> dict[str, object] | None:
    if not isinstance(value, Mapping):
        return None
    return {
        child.key: _child(child, value[child.key])
        for child in branch.children
        if value.get(child.key) is not None
    }


def _child(child: Branch | Field, value: object) -> object:
    if child.listed:
        entries = value if isinstance(value, list) else []
        return [found for one in entries if (found := _one(child, one)) is not None]
    return _one(child, value)


def _one(child: Branch | Field, value: object) -> object:
    if isinstance(child, Branch):
        return _group(child, value)
    if child.accepts(value):
        return value
    try:
        read = from_text(child.type, str(value)) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if child.accepts(read) else None
