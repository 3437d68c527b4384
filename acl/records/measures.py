"""How long a record is, as its copybook says: by a field of it, or by the counts of its tables."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import ConfigError, InputError
from ..copybook.codec.elementary import elementary
from ..copybook.codec.options import CodecOptions
from ..copybook.copybook import Copybook
from ..copybook.item import Item
from ..copybook.lookup import find
from .measured import Measure

__all__ = ["by_counts", "by_field"]


def by_field(copybook: Copybook, options: CodecOptions, name: str, adjust: int = 0) -> Measure:
    """Measure records by the field of that name or path, which holds their length in bytes.

    ``adjust`` is added to what it holds. Raises ``ConfigError`` where no field stands always at
    the same place under that name.
    """
    return _ByField(_field(copybook, name), options, adjust)


def by_counts(copybook: Copybook, options: CodecOptions) -> Measure | None:
    """Measure records whose tables are as long as their counts say (``occurs = "shift"``).

    None where every record is of one length. Raises ``ConfigError`` where several 01 levels
    leave open which of them a record is.
    """
    if options.occurs != "shift" or not any(_counted(item) for item in copybook.walk()):
        return None
    if len(copybook.records) != 1:
        raise ConfigError(
            "a record's length cannot be told where the copybook has several 01 levels",
            place=copybook.file,
            value=", ".join(record.name for record in copybook.records),
            expected="one 01 level",
            remedy="name the record format (--records), or make a copybook of each record",
        )
    return _ByCounts(copybook.records[0], options)


class _ByField:
    def __init__(self, item: Item, options: CodecOptions, adjust: int) -> None:
        self._count = _count(item, options)
        self._start = item.offset
        self._adjust = adjust
        self.need = item.offset + item.size

    def __call__(self, found: bytes) -> int:
        return self._count(found[self._start : self.need]) + self._adjust


class _ByCounts:
    """Walks over a record's items; what has one length always is stepped over."""

    def __init__(self, record: Item, options: CodecOptions) -> None:
        self._record = record
        self.need = record.size
        counting = {item.occurs.depending for item in record.walk() if item.occurs}
        self._counts = {
            item.path: _count(item, options) for item in record.walk() if item.path in counting
        }
        self._moving = {
            item.path
            for item in record.walk()
            if any(_counted(one) or one.path in self._counts for one in item.walk())
        }

    def __call__(self, found: bytes) -> int:
        return self._end(self._record, found, 0, {})

    def _end(self, item: Item, found: bytes, at: int, counts: dict[str, int]) -> int:
        """Give where one occurrence of an item ends that begins at ``at``."""
        if item.path in self._counts:
            counts[item.path] = self._counts[item.path](found[at : at + item.size])
        if item.path not in self._moving or not item.children:
            return at + item.size
        begun: dict[str, int] = {}
        end = at
        for child in item.children:
            start = begun.get(child.redefines, end)
            begun[child.path] = start
            end = max(end, self._all(child, found, start, counts))
        return end

    def _all(self, item: Item, found: bytes, at: int, counts: dict[str, int]) -> int:
        """Give where all occurrences of an item end."""
        table = item.occurs
        if table is None:
            return self._end(item, found, at, counts)
        times = counts.get(table.depending, table.most) if table.depending else table.most
        if not table.least <= times <= table.most:
            raise InputError(
                "a table cannot have that many entries",
                place=table.depending,
                value=str(times),
                expected=f"{table.least} to {table.most}",
            )
        if not any(one.path in self._moving for one in item.children):
            return at + times * item.size
        for _ in range(times):
            at = self._end(item, found, at, counts)
            if at > len(found):
                raise InputError(f"the file ends inside the record, in {item.path}")
        return at


def _counted(item: Item) -> bool:
    return item.occurs is not None and bool(item.occurs.depending)


def _count(item: Item, options: CodecOptions) -> Callable[[bytes], int]:
    by_name = options.encodings.get(item.path) or options.encodings.get(item.name) or ""
    leaf = elementary(item, options, by_name)

    def count(raw: bytes) -> int:
        try:
            if len(raw) == leaf.size:
                return int(leaf.read(raw))
        except (ValueError, ArithmeticError):
            pass
        raise InputError(
            "no number says how long the record is",
            place=item.path,
            value=raw.hex(" ").upper(),
            expected=f"a whole number in {leaf.size} bytes",
        )

    return count


def _field(copybook: Copybook, name: str) -> Item:
    item = find(copybook, name)
    above = (table for table in copybook.walk() if table.occurs)
    if item.children or any(item in table.walk() for table in above):
        raise ConfigError(
            "this cannot hold the length of a record",
            place=f"{copybook.file}: length field",
            value=item.path,
            expected="one field, in no table",
        )
    return item
