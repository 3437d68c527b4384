"""A mapping: the total, two-way translation between a legacy record and an operation."""

from __future__ import annotations

from pathlib import Path

from ...errors import MappingError
from ...model import Payload, Record
from ..operations.operation import Operation
from .loading import load
from .side import Side

__all__ = ["CompiledMapping", "load_mapping"]


class CompiledMapping:
    """A mapping at work. Made once by ``load_mapping``; any thread may use it.

    ``digest`` is the SHA-256 of all that decides what it does. ``root`` is the name of the
    request's element, ``{namespace}local``, for kind ``soap``.
    """

    def __init__(
        self, place: str, digest: str, root: str, request: Side, reply: Side | None
    ) -> None:
        self.place = place
        self.digest = digest
        self.root = root
        self.request = request
        self.reply = reply

    def decode_request(self, record: Record) -> dict[str, object]:
        """Give the payload that a legacy request means.

        Every field of the operation is in it, None where legacy said nothing. Raises
        ``MappingError`` with all of the record's problems, or ``EnvelopeError``.
        """
        return self.request.decode(record)

    def encode_request(self, payload: Payload, original: Record) -> bytes:
        """Give the original's bytes with what the payload says otherwise; all else stays.

        Raises ``MappingError`` or ``EnvelopeError``.
        """
        return self.request.patch(payload, original)

    def decode_reply(self, record: Record) -> dict[str, object]:
        """Give the payload that legacy's answer means.

        Raises ``MappingError``, also where legacy answered with a fault, or ``EnvelopeError``.
        """
        return self._reply().decode(record)

    def encode_reply(self, payload: Payload, request: Record) -> bytes:
        """Write the answer that legacy would have given; for ``soap`` a whole envelope.

        Raises ``MappingError`` with all problems of the payload.
        """
        return self._reply().write(payload, request)

    def unmapped(self) -> dict[str, int]:
        """Count what came and is in no schema, by path, since the start.

        A code that was let through without a meaning stands under ``PATH = CODE``.
        """
        counts: dict[str, int] = {}
        for side in (self.request, self.reply):
            for path, count in (side.unmapped() if side else {}).items():
                counts[path] = counts.get(path, 0) + count
        return counts

    def _reply(self) -> Side:
        if self.reply is None:
            raise MappingError(
                "the mapping has no reply",
                place=self.place,
                expected="reply rows and, for kind soap, from.answer",
            )
        return self.reply


def load_mapping(file: Path, operation: Operation, root: Path) -> CompiledMapping:
    """Read, check and compile a mapping. Called once an endpoint, at start.

    ``from.schema`` is relative to ``root``, the workspace's folder. Raises ``ConfigError`` that
    names all that is wrong: rows that do not fit, places of legacy that are neither mapped nor
    ignored with a reason, fields of the operation that nothing feeds.
    """
    digest, name, request, reply = load(file, operation, root)
    return CompiledMapping(f"{file.name}@{digest[:12]}", digest, name, request, reply)
