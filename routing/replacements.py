"""A replacement in all the revisions that routes ask for: started before it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from ..ai.process import ProviderProcess
from ..errors import FigError, NotAsked
from ..model import Reply, Request
from ..ports import Provider
from ..telemetry import log

__all__ = ["Replacements"]


class Replacements:
    """Holds one provider a revision. Owned by one event loop.

    ``build`` makes the provider of a revision, unopened; it may raise ``FigError``. ``announce``
    is told when one is ready.
    """

    def __init__(
        self,
        name: str,
        build: Callable[[str], Provider],
        announce: Callable[[str, Provider], None] | None = None,
    ) -> None:
        self._name = name
        self._build = build
        self._announce = announce
        self._ready: dict[str, Provider] = {}
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    async def answer(self, request: Request, revision: str) -> Reply:
        """Answer with a revision. Raises ``ReplacementError``; at once where it is not ready."""
        provider = self._ready.get(revision)
        if provider is None:
            self.start(revision)
            raise NotAsked(
                f"revision {revision or 'unknown'} is not ready",
                place=f"replacement.{self._name}",
                remedy="look at the log for why",
            )
        return await provider.answer(request)

    def start(self, revision: str) -> bool:
        """Begin to start a revision where it is not begun; True when it is ready. Never raises."""
        if revision in self._ready:
            return self._answers(revision)
        if self._closed:
            return False
        task = self._starting.get(revision)
        if task is None or task.done():
            self._starting[revision] = asyncio.create_task(self._open(revision))
        return False

    def ready(self, revision: str) -> bool:
        """Say whether a revision can be asked now. Begins nothing."""
        return revision in self._ready and self._answers(revision)

    def _answers(self, revision: str) -> bool:
        provider = self._ready[revision]
        return not isinstance(provider, ProviderProcess) or provider.ready

    async def keep_only(self, revisions: Collection[str]) -> None:
        """Close every revision that no route asks for any more."""
        for revision in [one for one in self._ready if one not in revisions]:
            log.info("replacement.%s: revision %s is closed", self._name, revision)
            await self._ready.pop(revision).close()

    async def close(self) -> None:
        """Close all, and start none again. May be called twice."""
        self._closed = True
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        await self.keep_only(())

    async def _open(self, revision: str) -> None:
        provider: Provider | None = None
        try:
            provider = self._build(revision)
            await provider.open()
        except FigError as error:
            log.warning("replacement.%s: cannot start: %s", self._name, error)
            if isinstance(provider, ProviderProcess):
                # It goes on trying by itself, ever more slowly, and fails at once meanwhile.
                self._ready[revision] = provider
                return
            if provider is not None:
                await provider.close()
            await asyncio.sleep(1.0)  # as answers ask for it again and again
        except asyncio.CancelledError:
            if provider is not None:
                await provider.close()
            raise
        else:
            self._ready[revision] = provider
            if self._announce is not None:
                self._announce(revision, provider)
            log.info("replacement.%s: revision %s is ready", self._name, revision)
