"""From a codec to columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...errors import ConfigError
from ..copybook.codec.codec import Codec
from ..copybook.codec.codepage import CodePage, code_page
from ..copybook.codec.node import Node as Item
from ..copybook.codec.node import Slot
from ..copybook.codec.zoned import OVERPUNCHED, zones
from ..copybook.lookup import find
from .block import Block, Place
from .columns import Columns
from .doubt import as_bytes
from .field import Settings, column
from .number import Longs, Zones
from .text import Letters
from .tree import Node, group, table

__all__ = ["columns"]

_NO_DIGIT: Final = 255


def columns(codec: Codec) -> Columns:
    """Compile the columns of a copybook whose records all have one length.

    Values and nulls are those of the codec's rows. Raises ``ConfigError`` where records vary in
    length, or a rule asks for a field of a table.
    """
    tree, options = codec.tree, codec.options
    if options.occurs != "max" and any(node.variable for node in tree.walk()):
        raise ConfigError(
            "records of different lengths have no columns",
            place=codec.copybook.file,
            value=f"occurs = {options.occurs!r}",
            expected='occurs = "max", where DEPENDING ON leaves the room free',
            remedy="decode such files by rows",
        )
    compiler = _Compiler(codec)
    return Columns(compiler.nodes(tree.slots, 0, ()), tree.size)


class _Compiler:
    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._encodings = {
            find(codec.copybook, name).path: encoding
            for name, encoding in codec.options.encodings.items()
        }
        self._letters: dict[CodePage, Letters] = {}
        self._zones: dict[CodePage, Zones] = {}

    def nodes(
        self, slots: Sequence[Slot], start: int, tables: tuple[tuple[int, int], ...]
    ) -> list[Node]:
        found = []
        for slot in slots:
            for item in slot.nodes:
                if item.shown:
                    made = self._node(item, start + slot.at, tables)
                    found.append(self._ruled(item, made))
        return found

    def _node(self, item: Item, at: int, tables: tuple[tuple[int, int], ...]) -> Node:
        occurs = item.item.occurs
        if occurs:
            tables = (*tables, (occurs.most, item.size))
        if item.leaf is not None:
            made = column(item.item, Place(at, item.size, tables), self._one(item), self._set(item))
            node = Node(item.key, made.kind, made.make)
        else:
            node = group(item.key, self.nodes(item.slots, at, tables))
        if occurs is None:
            return node
        return table(node, occurs.most, None if item.counter is None else self._count(item))

    def _one(self, item: Item) -> Callable[[bytes], object]:
        return self._codec.reader(item.path)

    def _set(self, item: Item) -> Settings:
        options = self._codec.options
        encoding = self._encodings.get(item.path, options.encoding)
        hexadecimal = encoding == "hex"
        page = code_page(
            options.encoding if hexadecimal else encoding, controls=options.controls == "space"
        )
        return Settings(
            letters=self._letters_of(page),
            zones=self._zones_of(page),
            trim=options.trim,
            little=options.endian == "little",
            hexadecimal=hexadecimal,
            zeros=item.policies.zero != "zero",
        )

    def _letters_of(self, page: CodePage) -> Letters | None:
        if not page.single:
            return None
        if page not in self._letters:
            self._letters[page] = Letters(page.table)
        return self._letters[page]

    def _zones_of(self, page: CodePage) -> Zones | None:
        if not page.numeric:
            return None
        if page not in self._zones:
            self._zones[page] = _zones(page)
        return self._zones[page]

    def _count(self, item: Item) -> Callable[[Block], Longs]:
        counter, occurs = item.counter, item.item.occurs
        assert counter is not None  # noqa: S101 - the caller asked
        assert occurs is not None  # noqa: S101 - as above
        if any(above.item.occurs for above in _above(counter)):
            raise self._unknown(item, "DEPENDING ON a field that stands in a table")
        one = self._one(counter)
        made = column(
            counter.item, Place(counter.item.offset, counter.size), one, self._set(counter)
        )

        def count(block: Block) -> Longs:
            found = pc.cast(made.make(block), pa.int64(), safe=False)
            values = pc.fill_null(found, occurs.most).to_numpy(zero_copy_only=False)
            # What the counter cannot mean leaves the table as long as it can be: as rows do.
            wrong = (values < occurs.least) | (values > occurs.most)
            return np.where(wrong, occurs.most, values).astype(np.int64)

        return count

    def _ruled(self, item: Item, node: Node) -> Node:
        rule = item.rule
        if rule is None:
            return node
        by_path = self._codec.tree.by_path
        asked = [by_path[path] for path in dict.fromkeys(rule.fields())]
        if any(above.item.occurs for one in (item, *asked) for above in _above(one)):
            raise self._unknown(item, "a rule inside of a table")
        readers = [(one.path, Place(one.item.offset, one.size), self._one(one)) for one in asked]

        def make(block: Block) -> pa.Array:
            known: dict[bytes, bool] = {}
            holds = np.zeros(block.count, dtype=np.bool_)
            joined = np.concatenate([block.rows(place) for _, place, _ in readers], axis=1)
            for number, key in enumerate(as_bytes(joined)):
                if key not in known:
                    known[key] = _holds(rule.holds, readers, key)
                holds[number] = known[key]
            return _masked(node.make(block), holds)

        return Node(node.name, node.kind, make)

    def _unknown(self, item: Item, message: str) -> ConfigError:
        return ConfigError(
            message, place=item.path, expected="a field outside of tables", remedy="decode by rows"
        )


def _holds(
    holds: Callable[[Callable[[str], object]], bool],
    readers: Sequence[tuple[str, Place, Callable[[bytes], object]]],
    raw: bytes,
) -> bool:
    values: dict[str, object] = {}
    start = 0
    for path, place, one in readers:
        values[path] = one(raw[start : start + place.width])
        start += place.width
    return holds(values.__getitem__)


def _masked(array: pa.Array, holds: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pa.Array:
    if holds.all():
        return array
    places = pa.array(np.where(holds, np.arange(len(holds)), -1))
    return array.take(pc.if_else(pc.less(places, 0), None, places))


def _above(item: Item | None) -> list[Item]:
    found = []
    while item is not None:
        found.append(item)
        item = item.parent
    return found


def _zones(page: CodePage) -> Zones:
    seen = zones(page).decode("latin-1")
    units = bytearray([_NO_DIGIT] * 256)
    punched = bytearray(units)
    below = np.zeros(256, dtype=np.bool_)
    for byte, letter in enumerate(seen):
        if letter in OVERPUNCHED:
            sign, digit = OVERPUNCHED[letter]
            punched[byte] = int(digit)
            below[byte] = sign == "-"
            if letter.isdigit():
                units[byte] = int(letter)
    return Zones(bytes(units), bytes(punched), below, seen.index("p"), seen.index("m"))
