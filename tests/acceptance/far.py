"""A provider that says nothing of where it runs, so that it counts as outside.

It is no test: a workspace names it, as ``py:MODULE:Far``. It writes down every request as it came,
and answers with what stands in the place of the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from stranglerfig.model import Reply, Request


class Far:
    """Somebody else's model."""

    revision = "far1"

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
        self._file = root / "sent.txt"

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def answer(self, request: Request) -> Reply:
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(f"{request!r}\n")
        payload = {
            "category": request.payload["customer"],
            "priority": "low",
            "score": Decimal("0.90"),
        }
        return Reply(request_id=request.id, status="ok", produced_by="far", payload=payload)
