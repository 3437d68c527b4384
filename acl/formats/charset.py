"""Between a record's bytes and its text, so that the bytes come back."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from ...errors import ConfigError, EnvelopeError
from ...model import Record

__all__ = ["check_encoding", "in_bytes", "text_of"]


def check_encoding(table: Mapping[str, object], place: str) -> None:
    """Check a ``from`` table's ``encoding``; none is the record's. Raises ``ConfigError``."""
    name = table.get("encoding", "")
    try:
        if name and isinstance(name, str):
            "".encode(name)
            codecs.lookup(name)
    except (LookupError, UnicodeError):
        raise ConfigError(
            "no such encoding",
            place=f"{place}.encoding",
            value=repr(name),
            expected="such as utf-8, latin-1 or cp1252",
        ) from None


def text_of(record: Record, encoding: str) -> str:
    """Decode a record's body; ``encoding`` "" is the record's own. Raises ``EnvelopeError``."""
    name = encoding or record.encoding
    try:
        text = record.body.decode(name)
        if name not in ("utf-8", "latin-1") and text.encode(name) != record.body:
            raise ValueError("its bytes would not come back")  # noqa: TRY301
    except (LookupError, ValueError) as error:
        raise EnvelopeError(
            f"not text in {name}: {_reason(error)}", place="record", expected=f"text in {name}"
        ) from None
    return text


def in_bytes(text: str, record: Record, encoding: str) -> bytes:
    """Encode as ``text_of`` decodes. Raises ``ValueError`` for what the encoding does not have."""
    name = encoding or record.encoding
    try:
        return text.encode(name)
    except (UnicodeError, LookupError):
        raise ValueError(f"characters that {name} has") from None


def _reason(error: Exception) -> str:
    # The bytes that an error of the codec repeats may be anybody's secret.
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at byte {error.start}"
    return str(error)
