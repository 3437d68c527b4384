"""A replacement that does what the text of a ticket says. It is no test: workspaces name it.

Every call is a line of ``asked`` in the workspace: the process, ``begun`` or ``ended``, the ticket.
"poison" kills the process and "fails" raises, until the file ``mended`` is there; "slow" takes ten
times as long as a lease, "waits" until the file ``go`` is there.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from stranglerfig.model import Reply, Request

SLOW = 10.0
"""Seconds: ten times the least lease that a source may have."""


class Steered:
    """A provider, as ``py:stranglerfig.tests.acceptance.survival.steered:Steered``."""

    revision = "steered"
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
        text, number = str(request.payload["text"]), request.payload["number"]
        self._note("begun", number)
        mended = (self._root / "mended").exists()
        if text == "poison" and not mended:
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "fails" and not mended:
            raise RuntimeError("the model fails for this one")
        if text == "slow":
            await asyncio.sleep(SLOW)
        while text == "waits" and not (self._root / "go").exists():
            await asyncio.sleep(0.02)
        self._note("ended", number)
        payload = {"verdict": f"seen {number}"}
        return Reply(request_id=request.id, status="ok", payload=payload, produced_by="steered")

    def _note(self, what: str, number: object) -> None:
        with (self._root / "asked").open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {what} {number}\n")
