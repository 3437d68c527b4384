"""Code tables: a short word of the legacy system for each of ours."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .codes import CodeTable
from .traits import Codes, Traits

__all__ = ["code"]

_MOST: Final = 1000


class _Code:
    def __init__(
        self, name: str, table: Mapping[str, str], preferred: frozenset[str], *, passes: bool
    ) -> None:
        self._name = name
        self._decoded = dict(table)
        # Of several codes for one value the first is written: the loader refuses such tables where
        # nobody said which one is preferred.
        self._encoded = {value: key for key, value in reversed(list(table.items()))}
        self._encoded |= {table[one]: one for one in preferred}
        self._passes = passes
        self._passed: dict[str, int] = {}
        self._lock = threading.Lock()
        self.traits = Traits(
            type="text",
            decoding=None if passes else self._decoded.__getitem__,
            encoding=None if passes else self._encoded.__getitem__,  # type: ignore[arg-type]
            inline=None if passes else self._inline,
            inline_encode=None if passes else self._inline_encode,
            table=name,
            codes=tuple(table),
            values=tuple(table.values()),
            settled=_settled(table, preferred),
            passed=(lambda: dict(self._passed)) if passes else None,
        )

    def decode(self, text: str) -> str:
        found = self._decoded.get(text)
        if found is None and self._passes and text not in self._encoded:
            self._count(text)
            return text
        if found is None:
            raise ValueError(f"a code of table {self._name}{_known(text, self._decoded)}")
        return found

    def encode(self, value: object) -> str:
        found = self._encoded.get(value) if isinstance(value, str) else None
        if found is None and self._passes and isinstance(value, str) and value not in self._decoded:
            return value
        if found is None:
            raise ValueError(f"a value of table {self._name}{_known(value, self._encoded)}")
        return found

    def _count(self, text: str) -> None:
        with self._lock:
            # They come from outside: they must not fill the memory.
            room = text in self._passed or len(self._passed) < _MOST
            key = text[:80] if room else "…"
            self._passed[key] = self._passed.get(key, 0) + 1

    def _inline(self, function: Function, name: str) -> str:
        return f"{function.constant(self._decoded)}[{name}]"

    def _inline_encode(self, function: Function, name: str) -> str:
        return f"{function.constant(self._encoded)}[{name}]"


def _known(value: object, table: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(str(value)[:80], table, n=1)
    if close:
        return f" (did you mean {close[0]}?)"
    return " (" + ", ".join(list(table)[:12]) + (", …)" if len(table) > 12 else ")")


def _settled(table: Mapping[str, str], preferred: frozenset[str]) -> bool:
    """Say whether each value has one code, or one that is preferred."""
    values = list(table.values())
    said = {table[one] for one in preferred}
    return all(value in said or values.count(value) == 1 for value in set(values))


def code(arguments: Sequence[str], codes: Codes) -> Converter:
    """``code(TABLE)``: the table stands under ``[codes]``, legacy code to canonical value.

    ``preferred=CODE`` (or the table's file) says which of several codes for one value is written.
    ``code(TABLE, pass)`` lets a code through that is not in the table, as it is, and counts it.
    """
    left = Arguments(arguments, "one table, then preferred=CODE or pass")
    name = left.first()
    if not name:
        raise ValueError("the name of a table under [codes]")
    table = codes.get(name)
    if table is None:
        close = difflib.get_close_matches(name, codes, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"a table under [codes]: {', '.join(codes) or 'there is none'}{hint}")
    preferred = set(table.preferred if isinstance(table, CodeTable) else ())
    while (one := left.value("preferred")) is not None:
        preferred.add(one)
    passes = left.flag("pass")
    left.done()
    unknown = sorted(preferred - table.keys())
    meant = [table[one] for one in preferred & table.keys()]
    if unknown or len(set(meant)) != len(meant):
        raise ValueError(f"preferred= with a code of {name}, one for a value")
    return _Code(name, table, frozenset(preferred), passes=passes)
