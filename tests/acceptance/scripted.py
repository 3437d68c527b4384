"""A provider whose behaviour stands in a file: a test changes it while the process runs.

It is no test: the workspaces of these tests name it, as ``py:MODULE:Scripted``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from stranglerfig.errors import ReplacementUnavailable
from stranglerfig.model import Reply, Request

ANSWER = {"category": "quote", "priority": "low", "score": Decimal("0.99")}
PAYLOADS: Mapping[str, object] = {
    "wrong enum": {**ANSWER, "priority": "apocalyptic"},
    "no code": {**ANSWER, "category": "of no table"},
    "missing field": {key: value for key, value in ANSWER.items() if key != "category"},
    "out of range": {**ANSWER, "score": Decimal("7.5")},
    "wrong type": {**ANSWER, "category": 42, "score": "certain"},
    "no mapping": "forty-two",
    "no payload": None,
}
RAISES: Mapping[str, BaseException] = {
    "raise": RuntimeError("the model blew up"),
    "time out": TimeoutError(),
    "cancel": asyncio.CancelledError(),
}
SLEEPS: Mapping[str, float] = {"hang": 3600.0, "slow": 1.0}


class Scripted:
    """Does what the file ``behaviour`` of the workspace says, in a word or two."""

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
        del name, options, place
        self._file = root / "behaviour"
        self._revision = revision or (root / "newest").read_text("utf-8").strip()

    @property
    def revision(self) -> str:
        return self._revision

    async def open(self) -> None:
        if self._file.with_name("broken").exists():
            raise ReplacementUnavailable("its model is broken", place="scripted")

    async def close(self) -> None:
        return None

    async def answer(self, request: Request) -> Reply:
        behaviour = self._file.read_text("utf-8").strip()
        self._file.with_name("asked").touch()
        await asyncio.sleep(SLEEPS.get(behaviour, 0.0))
        if behaviour in RAISES:
            raise RAISES[behaviour]
        if behaviour == "no reply":
            return "an answer"  # type: ignore[return-value]
        return Reply(
            request_id="0" * 32 if behaviour == "to another" else request.id,
            status="abstained" if behaviour == "abstain" else "ok",
            payload=PAYLOADS.get(behaviour, ANSWER),  # type: ignore[arg-type]
            confidence=0.99,
            produced_by="scripted",
            reason="not sure" if behaviour == "abstain" else "",
        )
