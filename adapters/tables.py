"""A table of a legacy database as a source: triggers of ours catch its changes as they commit.

A change is a row of the capture table (``events.py``) in the legacy transaction itself, so a change
that was rolled back never shows, and one that was committed cannot be missed. Each is delivered
under a lease and marked when it is settled; a process that dies loses its leases and no events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..config import options as checked
from ..errors import ConfigError, LegacyUnavailable
from ..model import Delivery, Finding, Record
from ..telemetry import log
from .capture.claims import Claims
from .capture.dialect import Dialect, Event, Image, Operation
from .capture.doctor import examine
from .capture.ground import Ground
from .capture.installation import Action, Installation
from .capture.session import Hold, Session
from .capture.sqlite.dialect import SqliteCapture

__all__ = ["Options", "TableSource"]

_DIALECTS: Final[Mapping[str, Callable[[], Dialect]]] = {"sqlite": SqliteCapture}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]`` with ``adapter = "tables"``.

    ``columns`` are captured (none: all) in ``table``; ``key`` gives order (none: the primary key).
    ``when`` is a condition over ``old`` and ``new``; over ``large`` bytes a value stands apart.
    ``grant_to`` is the bridge's user where another one installs; ``canary`` holds values of the row
    by which the doctor proves the triggers, where it cannot make one by itself.
    ``batch`` bounds one claim. ``lease``, ``poll`` and ``keep`` are in seconds: how long a dead
    process keeps an event, how often a change is looked for, how long settled events stay.
    """

    url: str
    table: str
    columns: tuple[str, ...] = ()
    key: str | tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ("insert",)
    when: str = ""
    large: int = 65_536
    grant_to: str = ""
    canary: Mapping[str, str | int | float | bool | None] = {}
    batch: int = 200
    lease: float = 30.0
    poll: float = 0.05
    keep: float = 604_800.0


