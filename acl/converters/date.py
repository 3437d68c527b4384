"""Days, in the pattern that legacy writes them in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from ...ports import Converter
from .traits import Codes, Traits, refuse_arguments

__all__ = ["date"]

_PARTS = {"YYYY": "(?P<y>[0-9]{4})", "MM": "(?P<m>[0-9]{2})", "DD": "(?P<d>[0-9]{2})"}


class _Date:
    def __init__(self, pattern: str) -> None:
        pieces = re.split("(YYYY|MM|DD)", pattern)
        self._pattern = re.compile("".join(_PARTS.get(p) or re.escape(p) for p in pieces))
        form = pattern.replace("{", "{{").replace("}", "}}")
        form = form.replace("YYYY", "{0:04d}").replace("MM", "{1:02d}").replace("DD", "{2:02d}")
        self._form = form
        self._expected = f"a day of the calendar as {pattern}"
        self.traits = Traits(type="date")

    def decode(self, text: str) -> dt.date:
        found = self._pattern.fullmatch(text)
        if found is None:
            raise ValueError(self._expected)
        year, month, day = found.group("y", "m", "d")
        try:
            return dt.date(int(year), int(month), int(day))
        except ValueError:
            raise ValueError(self._expected) from None

    def encode(self, value: object) -> str:
        if type(value) is not dt.date:
            raise ValueError("a date")
        return self._form.format(value.year, value.month, value.day)


def date(arguments: Sequence[str], codes: Codes) -> Converter:
    """``date(YYYYMMDD)``, ``date(YYYY-MM-DD)``, ``date(DD.MM.YYYY)``: any order and dividers."""
    del codes
    pattern = arguments[0] if arguments else ""
    if any(pattern.count(part) != 1 for part in _PARTS) or re.search(
        r"[A-Za-z0-9]", re.sub("YYYY|MM|DD", "", pattern)
    ):
        raise ValueError("a pattern of YYYY, MM and DD, each once, such as YYYYMMDD")
    refuse_arguments(arguments[1:], "one pattern")
    return _Date(pattern)
