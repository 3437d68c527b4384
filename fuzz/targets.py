"""Every reader of what others wrote, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from stranglerfig.fuzz import copybooks, files, masked, messages, workspace
from stranglerfig.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: Final[Mapping[str, Callable[[], Target]]] = {
    "copybook": copybooks.books,
    "copybook-any": copybooks.any_codecs,
    "copybook-rules": copybooks.rules,
    "records": copybooks.codecs,
    "record-files": files.record_files,
    "record-lines": files.lines,
    "envelope": messages.envelopes,
    "soap": messages.soap,
    "xml": messages.xml,
    "schema": messages.schemas,
    "json": messages.json,
    "json-schema": messages.json_schemas,
    "copybook-kind": messages.copybook,
    "delimited": messages.delimited,
    "form": messages.forms,
    "headers": messages.headers,
    "operation": workspace.operations,
    "mapping": workspace.mappings,
    "payload": workspace.payloads,
    "step": workspace.steps,
    "policy": workspace.policies,
    "fixture": workspace.fixtures,
    "converter": workspace.converters,
    "codes": workspace.codes,
    "text": masked.texts,
    "masked": masked.payloads,
    "unmasked": masked.replies,
    "keys": masked.keys,
    "quarantine": files.quarantines,
}
"""Each is made in the process that it is read in."""
