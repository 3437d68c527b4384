"""What capture missed, found and captured: a table as it is now against what was taken of it.

Triggers can be dropped for a while, switched off, or passed by: by bulk loads, by cascades that are
silent, by a gap of their own. So the digest of each row's image, made by the database, is compared
with that of the image that the bridge took last. Where they differ, and no event is under way that
would explain it, the row is captured as it is, under a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol, cast

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .address import estimate, moved
from .chunks import Chunks
from .events import GAPS
from .gone import GoneRows
from .ground import Ground
from .mark import Stand
from .order import Place
from .rows import Rows, Seen
from .taking import capture_rows
from .tally import Miss, Tally
from .unsettled import drop_held, keys_waiting
from .walk import At, Chunk

__all__ = ["Ledger", "Mode", "Reconcile"]

Mode = Literal["capture", "baseline", "look"]
"""To capture what was missed; to take everything for captured as it is; to look only."""

_ROWS: Final = "rows"
_GONE: Final = "gone"
_SOME: Final = 100
_PAGE: Final = 1_000
_MOST_SEEN: Final = 200_000
"""Rows that are remembered to have been there: of the others the table is asked once more."""
_MISSES: Final = ("insert", "update")
_DIFFER: Final = ("update", "unknown")
_WIDENED: Final = "widened"
_Keep = Callable[[dict[str, object], int], None]


class Ledger(Protocol):
    """What was taken of each row: ``store/captured.py``. Blocks."""

    def known(self, source: str, rows: Sequence[str]) -> Mapping[str, int]:
        """Give the digests of those of these rows that were taken."""

    def page(self, source: str, after: str, limit: int) -> Sequence[str]:
        """Give rows that were taken, in an order of its own."""

    def add(self, source: str, rows: Mapping[str, int]) -> None:
        """Take rows for captured."""

    def forget(self, source: str, rows: Sequence[str]) -> None:
        """Forget rows."""


class Reconcile:
    """The walk that compares, for ``Walk.run``: first what is there, then what is no longer.

    ``new_columns``: rows are captured too that differ only by columns which were not captured when
    they were taken.
    """

    def __init__(
        self, ground: Ground, ledger: Ledger, mode: Mode, *, new_columns: bool = False
    ) -> None:
        self._ground, self._ledger, self._mode = ground, ledger, mode
        self._new_columns = new_columns
        self._gaps: Sequence[Sequence[int]] = ()
        self.tally = Tally()
        self.seen: set[str] = set()

    def begin(self, connection: Connection, stand: Stand) -> tuple[Chunk, At, int]:
        """Say where to go on. Raises ``LegacyError`` where rows cannot be told apart."""
        chunks = Chunks(self._ground, connection)
        rows = Rows(self._ground, chunks, connection)
        at = stand.at or {
            "phase": _ROWS,
            "after": None,
            "end": chunks.last(connection),
            "epoch": chunks.epoch,
            "gaps": _gaps(connection, self._ground.source),
        }
        if at["epoch"] != chunks.epoch:
            raise moved(self._ground)
        if self._mode != "look":
            drop_held(connection, self._ground.source)
        self._gaps = cast("list[list[int]]", at["gaps"])
        self.tally = msgspec.convert(at.get("tally", {}), Tally)
        total = stand.total or estimate(self._ground, connection)
        wide = self._new_columns
        comparing = _Comparing(self, self._ground, self._ledger, self._mode, chunks, rows, wide)
        return comparing, at, total

    def remember(self, rows: Iterable[str]) -> None:
        """Note rows that are there: they need not be looked for among those that are gone."""
        if len(self.seen) < _MOST_SEEN:
            self.seen.update(rows)

    def finish(self, connection: Connection) -> None:
        """Strike out the gaps that were seen when the walk began: their rows were looked at."""
        if self._mode == "look":
            return
        self.tally.gaps = 0
        for first, last in self._gaps:
            struck = delete(GAPS).where(
                GAPS.c.source == self._ground.source, GAPS.c.id.between(first, last)
            )
            counted = connection.execute(struck, execution_options={"preserve_rowcount": True})
            self.tally.gaps += counted.rowcount


class _Comparing:
    """One chunk: of the rows that are there, or of those that were taken."""

    def __init__(
        self,
        whole: Reconcile,
        ground: Ground,
        ledger: Ledger,
        mode: Mode,
        chunks: Chunks,
        rows: Rows,
        new_columns: bool,
    ) -> None:
        self._new_columns = new_columns
        self._whole, self._ground, self._ledger, self._mode = whole, ground, ledger, mode
        self._chunks, self._rows = chunks, rows
        self._gone = GoneRows(ground, rows, self._known)
        self._deletes = mode == "baseline" or "delete" in ground.capture.operations

    def __call__(
        self, connection: Connection, at: At, size: int, save: Callable[[At, int], None]
    ) -> tuple[At, int] | None:
        # A chunk that is taken once more is counted once.
        tally = msgspec.convert(msgspec.to_builtins(self._whole.tally), Tally)

        def keep(place: dict[str, object], rows: int) -> None:
            place["tally"] = msgspec.to_builtins(tally)
            save(place, rows)

        found = None
        if at["phase"] == _ROWS:
            found = self._compare(connection, dict(at), size, tally, keep)
        if found is None and self._deletes:
            row = str(at.get("row", ""))
            found = self._look_for_gone(connection, {**at, "phase": _GONE}, row, tally, keep)
        self._whole.tally = tally
        return found

    def _compare(
        self, connection: Connection, at: dict[str, object], size: int, tally: Tally, keep: _Keep
    ) -> tuple[At, int] | None:
        end, after = cast("Place | None", at["end"]), cast("Place | None", at["after"])
        found = None if end is None else self._chunks.edge(connection, after, end, size)
        if found is None:
            return None
        edge, count = found
        between = self._chunks.between(after, edge)
        seen = self._rows.between(connection, between)
        self._whole.remember(one.row for one in seen)
        judged = self._judged(connection, seen, between)
        wanted = (*_MISSES, _WIDENED) if self._new_columns else _MISSES
        suspects = [one for one, what in judged if what in wanted]
        tally.chunks += 1
        tally.rows += count
        for _, what in judged:
            if what not in wanted:
                setattr(tally, what, getattr(tally, what) + 1)
        at["after"] = edge
        if self._mode == "look":
            for some in _some(suspects):
                self._settle(connection, some, tally)
            return at, count
        with self._ground.writing(connection):
            for some in _some(suspects):
                self._settle(connection, some, tally)
            keep(at, count)
        return at, count

    def _judged(
        self, connection: Connection, seen: Sequence[Seen], which: ColumnElement[bool]
    ) -> list[tuple[Seen, str]]:
        """Say of rows, which are those of a condition, what they are by what was taken of them."""
        known = self._ledger.known(self._ground.source, [one.row for one in seen])
        judged = {one.row: self._judge(one, known.get(one.row)) for one in seen}
        for former in self._ground.former if self._mode != "baseline" else ():
            # By what was captured then, a row may well be as it was.
            differ = [row for row, what in judged.items() if row in known and what in _DIFFER]
            if not differ:
                break
            before = self._rows.formerly(connection, which, former)
            same = (row for row in differ if before.get(row) == known[row])
            judged |= dict.fromkeys(same, _WIDENED)
        return [(one, judged[one.row]) for one in seen]

    def _judge(self, one: Seen, known: int | None) -> str:
        operations = self._ground.capture.operations
        if known == one.digest:
            return "equal"
        if self._mode == "baseline":
            return "insert" if known is None else "update"
        if known is None:
            return "insert" if "insert" in operations else "unknown"
        if "update" not in operations:
            return "equal"
        # What it was before decides whether the condition took it, and nobody knows that any more.
        return "unknown" if self._ground.capture.when else "update"

    def _settle(self, connection: Connection, suspects: Sequence[Seen], tally: Tally) -> None:
        """Look once more, at rows that now cannot change, and take what was missed indeed."""
        places = [one.place for one in suspects]
        which = self._rows.at(places)
        if self._mode == "look":
            seen = self._rows.between(connection, which)
        else:
            seen = self._rows.locked(connection, places)
        source = self._ground.source
        waiting = keys_waiting(connection, source, {one.key for one in seen})
        missed: list[Seen] = []
        for one, found in self._judged(connection, seen, which):
            what = "pending" if one.key in waiting else found
            if what in _MISSES:
                tally.miss(cast("Miss", what), [one.key])
            else:
                setattr(tally, what, getattr(tally, what) + 1)
            if what in _MISSES or (what == _WIDENED and self._new_columns):
                missed.append(one)
        tally.pending += len(suspects) - len(seen)
        if missed and self._mode == "baseline":
            self._ledger.add(source, {one.row: one.digest for one in missed})
        elif missed and self._mode == "capture":
            at = self._rows.at([one.place for one in missed])
            capture_rows(self._ground, self._chunks, connection, at, "reconcile")

    def _look_for_gone(
        self, connection: Connection, at: dict[str, object], row: str, tally: Tally, keep: _Keep
    ) -> tuple[At, int] | None:
        page = self._ledger.page(self._ground.source, row, _PAGE)
        if not page:
            return None
        unseen = [one for one in page if one not in self._whole.seen]
        some = unseen[:_SOME]
        at["row"] = page[-1] if len(some) == len(unseen) else some[-1]
        absent, stale = self._gone.look(connection, some) if some else ([], [])
        tally.stale += len(stale)
        if stale and self._mode != "look":
            self._ledger.forget(self._ground.source, stale)
        if absent and self._mode == "capture":
            self._gone.capture(connection, absent, tally, lambda: keep(at, 0))
            return at, 0
        if absent:
            gone = [self._rows.gone(connection, one) for one in absent]
            waiting = self._gone.waiting(connection, gone, ())
            found = [one for one in gone if one.row not in waiting]
            tally.pending += len(gone) - len(found)
            tally.miss("delete", [one.key for one in found])
            if self._mode == "baseline":
                self._ledger.forget(self._ground.source, [one.row for one in found])
        if self._mode != "look":
            with self._ground.writing(connection):
                keep(at, 0)
        return at, 0

    def _known(self, rows: Sequence[str]) -> Mapping[str, int]:
        return self._ledger.known(self._ground.source, rows)


def _some(suspects: Sequence[Seen]) -> Iterable[Sequence[Seen]]:
    for start in range(0, len(suspects), _SOME):
        yield suspects[start : start + _SOME]


def _gaps(connection: Connection, source: str) -> list[list[int]]:
    """Give the ranges of the gaps that are there now: those of open transactions are not."""
    query = select(GAPS.c.id).where(GAPS.c.source == source).order_by(GAPS.c.id)
    ranges: list[list[int]] = []
    for number in connection.execute(query).scalars():
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
