"""Writes that are decided in one go of the event loop: the journal gets all of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from ..errors import StoreError
from ..store.group import Content, Outcome
from ..store.journal import Journal

__all__ = ["Bundle", "Bundler", "Share"]

_MOST: Final = 256
"""Writes of a bundle: what is handed over later is durable later."""


class Bundle:
    """Some writes on their way. ``outcomes`` has one for each, in the order in which they came.

    It fails where nothing of all of them was written, or where nobody knows.
    """

    __slots__ = ("contents", "outcomes")

    def __init__(self, outcomes: asyncio.Future[Sequence[Outcome]]) -> None:
        self.contents: list[Content] = []
        self.outcomes = outcomes


class Share(msgspec.Struct, frozen=True):
    """One write of a bundle, by its place there. To await it gives True where it was written.

    False where its inbox mark was known; it raises what the journal's ``commit`` does.
    """

    bundle: Bundle
    at: int

    def __await__(self) -> Generator[object, None, bool]:
        """Wait for the bundle. Who is cancelled meanwhile takes it from nobody else."""
        outcomes = yield from asyncio.shield(self.bundle.outcomes).__await__()
        outcome = outcomes[self.at]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Bundler:
    """Puts writes together, on one event loop: each go of the loop makes a bundle.

    ``patience``: seconds that a bundle waits for the journal.
    """

    def __init__(self, journal: Journal, patience: float) -> None:
        self._journal, self._patience = journal, patience
        self._open: Bundle | None = None

    def add(self, content: Content) -> Share:
        """Add what the journal has prepared; it is handed over when others have had their turn."""
        bundle = self._open
        if bundle is None:
            loop = asyncio.get_running_loop()
            bundle = self._open = Bundle(loop.create_future())
            loop.call_soon(self._hand_over, bundle)
        contents = bundle.contents
        contents.append(content)
        if len(contents) >= _MOST:
            self._hand_over(bundle)
        return Share(bundle, len(contents) - 1)

    def _hand_over(self, bundle: Bundle) -> None:
        if self._open is not bundle:
            return  # it was full before its turn
        self._open = None
        try:
            written = self._journal.submit_all(bundle.contents, patience=self._patience)
        except StoreError as error:
            bundle.outcomes.set_exception(error)
        else:
            written.add_done_callback(lambda done: _pass_on(done, bundle.outcomes))


def _pass_on(
    done: asyncio.Future[Sequence[Outcome]], to: asyncio.Future[Sequence[Outcome]]
) -> None:
    if to.done():
        return
    error = None if done.cancelled() else done.exception()
    if error is not None:
        to.set_exception(error)
    elif done.cancelled():
        to.cancel()
    else:
        to.set_result(done.result())
