"""What a caller is told whose write came to nothing, or to nothing that is known."""

from __future__ import annotations

import asyncio
from typing import Final

from ...errors import FigError, InDoubt, LegacyUnavailable
from ...model import Record
from ...store.dual_write import DualWrite
from .side import Asked

__all__ = ["failure", "give", "held", "unanswered"]


def give(answer: asyncio.Future[Record], what: Record | FigError) -> None:
    """Answer who waits, where somebody does and was not answered yet."""
    if answer.done():
        return
    if isinstance(what, FigError):
        answer.set_exception(what)
        answer.exception()  # where the caller has gone, nobody hears of it
    else:
        answer.set_result(what)


def held(endpoint: str, write: DualWrite) -> LegacyUnavailable:
    """Give the error of a write that must not overtake another one, ``write``."""
    return LegacyUnavailable(
        "nothing was written: an earlier write of the same key is not at an end",
        place=f"endpoint.{endpoint}: write {write.id}",
        value=f"{write.state}: {write.error}" if write.error else write.state,
        remedy=f"send it again later; fig route doubts {endpoint} says what is missing",
    )


def failure(endpoint: str, write: DualWrite, asked: Asked) -> FigError:
    """Give the error of a write that its first side did not answer."""
    place = f"endpoint.{endpoint}: write {write.id}"
    if asked.what in ("unsent", "refused"):
        message = f"nothing was written: {write.first} {_SAYS[asked.what]}"
        return LegacyUnavailable(message, place=place, value=asked.why)
    message = (
        "it was written, and its answer cannot be told"
        if asked.what == "happened"
        else f"nobody knows whether {write.first} has written it"
    )
    remedy = f"fig route doubts {endpoint}"
    return InDoubt(message, place=place, value=asked.why, remedy=remedy)


_SAYS: Final = {"unsent": "was not reached", "refused": "refuses it"}


def unanswered(endpoint: str, write: DualWrite) -> InDoubt:
    """Give the error of a write that came before, and whose answer is not known."""
    return InDoubt(
        "this was sent before, and what came of it cannot be told",
        place=f"endpoint.{endpoint}: write {write.id}",
        value=f"{write.state}: {write.error}" if write.error else write.state,
        remedy=f"fig route doubts {endpoint}; it is not done again",
    )
