"""What is dead in a legacy system, and decided on in our store: it need not stay there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from ..errors import LegacyError, StoreError
from ..telemetry import log

if TYPE_CHECKING:
    from .running import Running

__all__ = ["Forgetting", "forget"]

_DAY: Final = 86_400.0


@runtime_checkable
class Forgetting(Protocol):
    """A source that keeps what is dead in the legacy system."""

    async def forget(self, decided: Callable[[Sequence[str]], Collection[str]]) -> int:
        """Let go of what ``decided`` gives of the dead positions; give the number.

        ``decided`` is called in a thread. Raises ``LegacyError``, and what ``decided`` raises.
        """


async def forget(running: Running, now: float) -> bool:
    """Let sources go of dead events whose letters were replayed or dropped; say if all could.

    As long as ``retention.dead_letters`` keeps such a letter, its event stays too. Called once an
    hour, by one process on the store, before letters go by their age.
    """
    days = running.plan.workspace.retention.dead_letters
    all_told = True
    for name in running.intake.names():
        source: object = running.intake.source(name)
        if not isinstance(source, Forgetting):
            continue
        decided = partial(running.store.dead_letters.decided, name, now - days * _DAY)
        try:
            count = await source.forget(decided)
        except (LegacyError, StoreError) as error:
            all_told = False
            log.warning("%s: dead events are kept still: %s", name, error)
        else:
            if count:
                log.info("%s: let go of %d dead events that were decided on", name, count)
    return all_told
