"""A claimed event in somebody's hands: the way to settle it, once."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import FigError
from ...model import Delivery, Settlement
from .dialect import Event
from .ending import Ending
from .session import Session

__all__ = ["Hold", "settle_all"]


class Hold:
    """What a delivery is settled with. It belongs to the session that claimed its event."""

    __slots__ = ("_event", "_settled", "session")

    def __init__(self, session: Session, event: Event) -> None:
        self.session, self._event, self._settled = session, event, False

    async def __call__(self, settlement: Settlement) -> None:
        """Write the outcome. Raises ``FigError`` at a second call."""
        (failure,) = await self.session.settle([self.ending(settlement)])
        if failure is not None:
            raise failure

    def ending(self, settlement: Settlement) -> Ending:
        """Give what is to be written. Raises ``FigError`` at a second call."""
        event = self._event
        if self._settled:
            raise FigError(
                "settled already",
                place=f"{self.session.name}: event {event.id}",
                expected="one settlement a delivery",
            )
        self._settled = True
        return Ending(event.id, event.lease_token, settlement)


async def settle_all(
    session: Session, ends: Sequence[tuple[Delivery, Settlement]]
) -> Sequence[Exception | None]:
    """Settle many in one transaction; give what each would have raised, None where nothing."""
    failures: list[Exception | None] = [None] * len(ends)
    endings: list[Ending] = []
    places: list[int] = []
    for at, (delivery, settlement) in enumerate(ends):
        hold = delivery.settle
        if not isinstance(hold, Hold) or hold.session is not session:
            # Somebody stands around it, or it is of a session that has ended.
            failures[at] = await _alone(delivery, settlement)
            continue
        try:
            endings.append(hold.ending(settlement))
            places.append(at)
        except FigError as error:
            failures[at] = error
    written = await session.settle(endings) if endings else ()
    if len(places) == len(ends):
        return written
    for at, failure in zip(places, written, strict=True):
        failures[at] = failure
    return failures


async def _alone(delivery: Delivery, settlement: Settlement) -> Exception | None:
    try:
        await delivery.settle(settlement)
    except Exception as error:  # noqa: BLE001 - it is told to whoever asked
        return error
    return None
