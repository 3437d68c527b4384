"""The writer thread: groups what waits into transactions, and sees the store go and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from ..errors import StoreError, StoreUnavailable
from ..telemetry import log
from .answers import answer, fail, parted
from .backlog import LONGEST, Backlog, Item
from .database import Database
from .doubt import Doubt, in_doubt
from .group import Content, Inserts, Outcome, write_group
from .line import Line
from .link import Tail, row
from .marks import CameBefore
from .session import WAIT, Session
from .stroke import Stroke, Strokes
from .trouble import locked, refused, unavailable

__all__ = ["Writer"]

_GROUP: Final = 1_000  # lines in a transaction
_RETRY: Final = 0.25  # seconds between two tries of a store that is lost
_LOOK: Final = 0.5  # seconds between two looks at a store that nobody writes


class Writer:
    """Drains a backlog into the database, in its own thread. Owned by the journal.

    What is appended stays in the backlog, in order, until it is durable. What is committed is
    answered at once, with an error where the store cannot take it.
    """

    def __init__(self, database: Database, backlog: Backlog) -> None:
        self.trouble: StoreUnavailable | None = None
        self.abandoned = False  # somebody waited for too long for what we have in hand
        self._database = database
        self._backlog = backlog
        self._session = Session(database)
        if database.file is not None:
            database.file.when_replaced = backlog.nudge
        self._inserts = Inserts(database.engine)
        self._strokes = Strokes(database.engine, WAIT)
        self._lost_at = 0.0
        # Seconds that a commit takes, of late. To wait longer than that for more lines would cost
        # more than a commit for those who come too late: they fill the next group meanwhile. (Two
        # halves that take turns were tried: Python's lock lets hardly any of it overlap.)
        self._pace = LONGEST
        self._alone = 0  # items to be written one by one, as one of their group cannot be
        self._hopeful = True  # of late, no message had come before
        self._doubt: Doubt | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="stranglerfig-journal", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Write what is left and end the thread; what a lost store cannot take is counted."""
        self._backlog.close()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None
        if self._backlog.lines:
            log.warning("journal: %d lines were lost at the end", self._backlog.lines)

    def _run(self) -> None:
        target = 1
        while True:
            if self.trouble is not None:
                self._backlog.pause(_RETRY)
                target = self._turn()
                if self._backlog.closing and self.trouble is not None:
                    break
            elif self._backlog.wait(_LOOK, target, self._pace):
                target = self._turn()
            elif self._backlog.closing:
                break
            else:
                self._look()
        fail(self._backlog.take_commits(), self._error())
        self._session.close()

    def _look(self) -> None:
        try:
            self._session.look()
        except (StoreError, SQLAlchemyError, OSError) as error:
            self._lose(error)

    def _turn(self) -> int:
        """Write one group; give its size, in lines."""
        if self._strokes.ready and not self._alone and self.trouble is None:
            size = self._stroke()
            if size is not None:
                return size
        return self._transaction()

    def _transaction(self) -> int:
        group: list[Item] = []
        outcomes: list[Outcome] = []
        last: Tail | None = None
        try:
            self._settle()
            connection = self._session.begin()
            # Taken only now that the lock is ours: until then a committer can give up.
            group = self._backlog.take(1 if self._alone else _GROUP)
            contents = [content for item in group for content in item.contents]
            outcomes, reached = self._write(connection, contents)
            last = reached
            began = time.perf_counter()
            self._session.commit()
            self._pace += (time.perf_counter() - began - self._pace) / 8
        except Exception as error:  # noqa: BLE001 the thread must outlive whatever happens
            self._failed(error, group, outcomes, last)
            return 1
        self._alone = max(0, self._alone - len(group))
        self._strokes.reached(reached)
        self._succeeded(group, outcomes)
        return sum([item.size for item in group])

    def _write(
        self, connection: Connection, contents: Sequence[Content]
    ) -> tuple[list[Outcome], Tail]:
        if self._hopeful:
            try:
                return write_group(connection, self._inserts, contents, hopeful=True)
            except CameBefore:
                self._session.rollback()
                connection = self._session.begin()
        outcomes, last = write_group(connection, self._inserts, contents)
        self._hopeful = all(outcome is True for outcome in outcomes)
        return outcomes, last

    def _stroke(self) -> int | None:
        """Write one group by one statement; None where it takes a transaction."""
        connection = self._session.at_hand()
        if connection is None:
            return None
        group = self._backlog.take(_GROUP)
        contents = [content for item in group for content in item.contents]
        stroke: Stroke | None = None
        try:
            stroke = self._strokes.stroke(contents)
            began = time.perf_counter()
            written = stroke is not None and stroke.write(connection)
            self._pace += (time.perf_counter() - began - self._pace) / 8
        except Exception as error:  # noqa: BLE001 the thread must outlive whatever happens
            return self._slipped(error, group, stroke)
        if stroke is None or not written:
            self._backlog.put_first(group)
            if stroke is not None:
                self._strokes.missed()
            return None
        self._strokes.hit(stroke.last)
        self._succeeded(group, [True] * len(contents))
        return sum([item.size for item in group])

    def _slipped(self, error: Exception, group: list[Item], stroke: Stroke | None) -> int | None:
        """See what a stroke that failed has come to: a size, or None where it is to be repeated."""
        self._strokes.missed()
        if stroke is None or _is_of_the_write(error) or refused(error):
            if locked(error):
                self._failed(error, group, [], None)
                return 1
            if not isinstance(error, IntegrityError):
                self._session.close()
            self._backlog.put_first(group)  # a transaction tells what it is
            return None
        self._session.close()
        outcomes: list[Outcome] = [True] * sum(len(item.contents) for item in group)
        self._doubt = Doubt(stroke.last, group, outcomes, unlocked=True)
        written = self._ask(error)
        if written is None:
            self._leave(error, group)
        return None if written is False else 1

    def _succeeded(self, group: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        if self.trouble is not None:
            self._recover()
        if self.abandoned:
            self.abandoned = False
            told = [item for item in group if item.waiting is not None and item.waiting.done()]
            if told:
                writes = sum(len(item.contents) for item in told)
                self._note({"event": "was in doubt, and is written", "writes": writes})
        answer(group, outcomes)

    def _failed(
        self, error: Exception, group: list[Item], outcomes: list[Outcome], last: Tail | None
    ) -> None:
        self._session.close()
        self._strokes.lost()
        if last is None and _is_of_the_write(error):
            self._refuse(error, group)
            return
        if last is None:
            self._backlog.put_first([item for item in group if item.waiting is None])
        else:
            self._doubt = Doubt(last, group, outcomes)
            if self._ask(error):
                return
        self._leave(error, group)

    def _ask(self, error: Exception) -> bool | None:
        """Ask at once whether a commit that failed was one; None if nobody answers: it is in doubt.

        Those who wait must not be told that nothing was written where it was.
        """
        try:
            written = self._settle(in_time=True)
        except Exception:  # noqa: BLE001 what failed is reported by the caller
            self._session.close()
            return None
        if written:
            log.warning("journal: a commit was not confirmed, but made: %s", error)
        return written

    def _leave(self, error: Exception, group: Sequence[Item]) -> None:
        """Give the store up for now, and tell those of a group who wait."""
        self._lose(error)
        told = self._error() if self._doubt is None else in_doubt(self._error())
        fail([item for item in group if item.waiting is not None], told)

    def _refuse(self, error: Exception, group: list[Item]) -> None:
        """Find the write that cannot be stored, so that it does not hold up all others."""
        apart = group if len(group) > 1 else parted(group[0])
        if len(apart) > 1:
            self._alone = max(0, self._alone - len(group)) + len(apart)
            self._backlog.put_first(apart)
            return
        self._alone = max(0, self._alone - 1)
        name = type(getattr(error, "orig", None) or error).__name__
        refusal = StoreError(
            f"a write cannot be stored: {name}", place=self._database.place, remedy="report it"
        )
        fail(group, refusal)
        if not group[0].note:
            content = repr(group[0].contents[0])[:4000]
            self._note({"event": "refused", "error": name, "content": content})

    def _settle(self, *, in_time: bool = False) -> bool:
        """Put back what a failed commit did not write, now that the journal can be read again."""
        doubt = self._doubt
        if doubt is None:
            return False
        self._strokes.lost()
        written = doubt.settle(self._session, self._inserts)
        self._doubt = None
        if written:
            told = doubt.told()
            if told and not in_time:
                self._note(told)
            answer(doubt.group, doubt.outcomes)
        elif in_time and doubt.unlocked:
            self._backlog.put_first(doubt.group)  # nobody was told anything
        else:
            self._backlog.put_first(doubt.again())
        return written

    def _lose(self, error: BaseException) -> None:
        trouble = unavailable(error, self._database.place)
        before, self.trouble = self.trouble, trouble
        self._session.close()
        if before is None:
            self._lost_at = time.time()
        if before is None or before.message != trouble.message:
            log.warning("journal: the store is lost: %s", trouble)
            self._note({"event": "store lost", "trouble": str(trouble)})
        fail(self._backlog.take_commits(), self._error())

    def _recover(self) -> None:
        seconds = round(time.time() - self._lost_at, 3)
        was = self.trouble.message if self.trouble is not None else ""
        self.trouble = None
        log.info("journal: the store is back after %.1f s", seconds)
        self._note({"event": "store back", "trouble": was, "seconds": seconds})

    def _note(self, data: dict[str, object]) -> None:
        line = row(Line(kind="note", data=data))
        self._backlog.put_first([Item((Content(rows=(line,)),), note=True)])

    def _error(self) -> StoreUnavailable:
        return self.trouble or StoreUnavailable("the store is closed", place=self._database.place)


def _is_of_the_write(error: Exception) -> bool:
    if isinstance(error, DataError | IntegrityError | UnicodeError | TypeError | OverflowError):
        return True
    return isinstance(error, ValueError) or (
        isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    )
