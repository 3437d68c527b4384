"""What the triggers caught of a canary row, apart from what others write meanwhile."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Table, func, literal_column, select
from sqlalchemy.engine import Connection

from ...model import Finding
from .canary import Canary
from .dialect import Capture, Dialect, Operation
from .events import EVENTS, GAPS
from .savepoint import NoRow

__all__ = ["Witness"]


class Witness:
    """Sees what the triggers caught of the canary, apart from what others write meanwhile."""

    def __init__(
        self, connection: Connection, dialect: Dialect, capture: Capture, canary: Canary
    ) -> None:
        self._connection, self._dialect = connection, dialect
        self._capture, self._canary = capture, canary
        self._events = self._gaps = 0
        self.mark()

    def mark(self) -> None:
        """Forget what was seen so far."""
        self._events, self._gaps = self._newest(EVENTS), self._newest(GAPS)

    def row(self) -> tuple[str, str]:
        """Give key and image of the canary as the triggers should write them."""
        shape = self._capture.shape
        key = self._dialect.row_key(shape, "fig_c")
        image = self._dialect.row_image(shape, "fig_c", self._capture.large)
        there = self._canary.table.alias("fig_c")
        where = self._canary.row.found_in(there)
        both: tuple[ColumnElement[str], ...] = (literal_column(key), literal_column(image))
        wanted = select(*both).select_from(there).where(where)
        found = self._connection.execute(wanted).first()
        if found is None:
            raise NoRow("a trigger of legacy's own, or a rule, puts the row elsewhere")
        return str(found[0]), str(found[1])

    def finding(self, operation: Operation, row: tuple[str, str]) -> Finding:
        """Say whether the trigger of an operation has caught the row."""
        check = f"fires: {operation}"
        images = self._caught(operation, row[0])
        if any(self._same(image, row[1]) for image in images):
            return Finding(check=check, state="ok", says="a canary row was caught, and rolled back")
        if images:
            says = "an event came, and its image is not that of the row"
            remedy = f"run 'fig adapter install {self._capture.source}'"
            return Finding(check=check, state="fail", says=says, remedy=remedy)
        return self._silence(check)

    def _silence(self, check: str) -> Finding:
        reason = select(GAPS.c.reason).where(
            GAPS.c.id > self._gaps, GAPS.c.source == self._capture.source
        )
        said = self._connection.execute(reason.order_by(GAPS.c.id.desc()).limit(1)).scalar()
        if said is not None:
            source = self._capture.source
            remedy = f"mend that; then run 'fig adapter reconcile {source}' for what was missed"
            says = f"the trigger fires and cannot write: {said}"
            return Finding(check=check, state="fail", says=says, remedy=remedy)
        if self._capture.when:
            return Finding(
                check=check,
                state="warn",
                says="nothing was caught: the condition does not hold for the canary row",
                remedy="give it values for which it holds: canary = { COLUMN = … } in fig.toml",
            )
        return Finding(
            check=check,
            state="fail",
            says="nothing was caught",
            remedy=f"run 'fig adapter install {self._capture.source}', then 'reconcile'",
        )

    def _caught(self, operation: Operation, key: str) -> list[str]:
        image: Column[str] = EVENTS.c.before if operation == "delete" else EVENTS.c.after
        wanted = select(image).where(
            EVENTS.c.id > self._events,
            EVENTS.c.source == self._capture.source,
            EVENTS.c.op == operation,
            EVENTS.c.key == key,
        )
        return [text or "" for text in self._connection.execute(wanted).scalars()]

    def _same(self, image: str, wanted: str) -> bool:
        if image == wanted:
            return True
        try:
            ours, theirs = self._dialect.image(image), self._dialect.image(wanted)
        except ValueError:
            return False
        small = [name for name, value in ours.values.items() if not isinstance(value, int)]
        return list(ours.values) == list(theirs.values) and all(
            ours.values[name] == theirs.values[name] for name in small
        )

    def _newest(self, table: Table) -> int:
        return self._connection.execute(select(func.max(table.c.id))).scalar() or 0