class TableSource:
    """Rows of one table as they change. Built by the app from ``[legacy.NAME]``.

    A record's ``body`` is the JSON of the row (of the row that was, for a delete): each column's
    exact text, or null; a BLOB in hex; of what is over 4 MiB its length, a number. ``position`` is
    the event's own id. Headers: ``op``, ``table``, ``schema`` (a digest), ``kinds`` (a letter a
    column: integer, real, text, blob, null, large) and, for an update, ``before`` and
    ``before-kinds``. Raises ``ConfigError`` for wrong options; the database is first looked at by
    ``install`` and ``open``.
    """

    def __init__(self, *, name: str, options: Mapping[str, object], place: str, root: Path) -> None:
        self.name = name
        self._options = checked(Options, options, place)
        _check(self._options, place)
        self._url = _url(self._options.url, place)
        self._place = f"{self._url.render_as_string(hide_password=True)}: {self._options.table}"
        self._dialect = _DIALECTS[self._url.get_backend_name()]()
        at = f"{place}.url"
        # The owner thread waits shortly and often, so that settlements do not stand behind a claim.
        self._engine = self._dialect.engine(self._url, root, place=at, patience=1.0)
        key = self._options.key
        self._installation = Installation(
            self._dialect.engine(self._url, root, place=at, patience=5.0),
            self._dialect,
            source=name,
            place=self._place,
            table=self._options.table,
            columns=self._options.columns,
            key=(key,) if isinstance(key, str) else key,
            operations=self._options.operations,
            when=self._options.when,
            large=self._options.large,
            grant_to=self._options.grant_to,
        )
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"TableSource({self.name!r}, {self._place!r})"

    def install_plan(self) -> list[str]:
        """Give the statements that ``install`` would run now; none where all of it stands."""
        return self._installation.plan()

    def remove_plan(self) -> list[str]:
        """Give the statements that ``remove`` would run now, triggers first."""
        return self._installation.removal()

    def install(self) -> None:
        """Run the plan in one transaction. Raises ``LegacyError``; then nothing was changed."""
        self._installation.apply()

    def remove(self, *, discard: bool = False) -> None:
        """Take out what ``install`` put in, in one transaction.

        Raises ``LegacyError`` while unsettled events wait, unless ``discard`` gives them up.
        """
        self._installation.undo(discard=discard)

    def script(self, action: Action) -> str:
        """Write what ``install`` or ``remove`` would do as a script for a person to review."""
        return self._installation.script(action)

    def installed(self) -> list[Mapping[str, str | float]]:
        """Give the record of what stands in the database, of all sources."""
        return self._installation.recorded()

    def examine(self) -> Iterator[Finding]:
        """Prove that capture works: shape, triggers, a canary row, what waits, what it costs."""
        return examine(self._installation, canary=self._options.canary)

    def ground(self) -> Ground:
        """Give what a walk over the table's rows stands on, for backfill and reconcile.

        Raises ``LegacyError`` where nothing is captured yet: what changed behind a walk would be
        missed.
        """
        self._installation.check()
        return self._installation.ground()

    async def open(self) -> None:
        """Connect, see that the triggers stand, and resume what a dead process of ours held."""
        await self.close()
        session = Session(self.name, lease=self._options.lease, keep=self._options.keep)
        await session.start(self._claims)
        self._session = session

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """Give heads of keys, oldest first, at most one of a key; wait ``timeout`` seconds."""
        session = self._session
        if session is None:
            raise LegacyUnavailable("the source is not open", place=self.name, remedy="open it")
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        limit = min(limit, self._options.batch)
        while True:
            session.freed.clear()
            events = await session.claim(limit)
            left = end - loop.time()
            if events or left <= 0:
                return [self._delivery(session, event) for event in events]
            try:
                await asyncio.wait_for(session.freed.wait(), min(left, self._options.poll))
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Give back what is not settled and let go of the database."""
        session, self._session = self._session, None
        if session is not None:
            await session.end()

    def _claims(self) -> Claims:
        stale = self._installation.check()
        if stale:
            log.warning("%s: %s; run 'fig adapter install %s'", self._place, stale, self.name)
        return Claims(
            self._engine,
            self._dialect,
            source=self.name,
            place=self._place,
            lease=self._options.lease,
        )

    def _delivery(self, session: Session, event: Event) -> Delivery:
        return Delivery(
            record=_record(self.name, self._options.table, event, self._dialect.image),
            settle=Hold(session, event).settle,
            attempt=event.attempts,
        )


def _record(source: str, table: str, event: Event, read: Callable[[str], Image]) -> Record:
    raw = (event.before if event.op == "delete" else event.after) or ""
    headers = [("op", event.op), ("table", table), ("schema", event.schema_hash)]
    try:
        image = read(raw)
        body = _json(image)
        headers.append(("kinds", image.kinds))
        if event.op == "update":
            before = read(event.before or "")
            headers += [("before", _clean(_json(before))), ("before-kinds", before.kinds)]
    except ValueError as error:
        # Somebody wrote to the capture table. It goes on as it is, for the mapping to refuse.
        body = raw
        headers.append(("unreadable", _clean(str(error))))
    return Record(
        source=source,
        key=_clean(event.key),
        position=event.event_id,
        kind="row",
        body=body.encode("utf-8", "surrogateescape"),
        headers=tuple(headers),
        captured_at=event.created_at,
    )


def _json(image: Image) -> str:
    return json.dumps(image.values, ensure_ascii=False, separators=(",", ":"))


def _clean(text: str) -> str:
    """Make text that was no UTF-8 in the database safe to write elsewhere, still told apart."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _url(text: str, place: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        expected = "an SQLAlchemy URL such as sqlite:///legacy.db"
        raise ConfigError("not a URL", place=f"{place}.url", expected=expected) from None
    if url.get_backend_name() not in _DIALECTS:
        raise ConfigError(
            "this kind of database cannot be captured",
            place=f"{place}.url",
            value=url.get_backend_name(),
            expected="one of " + ", ".join(_DIALECTS),
        )
    return url


def _check(options: Options, place: str) -> None:
    for field, least in (("batch", 1), ("lease", 1.0), ("poll", 0.001), ("keep", 0.0)):
        value = getattr(options, field)
        if value < least:
            raise ConfigError(
                "too small", place=f"{place}.{field}", value=str(value), expected=f"{least} or more"
            )
    if not options.operations:
        expected = "one or more of insert, update, delete"
        raise ConfigError("captures nothing", place=f"{place}.operations", expected=expected)
