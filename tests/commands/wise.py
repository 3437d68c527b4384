"""A judge that knows the truth from the request: its text ends with the right category.

It is no test: workspaces of tests name it, as ``py:MODULE:Wise``. What it was asked stands in the
workspace's file ``asked``.
"""

from __future__ import annotations

import msgspec

from stranglerfig.model import Reply


class Wise:
    outside = True

    def __init__(self, *, root, revision="", **others):
        del others
        self.revision = revision or "w1"
        self._asked = root / "asked"

    async def open(self):
        return None

    async def close(self):
        return None

    async def answer(self, request):
        payload = request.payload
        with self._asked.open("ab") as file:
            file.write(msgspec.json.encode(request, enc_hook=str) + b"\n")
        truth = payload["request"]["text"].split()[-1]
        if truth == "boom":
            raise RuntimeError("Anna Meier")
        right = [letter for letter in "ab" if payload[letter]["category"] == truth]
        if truth == "unknown":
            return Reply(request_id=request.id, status="abstained", produced_by="w")
        choice = {0: "neither", 1: "".join(right), 2: "both"}[len(right)]
        return Reply(
            request_id=request.id,
            status="ok",
            produced_by="w",
            payload={"choice": choice},
            confidence=0.5 if truth == "hard" else 0.9,
        )
