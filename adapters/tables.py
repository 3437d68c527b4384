"""A table of a legacy database as a source: triggers of ours catch its changes as they commit.

A change is a row of the capture table (``events.py``) in the legacy transaction itself, so a change
that was rolled back never shows, and one that was committed cannot be missed. Each is delivered
under a lease and marked when it is settled; a process that dies loses its leases and no events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ..config import options as checked
from ..errors import FigError, LegacyError, LegacyUnavailable, SchemaDrift
from ..model import Delivery, Finding, Lag, Settlement
from ..secret import read_secret
from ..telemetry import log
from .capture.claims import Claims
from .capture.decided import Decided, forget
from .capture.delivered import Values, delivered, references
from .capture.dialect import Event, Waker
from .capture.doctor import examine
from .capture.ground import Ground
from .capture.hold import Hold, settle_all
from .capture.installation import Action, Installation
from .capture.known import columns_of
from .capture.lag import lag
from .capture.options import Options, check, dialect_of, url_of
from .capture.session import Session

__all__ = ["Options", "TableSource"]

_WATCH: Final = 30.0
"""Seconds between looks at whether the table still has the columns that were agreed on."""


class TableSource:
    """Rows of one table as they change. Built by the app from ``[legacy.NAME]``.

    A record's ``body`` is the JSON of the row (of the row that was, for a delete): each column's
    exact text, or null; a BLOB in hex; of a large value its length, a number. ``position`` is
    the event's own id. Headers: ``op``, ``table``, ``schema`` (a digest), ``kinds`` (a letter a
    column: integer, real, text, blob, null, large, other), ``large`` (JSON: the references of large
    values by column) and, for an update, ``before``, ``before-kinds`` and ``before-large``. Raises
    ``ConfigError`` for wrong options; the database is first looked at by ``install`` and ``open``.
    """

    def __init__(self, *, name: str, options: Mapping[str, object], place: str, root: Path) -> None:
        self.name = name
        self._options = checked(Options, options, place)
        self._at, self._root = place, root
        self._url = url_of(self._options.url, place)
        self._place = f"{self._url.render_as_string(hide_password=True)}: {self._options.table}"
        self._dialect = dialect_of(self._url, self._options, place)
        check(self._options, self._dialect, place)
        # What is wrong with the address is said here; nothing connects yet.
        self._dialect.engine(self._url, root, place=f"{place}.url", patience=1.0)
        self._inline = frozenset(self._options.inline)
        self._agreed: set[str] = set()
        self._row: Sequence[str] | None = None
        self._drift: LegacyError | None = None
        self._session: Session | None = None
        self._watching: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"TableSource({self.name!r}, {self._place!r})"

    def install_plan(self) -> list[str]:
        """Give the statements that ``install`` would run now; none where all of it stands."""
        return self._installation().plan()

    def remove_plan(self) -> list[str]:
        """Give the statements that ``remove`` would run now, triggers first."""
        return self._installation().removal()

    def install(self) -> None:
        """Run the plan in one transaction. Raises ``LegacyError``; then nothing was changed."""
        self._installation().apply()

    def remove(self, *, discard: bool = False) -> None:
        """Take out what ``install`` put in, in one transaction.

        Raises ``LegacyError`` while unsettled events wait, unless ``discard`` gives them up.
        """
        self._installation().undo(discard=discard)

    def script(self, action: Action) -> str:
        """Write what ``install`` or ``remove`` would do as a script for a person to review."""
        return self._installation().script(action)

    def installed(self) -> list[Mapping[str, str | float]]:
        """Give the record of what stands in the database, of all sources."""
        return self._installation().recorded()

    def examine(self) -> Iterator[Finding]:
        """Prove that capture works: shape, triggers, a canary row, what waits, what it costs."""
        return examine(self._installation(), canary=self._options.canary, keep=self._options.keep)

    def columns(self, *, ask: bool) -> Sequence[str] | None:
        """Give its rows' columns; where unnamed, only by asking legacy. Raises ``LegacyError``."""
        return columns_of(self._installation()) if ask else self._options.columns or None

    def ground(self) -> Ground:
        """Give what a walk over the table's rows stands on, for backfill and reconcile.

        Raises ``LegacyError`` where nothing is captured yet: what changed behind a walk would be
        missed.
        """
        installation = self._installation()
        installation.check()
        return installation.ground()

    async def open(self) -> None:
        """Connect, see that the triggers stand, and resume what a dead process of ours held."""
        await self.close()
        how = self._options
        session = Session(self.name, lease=how.lease, poll=how.poll, keep=how.keep)
        await session.start(self._claims)
        self._session, self._drift = session, None
        self._watching = asyncio.create_task(self._watch(session))

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """Give heads of keys, oldest first, at most one of a key; wait ``timeout`` seconds.

        Raises ``SchemaDrift``, and takes nothing, where the table is not what was agreed on.
        """
        session = self._opened()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        limit = min(limit, self._options.batch)
        while True:
            if self._drift is not None:
                raise self._drift
            session.freed.clear()
            events = await session.claim(limit)
            left = end - loop.time()
            if events or left <= 0:
                return await self._deliveries(session, events)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, session.poll)):
                    await session.freed.wait()

    async def settle_all(
        self, ends: Sequence[tuple[Delivery, Settlement]]
    ) -> Sequence[Exception | None]:
        """Settle many in one transaction; give what settling each would have raised."""
        return await settle_all(self._opened(), ends)

    async def lag(self) -> Lag:
        """Count what waits, on a connection of its own. Raises ``LegacyError``."""
        return await asyncio.to_thread(self._lag)

    async def release(self, position: str) -> bool:
        """End a dead event that holds its key back: its dead letter was replayed or dropped.

        False where there is none such. Raises ``LegacyError``.
        """
        return await self._opened().release(position)

    async def forget(self, decided: Decided) -> int:
        """Let go of the dead events of whose positions ``decided`` gives; the sweep takes them.

        ``decided`` is called in a thread; what it raises is raised. Raises ``LegacyError``.
        """
        return await asyncio.to_thread(self._forget, decided)

    async def close(self) -> None:
        """Give back what is not settled and let go of the database."""
        if self._watching is not None:
            self._watching.cancel()
        session, self._session = self._session, None
        if session is not None:
            await session.end()

    def _opened(self) -> Session:
        if self._session is None:
            raise LegacyUnavailable("the source is not open", place=self.name, remedy="open it")
        return self._session

    def _engine(self, patience: float) -> Engine:
        """Make an engine; the password is read anew, for it may have been changed."""
        at, secret = f"{self._at}.password", self._options.password
        password = read_secret(secret, place=at, root=self._root) if secret else ""
        return self._dialect.engine(
            self._url, self._root, place=f"{self._at}.url", patience=patience, password=password
        )

    def _installation(self) -> Installation:
        options = self._options
        return Installation(
            self._engine(5.0),
            self._dialect,
            source=self.name,
            place=self._place,
            table=options.table,
            columns=options.columns,
            key=options.keys,
            operations=options.operations,
            when=options.when,
            level=options.level,
            large=options.large,
            schema=options.schema,
            grant_to=options.grant_to,
        )

    def _claims(self) -> tuple[Claims, Waker | None]:
        self._check()
        self._row = self._installation().told_apart()
        # The owner thread waits shortly and often, so that settlements do not stand behind a claim.
        engine = self._engine(1.0)
        of = {"source": self.name, "place": self._place}
        claims = Claims(engine, self._dialect, **of, lease=self._options.lease)
        try:
            return claims, self._dialect.waker(engine, self.name)
        except SQLAlchemyError as error:
            claims.close()
            raise self._dialect.trouble(error, place=self._place, name=self.name) from error

    def _check(self) -> None:
        if stale := self._installation().check():
            log.warning("%s: %s; run 'fig adapter install %s'", self._place, stale, self.name)

    def _is_agreed(self) -> bool:
        """Look once more; False where nobody could look now. Raises ``SchemaDrift``."""
        try:
            self._check()
        except LegacyUnavailable:
            return False
        return True

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Give a connection for one look, of its own so that no claim is in the way."""
        try:
            with self._engine(1.0).connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._dialect.trouble(error, place=self._place, name=self.name) from error

    def _lag(self) -> Lag:
        with self._connected() as connection:
            return lag(connection, self.name, self._dialect.now(connection))

    def _forget(self, decided: Decided) -> int:
        with self._connected() as connection:
            return forget(connection, self.name, decided)

    async def _watch(self, session: Session) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            try:
                await asyncio.to_thread(self._check)
            except LegacyUnavailable:
                continue  # whoever claims will say so
            except LegacyError as error:
                self._drift = error
                session.freed.set()
                return

    async def _deliveries(self, session: Session, events: Sequence[Event]) -> list[Delivery]:
        """Hand events out; those of a shape that nobody has seen yet only after a look."""
        unknown = {event.schema_hash for event in events} - self._agreed
        values: Values = {}
        try:
            if unknown:
                agreed = await asyncio.to_thread(self._is_agreed)
                self._agreed |= unknown if agreed else set()
            if self._inline:
                read = self._dialect.image
                wanted = [one for event in events for one in references(event, read, self._inline)]
                values = await session.values(wanted) if wanted else {}
        except BaseException as error:
            self._drift = error if isinstance(error, SchemaDrift) else self._drift
            with contextlib.suppress(FigError):
                await session.put_back(events)
            raise
        return [self._delivery(session, event, values) for event in events]

    def _delivery(self, session: Session, event: Event, values: Values) -> Delivery:
        return Delivery(
            record=delivered(
                event,
                self._dialect.image,
                source=self.name,
                table=self._options.table,
                values=values,
                row=self._row,
            ),
            settle=Hold(session, event),
            attempt=event.attempts,
            fresh=event.attempts == 1,
            backfill=event.priority > 0,
        )
