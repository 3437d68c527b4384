"""Every reader of what others wrote, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from stranglerfig.fuzz import (
    copybooks,
    documents,
    files,
    mappings,
    markup,
    masked,
    operations,
    tables,
    workspace,
)
from stranglerfig.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: Final[Mapping[str, Callable[[], Target]]] = {
    "copybook": copybooks.books,
    "copybook-any": copybooks.any_codecs,
    "copybook-rules": copybooks.rules,
    "records": copybooks.codecs,
    "record-files": files.record_files,
    "record-lines": files.lines,
    "envelope": markup.envelopes,
    "soap": markup.soap,
    "xml": markup.xml,
    "schema": markup.schemas,
    "json": documents.json,
    "json-schema": documents.json_schemas,
    "copybook-kind": documents.copybook,
    "delimited": documents.delimited,
    "form": documents.forms,
    "headers": documents.headers,
    "operation": operations.operations,
    "mapping": mappings.mappings,
    "payload": operations.payloads,
    "step": operations.steps,
    "policy": workspace.policies,
    "fixture": workspace.fixtures,
    "converter": tables.converters,
    "codes": tables.codes,
    "text": masked.texts,
    "masked": masked.payloads,
    "unmasked": masked.replies,
    "keys": masked.keys,
    "quarantine": files.quarantines,
}
"""Each is made in the process that it is read in."""
