"""Leases on the capture table: claim, settle, renew, give back. For one owner thread."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
from sqlalchemy import Update, delete, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError
from ...model import Settlement
from .dialect import Claim, Dialect, Event
from .events import EVENTS
from .owner import is_gone, new_token

__all__ = ["Claims", "Ending"]

T = TypeVar("T")

_LOCK_PATIENCE: Final = 30.0
"""Seconds of an unbroken lock after which a claim no longer passes it over in silence."""
_PATIENCE: Final = 10.0
_LOOK_ANYWAY: Final = 1.0
"""Seconds after which a claim looks even if nobody wrote: leases of others may have run out."""
_SWEEP: Final = 500
_SWEEPS: Final = 20


class Ending(msgspec.Struct, frozen=True):
    """What is to be written for one claimed event."""

    id: int
    token: str
    settlement: Settlement


class Claims:
    """The events of one source, as one process claims and settles them.

    Built and used in the owner thread only. Every method raises ``LegacyError`` and nothing else.
    """

    def __init__(
        self, engine: Engine, dialect: Dialect, *, source: str, place: str, lease: float
    ) -> None:
        self._dialect, self._source, self._place, self._lease = dialect, source, place, lease
        self._stamp = -1
        self._looked = 0.0
        self._due: list[float] = []
        self._locked_since: float | None = None
        self._swept = 0
        try:
            self._connection = engine.connect()
        except SQLAlchemyError as error:
            raise dialect.trouble(error, place=place, name=source) from error

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        with contextlib.suppress(SQLAlchemyError):
            self._connection.close()

    def take_over(self) -> int:
        """Free the leases of processes of this host that have ended, and say how many tokens."""
        mine = (EVENTS.c.source == self._source, EVENTS.c.done_at.is_(None))
        held = select(EVENTS.c.lease_token).where(*mine, EVENTS.c.lease_token.is_not(None))

        def take() -> int:
            tokens = self._connection.execute(held.distinct()).scalars().all()
            gone = [token for token in tokens if is_gone(token)]
            if gone:
                freed = update(EVENTS).where(*mine, EVENTS.c.lease_token.in_(gone))
                values = {"lease_token": None, "lease_until": None, "lost": EVENTS.c.lost + 1}
                self._connection.execute(freed.values(values))
            return len(gone)

        return self._patiently(take)

    def claim(self, limit: int, *, suspects: bool = True) -> list[Event]:
        """Lease up to ``limit`` heads of keys; none where another program holds a lock.

        ``suspects``: whether one that may be killing its processes is wanted among them.
        """
        now = time.time()
        try:
            if not self._is_worth_a_look(now):
                return []
            claim = Claim(
                source=self._source,
                limit=limit,
                token=new_token(),
                now=now,
                until=now + self._lease,
                suspects=suspects,
            )
            events = self._dialect.claim(self._connection, claim)
        except SQLAlchemyError as error:
            return self._wait_out(error, now)
        self._locked_since = None
        self._looked = 0.0 if events else now
        return events

    def settle(self, endings: Sequence[Ending]) -> list[LegacyError | None]:
        """Write all in one short transaction; give an error for each that lost its lease."""

        def write() -> set[tuple[int, str]]:
            with self._transaction():
                return self._write(endings)

        kept = self._patiently(write)
        self._looked = 0.0
        return [None if (end.id, end.token) in kept else self._lost(end) for end in endings]

    def renew(self, held: Mapping[int, str]) -> None:
        """Put off the end of the leases on these events (token by id) by a whole lease."""
        self._change(held, {"lease_until": time.time() + self._lease})

    def give_back(self, held: Mapping[int, str], *, uncounted: bool = False) -> None:
        """Free these events; ``uncounted`` where they were never handed to anybody."""
        values: dict[str, object] = {"lease_token": None, "lease_until": None}
        if uncounted:
            values["attempts"] = EVENTS.c.attempts - 1
        self._change(held, values)
        self._looked = 0.0

    def sweep(self, keep: float) -> int:
        """Delete events that were done over ``keep`` seconds ago, a few thousand; dead ones stay.

        Short statements, one after the other, so that a legacy writer finds its turn.
        """
        limit, deleted = time.time() - keep, 0
        with self._guarded():
            for _ in range(_SWEEPS):
                chunk = (
                    select(EVENTS.c.id, EVENTS.c.created_at)
                    .where(EVENTS.c.id > self._swept)
                    .order_by(EVENTS.c.id)
                    .limit(_SWEEP)
                )
                rows = self._connection.execute(chunk).all()
                old = [row.id for row in rows if row.created_at < limit]
                if old:
                    deleted += self._delete_done(old[0], old[-1], limit)
                # Ids rise with time: where a chunk is not all old, what follows is younger still.
                self._swept = old[-1] if len(old) == _SWEEP else 0
                if not self._swept:
                    break
        return deleted

    def _delete_done(self, first: int, last: int, limit: float) -> int:
        statement = delete(EVENTS).where(
            EVENTS.c.id.between(first, last),
            EVENTS.c.source == self._source,
            EVENTS.c.done_at < limit,
            EVENTS.c.dead_reason.is_(None),
        )
        return self._connection.execute(statement).rowcount

    def _change(self, held: Mapping[int, str], values: Mapping[str, object]) -> None:
        def write() -> None:
            with self._transaction():
                for token, ids in _by_token(held.items()).items():
                    self._connection.execute(_mine(token, ids).values(values))

        if held:
            self._patiently(write)

    def _is_worth_a_look(self, now: float) -> bool:
        """Say whether anything can have changed since a look that found nothing."""
        stamp = self._dialect.stamp(self._connection)
        ready = [at for at in self._due if at <= now]
        if ready:
            self._due = [at for at in self._due if at > now]
        idle = now - self._looked
        worth = bool(ready) or stamp != self._stamp or not 0 <= idle < _LOOK_ANYWAY
        self._stamp = stamp
        return worth

    def _wait_out(self, error: SQLAlchemyError, now: float) -> list[Event]:
        if self._locked_since is None:
            self._locked_since = now
        if self._dialect.is_busy(error) and now - self._locked_since < _LOCK_PATIENCE:
            self._looked = 0.0
            return []
        raise self._trouble(error) from error

    def _write(self, endings: Sequence[Ending]) -> set[tuple[int, str]]:
        now = time.time()
        kept: set[tuple[int, str]] = set()
        done = [(end.id, end.token) for end in endings if end.settlement.outcome == "done"]
        for token, ids in _by_token(done).items():
            statement = _mine(token, ids).values(done_at=now, lease_token=None, lease_until=None)
            kept.update(self._returned(statement, token))
        for end in endings:
            values: dict[str, object] = {"lease_token": None, "lease_until": None}
            if end.settlement.outcome == "retry":
                self._due.append(now + end.settlement.delay)
                values["next_at"] = now + end.settlement.delay
            elif end.settlement.outcome == "dead":
                values |= {
                    "done_at": now,
                    "dead_reason": end.settlement.reason or "no reason given",
                }
            else:
                continue
            kept.update(self._returned(_mine(end.token, [end.id]).values(values), end.token))
        return kept

    def _returned(self, statement: Update, token: str) -> set[tuple[int, str]]:
        rows = self._connection.execute(statement.returning(EVENTS.c.id)).scalars()
        return {(event_id, token) for event_id in rows}

    def _lost(self, end: Ending) -> LegacyError:
        return LegacyError(
            "the lease was lost, so nothing was marked",
            place=f"{self._place}: {EVENTS.name} id {end.id}",
            expected=f"to be settled within {self._lease:g} s, or renewed",
            remedy="another process has it now; if this is frequent, raise 'lease'",
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.exec_driver_sql(self._dialect.begin)
        try:
            yield
            self._connection.exec_driver_sql("COMMIT")
        except BaseException:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.exec_driver_sql("ROLLBACK")
            raise

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it again while somebody else holds a lock, for a while; nothing was written then."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return work()
            except SQLAlchemyError as error:
                if not self._dialect.is_busy(error) or time.monotonic() > until:
                    raise self._trouble(error) from error

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: SQLAlchemyError) -> LegacyError:
        return self._dialect.trouble(error, place=self._place, name=self._source)


def _mine(token: str, ids: Iterable[int]) -> Update:
    """Change only what this token still leases: the fence against a process that came too late."""
    columns = EVENTS.c
    return update(EVENTS).where(
        columns.id.in_(list(ids)), columns.lease_token == token, columns.done_at.is_(None)
    )


def _by_token(held: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for event_id, token in held:
        groups[token].append(event_id)
    return groups
