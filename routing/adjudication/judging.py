"""Puts what stands open to the judge, within its budget, and writes down what it says."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec
from sqlalchemy import func, select

from ...store import tables
from ...store.adjudications import Adjudication, winner_of, write_it
from ...store.link import row
from ...store.reviews import Open, Reviews
from ...store.store import Store
from .judge import Judge, Judgement

__all__ = ["Judging", "Sitting", "judgements"]

_DAY: Final = 86_400


class Sitting(msgspec.Struct, kw_only=True):
    """What a round came to. ``left``: calls that the budget has left today."""

    asked: int = 0
    decided: int = 0
    unsure: int = 0
    failed: int = 0
    left: int = 0


class Judging:
    """Lets a judge decide an endpoint's open differences of one revision.

    Nobody is asked twice about the same: not this revision of the judge, unless it failed.
    """

    def __init__(self, store: Store, judge: Judge, endpoint: str, revision: str) -> None:
        self._store = store
        self._judge = judge
        self._endpoint = endpoint
        self._revision = revision

    async def sit(self, most: int | None = None) -> Sitting:
        """Ask about the oldest open ones, ``most`` at most. Raises ``StoreUnavailable``."""
        waiting, left = await asyncio.to_thread(self._waiting)
        sitting = Sitting(left=left)
        for one in waiting[:most]:
            if not sitting.left:
                break
            sitting.left -= 1
            sitting.asked += 1
            judgement = await self._judge.judge(one.comparison)
            decided = await asyncio.to_thread(self._write, judgement, one.comparison.request_id)
            if judgement.failed:
                sitting.failed += 1
                break  # it will not do better now: the next round tries again
            sitting.decided += decided
            sitting.unsure += judgement.choice == "unsure"
        return sitting

    def _waiting(self) -> tuple[list[Open], int]:
        reviews = Reviews(self._store.database, self._store.inserts, self._endpoint, self._revision)
        told = {
            one.unit
            for one in judgements(self._store, self._endpoint, self._revision)
            if one.judge == self._judge.revision and not one.failed
        }
        waiting = [one for one in reviews.queue() if one.comparison.unit not in told]
        spent = self._spent()
        return waiting, max(0, self._judge.settings.calls - spent)

    def _spent(self) -> int:
        """Count today's calls, UTC, of whatever revision."""
        lines, midnight = tables.journal.c, time.time() // _DAY * _DAY
        query = select(func.count()).where(
            lines.endpoint == self._endpoint, lines.kind == "judgement", lines.at >= midnight
        )
        with self._store.database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _write(self, judgement: Judgement, request_id: str) -> bool:
        """Write the judgement, and decide with it what still stands open."""
        inserts = self._store.inserts
        with self._store.database.write() as connection:
            inserts.lines(connection, [row(judgement.line(request_id))])
            if judgement.choice == "unsure":
                return False
            unit = self._endpoint, self._revision, judgement.unit
            if winner_of(connection, *unit) != "open":
                return False
            one = Adjudication(
                endpoint=self._endpoint,
                revision=self._revision,
                unit=judgement.unit,
                winner=judgement.choice,
                by="judge",
                why=_sure(judgement),
                who=judgement.judge,
                at=judgement.at,
            )
            write_it(connection, inserts, one, request_id)
        return True


def judgements(store: Store, endpoint: str, revision: str) -> list[Judgement]:
    """Read what judges said beside a revision, oldest first. Blocks."""
    lines = tables.journal.c
    query = select(lines.data).where(
        lines.endpoint == endpoint,
        lines.revision == revision,
        lines.kind == "judgement",
        lines.digest.is_(None),
    )
    with store.database.read() as connection:
        texts = connection.execute(query.order_by(lines.id)).scalars().all()
    return [msgspec.json.decode(text, type=Judgement) for text in texts]


def _sure(judgement: Judgement) -> str:
    return "" if judgement.confidence is None else f"sure by {judgement.confidence:.2f}"
