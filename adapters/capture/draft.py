"""An installation that is only written down: for databases that no driver of ours connects to.

``TableSource`` has one in place of an ``Installation`` where its URL is of SQL Server or Oracle.
The table is not looked at, so the options say what it is, with its key: ``shape = {ID = "int",
name = "nvarchar(50)"}``. Whoever owns the database reviews the script and runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, NoReturn, Protocol

from ...errors import ConfigError, LegacyError
from .dialect import Capture, Operation, Piece, Shape
from .oracle.dialect import OracleCapture
from .sqlserver.dialect import SqlServerCapture

__all__ = ["DRAFTS", "Draft", "Draftable"]


class Draftable(Protocol):
    """The part of a ``Dialect`` that needs no connection. ``separator`` stands after each batch.

    ``notes`` say what the owner must know; ``session`` is to be set first; ``claim`` is the
    statement with which events are leased there.
    """

    title: str
    operations: frozenset[Operation]
    separator: str
    session: Sequence[str]
    notes: Sequence[str]
    claim: str

    def shared(self) -> Sequence[Piece]:
        """As ``Dialect.shared``."""

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """As ``Dialect.pieces``."""

    def when(self, text: str, shape: Shape) -> str:
        """As ``Dialect.when``."""


DRAFTS: Final[Mapping[str, Callable[[], Draftable]]] = {
    "mssql": SqlServerCapture,
    "oracle": OracleCapture,
}
"""By SQLAlchemy's name of the database, ``URL.get_backend_name()``."""


class Draft:
    """What would be installed, as text. Pure; only ``apply``, ``undo`` and ``check`` always raise.

    ``shape`` gives each column's type in the database's own words, in the table's order.
    Raises ``ConfigError`` for options that do not fit together.
    """

    def __init__(
        self,
        backend: str,
        *,
        source: str,
        place: str,
        table: str,
        shape: Mapping[str, str],
        columns: Sequence[str] = (),
        key: Sequence[str] = (),
        operations: Sequence[Operation] = ("insert",),
        when: str = "",
        large: int = 65_536,
        schema: str = "",
    ) -> None:
        self._dialect = DRAFTS[backend]()
        self._source, self._place = source, place
        if not shape:
            raise ConfigError(
                f"what is captured on {self._dialect.title} must be described",
                place=f"{place}.shape",
                expected='each column of the table, such as shape = {ID = "int"}, and key',
            )
        self._known(shape, (*columns, *key))
        self._can(operations)
        whole = Shape(
            table=table,
            columns=tuple((name, shape[name]) for name in columns or shape),
            key=tuple(key),
            all_columns=tuple(shape),
            schema=schema,
        )
        try:
            self._capture = Capture(
                source=source,
                shape=whole,
                operations=tuple(operations),
                when=when and self._dialect.when(when, whole),
                large=large,
            )
            self._pieces = [*self._dialect.shared(), *self._dialect.pieces(self._capture)]
        except ValueError as error:
            raise ConfigError(str(error), place=place) from error

    def plan(self) -> list[str]:
        """Give the statements that put it in, each a batch of its own."""
        return [piece.create for piece in self._pieces]

    def removal(self) -> list[str]:
        """Give the statements that take it out, the last one first."""
        return [piece.drop for piece in reversed(self._pieces)]

    def script(self, action: Literal["install", "undo", "remove"]) -> str:
        """Write them down with what whoever owns the database must know."""
        return "\n".join(self._lines(action)) + "\n"

    def apply(self) -> NoReturn:
        """Raise ``LegacyError``: it is run by the owner of the database."""
        self._refuse("installed")

    def undo(self, *, discard: bool) -> NoReturn:  # noqa: ARG002 as an Installation's
        """Raise ``LegacyError``: it is run by the owner of the database."""
        self._refuse("removed")

    def check(self) -> NoReturn:
        """Raise ``LegacyError``: nothing is delivered from there."""
        self._refuse("read")

    def _lines(self, action: str) -> Iterator[str]:
        yield f"-- fig adapter {action} {self._source}: {self._place}"
        yield f"-- For {self._dialect.title}. Not run here by anybody: review it, try it on a copy."
        yield from (f"-- {note}" for note in self._dialect.notes)
        yield ""
        yield from self._dialect.session
        for statement in self.plan() if action == "install" else self.removal():
            yield from (self._ended(statement), self._dialect.separator, "")

    def _ended(self, statement: str) -> str:
        # A slash runs what stands before it, once: an SQL statement has no semicolon then.
        if self._dialect.separator == "/" or statement.endswith("END"):
            return statement
        return f"{statement};"

    def _known(self, shape: Mapping[str, str], names: Sequence[str]) -> None:
        for name in names:
            if name not in shape:
                raise ConfigError(
                    "no such column",
                    place=f"{self._place}.shape",
                    value=repr(name),
                    expected=f"one of {', '.join(shape)}",
                )

    def _can(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            if operation not in self._dialect.operations:
                raise ConfigError(
                    "fires no trigger there",
                    place=f"{self._place}.operations",
                    value=operation,
                    expected=f"some of {', '.join(sorted(self._dialect.operations))}",
                )

    def _refuse(self, done: str) -> NoReturn:
        raise LegacyError(
            f"capture on {self._dialect.title} is not {done} from here",
            place=self._place,
            remedy="print the script with --dry-run; whoever owns the database runs it",
        )
