"""Units that are exact multiples of each other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

__all__ = ["FACTORS", "factor_of", "read_factor"]

_FACTOR: Final = re.compile(
    r"(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?)(?:/(?P<by>[1-9][0-9]{0,19}))?"
)


def _by(**factors: str) -> Mapping[str, Fraction]:
    return {name: Fraction(factor) for name, factor in factors.items()}


FACTORS: Final[Mapping[str, Mapping[str, Fraction]]] = {
    # The international yard and pound are exact since 1959.
    "length": _by(
        um="0.000001", mm="0.001", cm="0.01", dm="0.1", m="1", km="1000",
        inch="0.0254", ft="0.3048", yd="0.9144", mi="1609.344", nmi="1852",
    ),
    "area": _by(mm2="0.000001", cm2="0.0001", m2="1", a="100", ha="10000", km2="1000000"),
    "volume": _by(ml="0.001", cl="0.01", dl="0.1", l="1", hl="100", m3="1000"),
    "mass": _by(
        mg="0.000001", g="0.001", kg="1", dt="100", t="1000",
        oz="0.028349523125", lb="0.45359237",
    ),
    "time": _by(
        milliseconds="0.001", seconds="1", minutes="60", hours="3600", days="86400", weeks="604800"
    ),
    "share": _by(ratio="1", percent="0.01", permille="0.001", bp="0.0001"),
    "data": _by(
        byte="1", kB="1000", MB="1000000", GB="1000000000",
        KiB="1024", MiB="1048576", GiB="1073741824",
    ),
    "energy": _by(Wh="1", kWh="1000", MWh="1000000"),
    "power": _by(W="1", kW="1000", MW="1000000"),
}  # fmt: skip
"""By what they measure, in multiples of one of them."""

# Money: parts of one currency; there is no factor between two. ISO 4217 gives the digits.
_CENTS: Final = frozenset(
    ("AUD", "BRL", "CAD", "CNY", "EUR", "HKD", "INR", "MXN", "NZD", "SGD", "USD", "ZAR")
)
_MINOR: Final[Mapping[str, frozenset[str]]] = {
    "cent": _CENTS,
    "penny": frozenset(("GBP",)),
    "rappen": frozenset(("CHF",)),
    "ore": frozenset(("DKK", "NOK", "SEK")),
    "grosz": frozenset(("PLN",)),
    "haler": frozenset(("CZK",)),
    "filler": frozenset(("HUF",)),
}


def factor_of(legacy: str, ours: str) -> Fraction:
    """Give what a number of legacy's unit is multiplied by. Raises ``ValueError``."""
    for one, other, factor in ((legacy, ours, Fraction(1, 100)), (ours, legacy, Fraction(100))):
        if other in _MINOR.get(one, ()):
            return factor
    for units in FACTORS.values():
        if legacy in units and ours in units:
            return units[legacy] / units[ours]
    known = [*(name for units in FACTORS.values() for name in units), *_MINOR]
    known += sorted(currency for currencies in _MINOR.values() for currency in currencies)
    for name in (legacy, ours):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"two units of: {', '.join(known)}; or factor=N{hint}")
    raise ValueError(f"two units of one kind: there is no factor between {legacy} and {ours}")


def read_factor(text: str) -> Fraction:
    """Read ``0.01`` or ``1/60``. Raises ``ValueError``."""
    found = _FACTOR.fullmatch(text)
    factor = Fraction(found["number"]) / int(found["by"] or 1) if found else Fraction(0)
    if not factor:
        raise ValueError("factor=N with a number above 0, such as 0.01 or 1/60")
    return factor
