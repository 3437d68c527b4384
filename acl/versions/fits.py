"""Whether stored payloads still fit an operation that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from ...errors import ContractError, FigError
from ..operations.operation import Operation
from .versions import Versions

__all__ = ["Refused", "Stored", "check_fixtures"]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that was recorded. ``name`` names its fixture; ``version`` is its operation's."""

    name: str
    side: Literal["input", "output"]
    payload: Mapping[str, object]
    version: int | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A stored payload that is refused now, with all that is wrong with it."""

    stored: Stored
    problems: tuple[FigError, ...]


def check_fixtures(
    operation: Operation, payloads: Iterable[Stored], versions: Versions | None = None
) -> list[Refused]:
    """Give the stored payloads that the operation refuses; none means that it breaks nobody's.

    With ``versions``, whose latest it is, an input of an older version is carried up first, and an
    output of an older one is held against its own version: nobody writes such a one any more.
    """
    found: list[Refused] = []
    for stored in payloads:
        problems = _problems(operation, stored, versions)
        if problems:
            found.append(Refused(stored=stored, problems=tuple(problems)))
    return found


def _problems(
    operation: Operation, stored: Stored, versions: Versions | None
) -> list[ContractError]:
    version = stored.version
    if versions is None or version is None or version == operation.version:
        contract = operation.input if stored.side == "input" else operation.output
        return contract.problems(stored.payload)
    try:
        if stored.side == "output":
            return versions.at(version).output.problems(stored.payload)
        versions.upcast(stored.payload, version)
    except ContractError as error:
        return [error]
    return []
