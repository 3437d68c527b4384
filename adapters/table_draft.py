"""``adapter = "tables"`` by its address: a source that runs, or a script for a database's owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ..config import options as checked
from .capture.dialect import Operation
from .capture.draft import DRAFTS, Draft
from .capture.options import url_of
from .tables import TableSource

__all__ = ["DraftOptions", "TableDraft", "tables"]


class DraftOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]`` with ``adapter = "tables"`` and a ``url`` of SQL Server or Oracle.

    ``shape`` gives the table's columns with their types in the database's own words, for nothing
    connects to look: ``shape = {ID = "int", name = "nvarchar(50)"}``. The rest is as for the
    databases that are run (``Options`` of ``capture/options.py``), but ``key`` has no default.
    """

    url: str
    table: str
    shape: dict[str, str] = {}
    schema: str = ""
    columns: tuple[str, ...] = ()
    key: str | tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ("insert",)
    when: str = ""
    large: int = 65_536


class TableDraft:
    """What capture would put into a database that no driver of ours connects to, as text.

    Built by ``tables``; ``fig adapter install NAME --dry-run`` prints it. Raises ``ConfigError``
    for wrong options.
    """

    def __init__(self, *, name: str, options: Mapping[str, object], place: str) -> None:
        chosen = checked(DraftOptions, options, place)
        self.name = name
        self._draft = Draft(
            url_of(chosen.url, place).get_backend_name(),
            source=name,
            place=place,
            table=chosen.table,
            shape=chosen.shape,
            columns=chosen.columns,
            key=(chosen.key,) if isinstance(chosen.key, str) else chosen.key,
            operations=chosen.operations,
            when=chosen.when,
            large=chosen.large,
            schema=chosen.schema,
        )

    def install_plan(self) -> Sequence[str]:
        """Give the statements that put it in."""
        return self._draft.plan()

    def remove_plan(self) -> Sequence[str]:
        """Give the statements that take it out."""
        return self._draft.removal()

    def install(self) -> None:
        """Raise ``LegacyError``: the owner of the database runs the script."""
        self._draft.apply()

    def remove(self, *, discard: bool = False) -> None:
        """Raise ``LegacyError``: the owner of the database runs the script."""
        self._draft.undo(discard=discard)

    def script(self, action: Literal["install", "undo", "remove"]) -> str:
        """Write it down with what the owner must know."""
        return self._draft.script(action)

    def installed(self) -> Sequence[Mapping[str, str | float]]:
        """Raise ``LegacyError``: nothing is read from there."""
        self._draft.check()


def tables(
    *, name: str, options: Mapping[str, object], place: str, root: Path
) -> TableSource | TableDraft:
    """Build what the address asks for. Registered as the adapter ``tables``."""
    url = options.get("url")
    if isinstance(url, str) and url_of(url, place).get_backend_name() in DRAFTS:
        return TableDraft(name=name, options=options, place=place)
    return TableSource(name=name, options=options, place=place, root=root)
