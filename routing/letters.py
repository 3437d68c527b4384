"""Dead letters: a delivery that is given up, whole, with every error and every version."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final

from .. import __version__
from ..errors import Conflict, FigError
from ..model import Delivery
from ..store.write import DeadLetter
from .endpoint import Endpoint

__all__ = ["chain_of", "letter"]

_MOST: Final = 20
_LONGEST: Final = 500


def letter(
    endpoint: Endpoint, delivery: Delivery, error: BaseException, revision: str, reason: str = ""
) -> DeadLetter:
    """Make the dead letter of a delivery. ``reason``: why, where the error does not say it best.

    One whose id came with another body is quarantined: neither of the two may be acted upon
    before a person has said which holds.
    """
    record = delivery.record
    chain = chain_of(error)
    why = reason or chain[0]["message"]
    if isinstance(error, Conflict):
        why = f"quarantined: {error.message}"
    return DeadLetter(
        source=record.source,
        position=record.position,
        reason=why,
        record=record,
        error=chain[0],
        attempts=delivery.attempt,
        at=time.time(),
        endpoint=endpoint.name,
        chain=chain,
        versions={
            "stranglerfig": __version__,
            "operation": endpoint.operation.id,
            "mapping": endpoint.mapping.digest,
            "revision": revision,
        },
    )


def chain_of(error: BaseException) -> tuple[Mapping[str, str], ...]:
    """Give an error and all that it came from, the outermost first."""
    return tuple(_parts(one) for one in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < _MOST:
        seen.add(id(one))
        yield one
        hidden = one.__suppress_context__
        one = one.__cause__ or (None if hidden else one.__context__)


def _parts(error: BaseException) -> Mapping[str, str]:
    if isinstance(error, FigError):
        return error.as_dict()
    # SQLAlchemy's own text holds the statement with its values; the driver's does not.
    driver = getattr(error, "orig", None) or error
    first = (str(driver).strip().splitlines() or [""])[0][:_LONGEST]
    return {"error": type(error).__name__, "message": first}
