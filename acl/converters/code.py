"""Code tables: a short word of the legacy system for each of ours."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ...ports import Converter
from .traits import Codes, Traits, refuse_arguments

__all__ = ["code"]


class _Code:
    def __init__(self, name: str, table: Mapping[str, str]) -> None:
        self._name = name
        self._decoded = dict(table)
        # Of several codes for one value the first is written: the loader refuses such tables where
        # that would lose something.
        self._encoded = {value: key for key, value in reversed(list(table.items()))}
        self.traits = Traits(
            type="text",
            decoding=self._decoded.__getitem__,
            encoding=self._encoded.__getitem__,  # type: ignore[arg-type]
            table=name,
            codes=tuple(table),
            values=tuple(table.values()),
        )

    def decode(self, text: str) -> str:
        found = self._decoded.get(text)
        if found is None:
            raise ValueError(f"a code of table {self._name}{_known(text, self._decoded)}")
        return found

    def encode(self, value: object) -> str:
        found = self._encoded.get(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"a value of table {self._name}{_known(value, self._encoded)}")
        return found


def _known(value: object, table: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(str(value)[:80], table, n=1)
    if close:
        return f" (did you mean {close[0]}?)"
    return " (" + ", ".join(list(table)[:12]) + (", …)" if len(table) > 12 else ")")


def code(arguments: Sequence[str], codes: Codes) -> Converter:
    """``code(TABLE)``: the table stands under ``[codes]``, legacy code to canonical value."""
    if not arguments:
        raise ValueError("the name of a table under [codes]")
    name = arguments[0]
    refuse_arguments(arguments[1:], "one table")
    table = codes.get(name)
    if table is None:
        close = difflib.get_close_matches(name, codes, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"a table under [codes]: {', '.join(codes) or 'there is none'}{hint}")
    return _Code(name, table)
