"""A replacement with a store of its own: a file to which each ticket is a line. It is no test.

Workspaces of these tests name it, as ``py:MODULE:Shelf``. The file ``behaviour`` says in a word what
it does: ``answer``, ``away`` (it is not asked), ``hang`` (it has it, and says nothing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from stranglerfig.errors import NotAsked
from stranglerfig.model import Reply, Request


class Shelf:
    """Keeps tickets; their numbers are above those of legacy."""

    revision = "shelf"
    outside = False

    def __init__(
        self,
        *,
        name: str,
        options: Mapping[str, object],
        place: str,
        root: Path,
        revision: str = "",
    ) -> None:
        del name, options, place, revision
        self._root = root

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def answer(self, request: Request) -> Reply:
        behaviour = (self._root / "behaviour").read_text("utf-8").strip()
        if behaviour == "away":
            raise NotAsked("is away", place="shelf")
        with (self._root / "shelf").open("a", encoding="utf-8") as file:
            file.write(f"{request.payload['customer']} {request.payload['text']}\n")
        if behaviour == "hang":
            await asyncio.sleep(3600)
        number = 1_000 + len((self._root / "shelf").read_text("utf-8").splitlines())
        payload = {"number": number, "category": "refund", "priority": "normal"}
        return Reply(request_id=request.id, status="ok", payload=payload, produced_by="shelf")
