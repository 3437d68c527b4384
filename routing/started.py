"""A coroutine that has made its first step: most answer within it, and never wait for anything."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Generic, TypeVar

__all__ = ["Started"]

T = TypeVar("T")


class Started(Generic[T]):
    """What is left of a coroutine: to be awaited by the task in which its first step was made.

    ``first`` is what that step gave: what it waits for. This does by hand what ``await`` does, for
    which the first step would have to be made there.
    """

    __slots__ = ("_coroutine", "_first")

    def __init__(self, coroutine: Coroutine[object, None, T], first: object) -> None:
        self._coroutine, self._first = coroutine, first

    def __await__(self) -> Generator[object, None, T]:
        """Go on where the first step ended."""
        coroutine, awaited = self._coroutine, self._first
        while True:
            try:
                yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's
                thrown: BaseException | None = error
            else:
                thrown = None
            try:
                awaited = coroutine.send(None) if thrown is None else coroutine.throw(thrown)
            except StopIteration as ended:
                answer: T = ended.value
                return answer
