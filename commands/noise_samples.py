"""What ``fig noise`` asks: recorded exchanges, or payloads from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ..config import Workspace
from ..errors import ConfigError, FigError, InputError
from ..fixtures.fixture import Fixture, read_fixture
from ..fixtures.folder import fixtures
from ..model import Payload, Record, Request, request_id
from ..routing.endpoint import Endpoint

__all__ = ["Sample", "from_file", "from_fixtures"]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A request to be asked, and legacy's answer to it where one was recorded."""

    request: Request
    legacy: Payload | None = None


class _Row(msgspec.Struct, frozen=True):
    request: Mapping[str, object]
    reply: Mapping[str, object] | None = None


def from_fixtures(endpoint: Endpoint, folder: Path) -> Iterator[Sample]:
    """Give what was recorded of an endpoint's mapping. Raises ``ConfigError``, ``InputError``."""
    for file in sorted(folder.rglob("*.toml")):
        found = read_fixture(file)
        if found.mapping == endpoint.config.mapping:
            reply = found.reply
            legacy = None if reply is None else endpoint.mapping.decode_reply(reply)
            yield Sample(request=endpoint.request(found.request), legacy=legacy)


def from_file(workspace: Workspace, endpoint: Endpoint, file: Path) -> Iterator[Sample]:
    """Give a file's requests: JSON lines of ``{"request": {…}, "reply": {…}}``, canonical payloads.

    ``reply``, legacy's, may be left out. Raises ``InputError`` with file and line.
    """
    pattern = next(fixtures(workspace.root, endpoint.config.mapping), None)
    try:
        with file.open("rb") as rows:
            for number, text in enumerate(rows, 1):
                if text.strip():
                    yield _sample(endpoint, pattern, f"{file}: line {number}", text)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(file)) from error


def _sample(endpoint: Endpoint, pattern: Fixture | None, place: str, text: bytes) -> Sample:
    try:
        row = msgspec.json.decode(text, type=_Row)
        operation = endpoint.operation
        payload = operation.input.decode(msgspec.json.encode(row.request))
        legacy = row.reply
        if legacy is not None:
            legacy = operation.output.decode(msgspec.json.encode(legacy))
    except msgspec.MsgspecError as error:
        expected = 'a line of JSON: {"request": {…}, "reply": {…}}'
        raise InputError(str(error), place=place, expected=expected) from None
    except FigError as error:
        raise InputError(
            error.message, place=f"{place}: {error.place}", expected=error.expected
        ) from None
    record = _record(endpoint, pattern, payload, place)
    request = Request(
        id=request_id(place, ""),
        operation=operation.name,
        version=operation.version,
        source=place,
        payload=payload,
        record=record,
    )
    return Sample(request=request, legacy=legacy)


def _record(
    endpoint: Endpoint, pattern: Fixture | None, payload: Payload, place: str
) -> Record | None:
    """Write what legacy would be sent, as the first fixture of the mapping is written."""
    if pattern is None or endpoint.legacy is None:
        return None
    try:
        body = endpoint.mapping.encode_request(payload, pattern.request)
    except FigError as error:
        raise ConfigError(
            f"legacy's message cannot be made: {error.message}",
            place=place,
            expected=f"a payload that {endpoint.config.mapping} writes",
        ) from error
    return msgspec.structs.replace(pattern.request, body=body, position=place)
