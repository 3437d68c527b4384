"""Leases on the capture table: claim, settle, renew, give back. For one owner thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError
from .clock import Clock
from .dialect import Claim, Dialect, Event, Marking
from .ending import HELD, Change, Ending, by_token, changes, mine
from .events import EVENTS, LARGE
from .owner import is_gone, new_token
from .sweep import Sweep

__all__ = ["Claims"]

T = TypeVar("T")

_LOCK_PATIENCE: Final = 30.0
"""Seconds of an unbroken lock after which a claim no longer passes it over in silence."""
_PATIENCE: Final = 10.0
_LOOK_ANYWAY: Final = 1.0
"""Seconds after which a claim looks even if nobody wrote: leases of others may have run out."""
_CANNOT_TELL: Final = -1
_BREATH: Final = 0.1


class Claims:
    """The events of one source, as one process claims and settles them.

    Built and used in the owner thread only. Every method raises ``LegacyError`` and nothing else.
    A connection that was lost is replaced by a new one.
    """

    def __init__(
        self, engine: Engine, dialect: Dialect, *, source: str, place: str, lease: float
    ) -> None:
        self._engine, self._dialect = engine, dialect
        self._source, self._place, self._lease = source, place, lease
        self._stamp = -1
        self._looked = 0.0
        self._due: list[float] = []
        self._locked_since: float | None = None
        self._opened: Connection | None = None
        self._clock = Clock(dialect)
        self._sweep = Sweep(source)
        self._marking = dialect if isinstance(dialect, Marking) else None
        with self._guarded():
            self._now()

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(SQLAlchemyError):
                opened.close()

    @property
    def _connection(self) -> Connection:
        """The connection; a new one after it was lost."""
        if self._opened is None:
            self._opened = self._engine.connect()
        return self._opened

    def take_over(self, *, within: int | None = None) -> int:
        """Free the leases of processes of this host that have ended, and say how many tokens.

        ``within``: looks at so many of the oldest waiting events only (none: at all).
        """
        columns = EVENTS.c
        mine = (columns.source == self._source, columns.done_at.is_(None))
        held = select(columns.lease_token).where(*mine)
        if within is not None:
            held = held.order_by(columns.priority, columns.id).limit(within)
        looked = held.subquery().c.lease_token

        def take() -> int:
            tokens = self._connection.execute(select(looked).where(looked.is_not(None)).distinct())
            gone = [token for token in tokens.scalars() if is_gone(token)]
            if gone:
                freed = update(EVENTS).where(*mine, columns.lease_token.in_(gone))
                values = {"lease_token": None, "lease_until": None, "lost": columns.lost + 1}
                self._connection.execute(freed.values(values))
            return len(gone)

        return self._patiently(take)

    def claim(self, limit: int, *, suspects: bool = True) -> list[Event]:
        """Lease up to ``limit`` heads of keys; none where another program holds a lock.

        ``suspects``: whether one that may be killing its processes is wanted among them.
        """
        try:
            events = self._claimed(limit, suspects=suspects)
        except SQLAlchemyError as error:
            if not self._dialect.is_lost(error):
                return self._wait_out(error)
            # Once more, on a new connection: that the old one is gone need not mean a thing.
            self.close()
            with self._guarded():
                events = self._claimed(limit, suspects=suspects)
        self._locked_since = None
        return events

    def _claimed(self, limit: int, *, suspects: bool) -> list[Event]:
        now = self._now()
        if not self._is_worth_a_look(now):
            return []
        claim = Claim(
            source=self._source,
            limit=limit,
            token=new_token(),
            now=now,
            until=now + self._lease,
            suspects=suspects,
            lease=self._lease,
        )
        events = self._dialect.claim(self._connection, claim)
        self._looked = 0.0 if events else now
        return events

    def settle(self, endings: Sequence[Ending]) -> list[LegacyError | None]:
        """Write all in one short transaction; give an error for each that lost its lease."""
        kept = self._patiently(lambda: self._settled(endings))
        self._looked = 0.0
        return [None if (end.id, end.token) in kept else self._lost(end) for end in endings]

    def release(self, event_id: str) -> bool:
        """End a dead event that holds its key back; say whether there was one."""
        columns = EVENTS.c
        mine = (columns.source == self._source, columns.event_id == event_id)
        held = update(EVENTS).where(*mine, columns.parked == HELD, columns.done_at.is_(None))
        # It has no index of its own: those that wait are looked through.
        self._looked = 0.0

        def free() -> bool:
            # Not on the connection of claims, whose commits may wait for no disk: a lost mark comes
            # again by itself, but nobody would release this key a second time.
            with self._engine.connect() as connection:
                return connection.execute(held.values(done_at=self._now())).rowcount > 0

        return self._patiently(free)

    def values(self, references: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        """Read large values: kind and bytes, by reference; one that was collected is not there."""
        columns = LARGE.c
        wanted = select(columns.ref, columns.kind, columns.value).where(columns.ref.in_(references))
        rows = self._patiently(lambda: self._connection.execute(wanted).all())
        return {ref: (kind, bytes(value)) for ref, kind, value in rows}

    def renew(self, held: Mapping[int, str]) -> None:
        """Put off the end of the leases on these events (token by id) by a whole lease."""
        self._change(held, lambda: {"lease_until": self._now() + self._lease})

    def give_back(self, held: Mapping[int, str], *, uncounted: bool = False) -> None:
        """Free these events; ``uncounted`` where they were never handed to anybody."""
        values: dict[str, object] = {"lease_token": None, "lease_until": None}
        if uncounted:
            values["attempts"] = EVENTS.c.attempts - 1
        self._change(held, lambda: values)
        self._looked = 0.0

    def sweep(self, keep: float) -> int:
        """Delete what was done over ``keep`` seconds ago, some thousand events; dead ones stay."""
        with self._guarded():
            return self._sweep.run(self._connection, self._now(), keep)

    def _change(self, held: Mapping[int, str], values: Callable[[], Mapping[str, object]]) -> None:
        def write() -> None:
            with self._transaction():
                for token, ids in by_token(held.items()).items():
                    self._connection.execute(
                        update(EVENTS).where(*mine(token, ids)).values(values())
                    )

        if held:
            self._patiently(write)

    def _is_worth_a_look(self, now: float) -> bool:
        """Say whether anything can have changed since a look that found nothing."""
        stamp = self._dialect.stamp(self._connection)
        if stamp == _CANNOT_TELL:
            return True
        ready = [at for at in self._due if at <= now]
        if ready:
            self._due = [at for at in self._due if at > now]
        idle = now - self._looked
        worth = bool(ready) or stamp != self._stamp or not 0 <= idle < _LOOK_ANYWAY
        self._stamp = stamp
        return worth

    def _wait_out(self, error: SQLAlchemyError) -> list[Event]:
        now = time.monotonic()
        if self._locked_since is None:
            self._locked_since = now
        if self._dialect.is_busy(error) and now - self._locked_since < _LOCK_PATIENCE:
            self._looked = 0.0
            return []
        raise self._trouble(error) from error

    def _settled(self, endings: Sequence[Ending]) -> set[tuple[int, str]]:
        now = self._now()
        if self._stamp != _CANNOT_TELL:
            again = [end.settlement for end in endings if end.settlement.outcome == "retry"]
            self._due += [now + settlement.delay for settlement in again]
        if self._marking is not None and all(end.settlement.outcome == "done" for end in endings):
            held = [(end.id, end.token) for end in endings]
            return self._marking.mark(self._connection, held, now)
        todo = list(changes(endings, now))
        returns = self._connection.dialect.update_returning
        if len(todo) == 1 and returns:
            # A statement alone is its own transaction, and two ways to the server fewer.
            return self._marked(todo[0], returns=True)
        with self._transaction():
            return {one for change in todo for one in self._marked(change, returns=returns)}

    def _marked(self, change: Change, *, returns: bool) -> set[tuple[int, str]]:
        ours = mine(change.token, change.ids)
        statement = update(EVENTS).where(*ours).values(change.values)
        if returns:
            found = self._connection.execute(statement.returning(EVENTS.c.id)).scalars().all()
        else:
            locked = select(EVENTS.c.id).where(*ours).with_for_update()
            found = self._connection.execute(locked).scalars().all()
            if found:
                self._connection.execute(statement)
        return {(event_id, change.token) for event_id in found}

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
        """Do it again, for a while, after a lock or a lost connection; nothing was written then."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return work()
            except SQLAlchemyError as error:
                lost = self._dialect.is_lost(error)
                if not (lost or self._dialect.is_busy(error)) or time.monotonic() > until:
                    raise self._trouble(error) from error
                if lost:
                    self.close()
                    time.sleep(_BREATH)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: SQLAlchemyError) -> LegacyError:
        if self._dialect.is_lost(error):
            self.close()
        return self._dialect.trouble(error, place=self._place, name=self._source)

    def _now(self) -> float:
        return self._clock.now(self._connection)
