"""A table as a source, which says that it has drifted while the file ``drift`` is there.

It is no test: workspaces of these tests name it, as ``py:MODULE:Drifting``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import SchemaDrift
from stranglerfig.model import Delivery


class Drifting(TableSource):
    """Looks for the file when it opens, and whenever it is asked."""

    def __init__(self, *, name: str, options: Mapping[str, object], place: str, root: Path) -> None:
        super().__init__(name=name, options=options, place=place, root=root)
        self._file = root / "drift"

    async def open(self) -> None:
        self._look()
        await super().open()

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        self._look()
        return await super().receive(limit, timeout)

    def _look(self) -> None:
        if self._file.exists():
            with self._file.open("a") as file:
                file.write("looked\n")
            raise SchemaDrift("the table has another column", place=self.name, value="colour")
