"""What a worker and its parent say to each other: frames of msgpack with their length before them.

Decimals, dates and times in payloads are marked, so that they arrive as what they were.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from ..errors import (
    DeadlineExceeded,
    Declined,
    FigError,
    NotAsked,
    ReplacementError,
    ReplacementUnavailable,
)
from ..model import Reply, Request

__all__ = [
    "Answer",
    "Ask",
    "Failed",
    "Fault",
    "FromWorker",
    "Ping",
    "Pong",
    "Ready",
    "Start",
    "ToWorker",
    "decode_from_worker",
    "decode_to_worker",
    "encode",
    "error_of",
    "fault_of",
    "read_frame",
]

LARGEST: Final = 256 * 1024 * 1024


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first frame: what to run. It goes through the socket, as options may hold secrets."""

    provider: str
    name: str
    options: Mapping[str, object]
    place: str
    root: str
    revision: str

    def __repr__(self) -> str:
        """Leave the options out."""
        return f"Start(provider={self.provider!r}, name={self.name!r})"


class Ask(msgspec.Struct, frozen=True, tag=True):
    """A request; the answer carries the same number."""

    number: int
    request: Request


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Asks for a sign of life."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The provider is open."""

    revision: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The provider cannot be opened; the worker ends."""

    error: dict[str, str]


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The provider's reply."""

    number: int
    reply: Reply


class Fault(msgspec.Struct, frozen=True, tag=True):
    """The provider raised, or replied what is no reply."""

    number: int
    error: dict[str, str]


class Pong(msgspec.Struct, frozen=True, tag=True):
    """The sign of life."""


ToWorker = Start | Ask | Ping
FromWorker = Ready | Failed | Answer | Fault | Pong

_DECIMAL, _DATE, _DATETIME, _TIME, _INTEGER = range(1, 6)

_READ: Final[Mapping[int, Callable[[str], object]]] = {
    _DECIMAL: Decimal,
    _DATE: dt.date.fromisoformat,
    _DATETIME: dt.datetime.fromisoformat,
    _TIME: dt.time.fromisoformat,
    _INTEGER: int,
}

_FAMILY: Final = {
    kind.__name__: kind
    for kind in (ReplacementError, ReplacementUnavailable, NotAsked, Declined, DeadlineExceeded)
}


def encode(message: ToWorker | FromWorker) -> bytes:
    """Give a message's frame. Raises ``ReplacementError`` for a value that cannot travel."""
    if isinstance(message, Start):
        message = msgspec.structs.replace(message, options=_mark(message.options))
    elif isinstance(message, Ask):
        request = message.request
        marked = msgspec.structs.replace(request, payload=_mark(request.payload))
        message = Ask(message.number, marked)
    elif isinstance(message, Answer):
        message = Answer(message.number, _marked(message.reply))
    try:
        body = msgspec.msgpack.encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ReplacementError(f"cannot be handed over: {error}") from error
    if len(body) > LARGEST:
        raise ReplacementError(
            "is too large to be handed over", value=f"{len(body)} bytes", expected=f"{LARGEST}"
        )
    return len(body).to_bytes(4, "big") + body


def decode_to_worker(body: bytes) -> ToWorker:
    """Read what a parent says. Raises ``msgspec.DecodeError``, ``ValueError``."""
    return _TO_WORKER.decode(body)


def decode_from_worker(body: bytes) -> FromWorker:
    """Read what a worker says. Raises ``msgspec.DecodeError``, ``ValueError``."""
    return _FROM_WORKER.decode(body)


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read the next message's body.

    Raises ``asyncio.IncompleteReadError`` at the end, ``ValueError`` for a length that none has.
    """
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > LARGEST:
        raise ValueError(f"a frame of {length} bytes")
    return await reader.readexactly(length)


def error_of(fault: Mapping[str, str], prefix: str = "") -> ReplacementError:
    """Turn the parts of an error back into it; those outside the family become plain ones."""
    kind = _FAMILY.get(fault.get("error", ""), ReplacementError)
    parts = {key: fault.get(key, "") for key in ("place", "value", "expected", "remedy")}
    return kind(prefix + fault.get("message", "failed"), **parts)


def fault_of(error: Exception) -> dict[str, str]:
    """Give the parts of an error, also of one that is not ours."""
    if isinstance(error, FigError):
        return error.as_dict()
    first = (str(error).splitlines() or [""])[0][:300]
    return ReplacementError(f"the provider raised {type(error).__name__}: {first}").as_dict()


def _marked(reply: Reply) -> Reply:
    if reply.payload is not None:
        reply = msgspec.structs.replace(reply, payload=_mark(reply.payload))
    if not reply.intents:
        return reply
    intents = [msgspec.structs.replace(one, payload=_mark(one.payload)) for one in reply.intents]
    return msgspec.structs.replace(reply, intents=tuple(intents))


def _mark(value: object) -> object:
    if value is None or isinstance(value, (str, bool, float, bytes)):
        return value
    if isinstance(value, int):
        small = -(2**63) <= value < 2**64
        return value if small else _ext(_INTEGER, str(value))
    if isinstance(value, Mapping):
        return {key: _mark(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mark(one) for one in value]
    if isinstance(value, Decimal):
        return _ext(_DECIMAL, str(value))
    if isinstance(value, dt.datetime):
        return _ext(_DATETIME, value.isoformat())
    if isinstance(value, dt.date):
        return _ext(_DATE, value.isoformat())
    if isinstance(value, dt.time):
        return _ext(_TIME, value.isoformat())
    raise ReplacementError(
        "a payload holds what it cannot",
        value=type(value).__name__,
        expected="text, numbers, Decimal, dates, true, false, null, lists and tables",
    )


def _ext(code: int, text: str) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(code, text.encode())


def _unmark(code: int, data: memoryview) -> object:
    read = _READ.get(code)
    if read is None:
        raise ValueError(f"an unknown mark, {code}")
    return read(bytes(data).decode())


_TO_WORKER: Final[msgspec.msgpack.Decoder[ToWorker]] = msgspec.msgpack.Decoder(
    ToWorker, ext_hook=_unmark
)
_FROM_WORKER: Final[msgspec.msgpack.Decoder[FromWorker]] = msgspec.msgpack.Decoder(
    FromWorker, ext_hook=_unmark
)
