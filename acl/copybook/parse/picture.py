"""PICTURE: what its symbols say about an item."""

from __future__ import annotations

import re

from ..item import Category, Picture
from .limits import MAX_DIGITS, MAX_PICTURE, MAX_RECORD

__all__ = ["CURRENCIES", "parse_picture"]

CURRENCIES = "$€£¥¤"
"""Characters taken for the currency sign, beside those that are given."""

_PART = re.compile(r"(CR|DB|\D)(?:\((\d+)\))?|(9)(?:\((\d+)\))?|([0-8])(?:\((\d+)\))?", re.DOTALL)
_COUNT_DIGITS = 9
_NUMERIC = set("9SVP")
_EDITED = set("9VPZ*+-CD,./B0$")
_TEXT = set("XA9B0/")


def parse_picture(text: str, *, comma: bool = False, currency: str = "") -> Picture:
    """Read a picture. Raises ``ValueError`` that says what is wrong with it.

    ``comma``: DECIMAL-POINT IS COMMA, which swaps what ``.`` and ``,`` mean. In ``symbols`` a
    currency sign stands as ``$`` and the decimal point as ``.``, so that nobody behind has to ask.
    """
    if len(text) > MAX_PICTURE:
        raise ValueError(f"it is written with more than {MAX_PICTURE} characters")
    runs = _runs(text, comma=comma, currency=currency)
    symbols = "".join(symbol * count for symbol, count in runs)
    kinds = {symbol[0] for symbol, _ in runs}
    if kinds <= _NUMERIC:
        return _number(text, symbols, "numeric")
    if kinds & set("XA"):
        return _alphanumeric(text, symbols, kinds)
    if kinds & set("NGU"):
        return _national(text, symbols, kinds)
    if "E" in kinds:
        return _floating(text, symbols)
    if kinds <= _EDITED | {"S"}:
        return _number(text, symbols, "numeric-edited")
    raise ValueError(f"the symbols {' '.join(sorted(kinds))} do not go together")


def _runs(text: str, *, comma: bool, currency: str) -> list[tuple[str, int]]:
    """Split a picture into symbols and how often each is repeated."""
    runs: list[tuple[str, int]] = []
    upper = text.upper()
    at = total = 0
    while at < len(upper):
        found = _PART.match(upper, at)
        if found is None:
            raise ValueError(f"{text[at : at + 10]!r} cannot be read")
        symbol = found[1] or found[3] or found[5]
        repeat = found[2] or found[4] or found[6]
        if repeat and len(repeat.lstrip("0")) > _COUNT_DIGITS:
            raise ValueError(f"it is repeated {repeat[:20]} times; at most {MAX_RECORD} are taken")
        count = int(repeat) if repeat else 1
        if count < 1:
            raise ValueError(f"{symbol} is repeated no times")
        total += count
        if total > MAX_RECORD:
            raise ValueError(f"it has {total} characters; at most {MAX_RECORD} are taken")
        runs.append((_meaning(symbol, comma=comma, currency=currency), count))
        at = found.end()
    if not runs:
        raise ValueError("it has no symbols")
    return runs


def _meaning(symbol: str, *, comma: bool, currency: str) -> str:
    """Give the symbol that stands for this one in this copybook."""
    if symbol in CURRENCIES or (currency and symbol == currency.upper()):
        return "$"
    if comma and symbol in {".", ","}:
        return "." if symbol == "," else ","
    if symbol in {"CR", "DB"} or symbol in "9SVPXAZ*+-,./B0$NGUE":
        return symbol
    raise ValueError(f"{symbol!r} is no symbol of a picture")


def _alphanumeric(text: str, symbols: str, kinds: set[str]) -> Picture:
    """Read a picture with X or A in it."""
    if not kinds <= _TEXT:
        raise ValueError(f"{' '.join(sorted(kinds - _TEXT))} does not go with X or A")
    category: Category = "alphanumeric"
    if kinds & set("B0/"):
        category = "alphanumeric-edited"
    elif kinds == {"A"}:
        category = "alphabetic"
    return Picture(text=text, symbols=symbols, category=category, size=len(symbols))


def _national(text: str, symbols: str, kinds: set[str]) -> Picture:
    """Read a picture of national or double-byte characters."""
    if "U" in kinds:
        raise ValueError("U (UTF-8) is not taken; N (UTF-16) is")
    if len(kinds & set("NG")) > 1 or not kinds <= set("NGB0/"):
        raise ValueError(f"{' '.join(sorted(kinds))} do not go together")
    return Picture(text=text, symbols=symbols, category="national", size=len(symbols))


def _floating(text: str, symbols: str) -> Picture:
    """Read external floating point: ``+9.9(4)E+99``."""
    if not re.fullmatch(r"[+-]9*[.V]?9*E[+-]99", symbols) or "9" not in symbols.split("E", 1)[0]:
        raise ValueError("E stands only in floating point, such as +9.99E+99")
    mantissa = symbols.split("E", 1)[0]
    scale = len(re.split(r"[.V]", mantissa)[1]) if re.search(r"[.V]", mantissa) else 0
    size = len(symbols.replace("V", ""))
    digits = mantissa.count("9")
    return Picture(
        text=text,
        symbols=symbols,
        category="float",
        size=size,
        digits=digits,
        scale=scale,
        signed=True,
    )


def _number(text: str, symbols: str, category: Category) -> Picture:
    """Read a numeric or numeric-edited picture."""
    if len(symbols) > 2 * MAX_DIGITS:
        raise ValueError(f"it has {len(symbols)} characters; at most {2 * MAX_DIGITS} are taken")
    _check_signs(symbols)
    digits = _digit_places(symbols)
    held = sum(digits)
    if not held:
        raise ValueError("it has no digits")
    if held > MAX_DIGITS:
        raise ValueError(f"it has {held} digits; at most {MAX_DIGITS} are taken")
    size = len(symbols) - sum(symbols.count(symbol) for symbol in "SVP")
    return Picture(
        text=text,
        symbols=symbols,
        category=category,
        size=size,
        digits=held,
        scale=_scale(symbols, digits),
        signed=bool(set(symbols) & set("S+-CD")),
    )


def _check_signs(symbols: str) -> None:
    """Refuse what no compiler takes: two points, S inside, signs that contradict."""
    if symbols.count("S") > 1 or symbols.rfind("S") > 0:
        raise ValueError("S stands once, in front")
    if symbols.count("V") + symbols.count(".") > 1:
        raise ValueError("it has two decimal points")
    places = symbols.strip("S").replace("V", "")
    if "P" in places.strip("P"):
        inner = places.strip("+-$CRDB").strip("P")
        if "P" in inner:
            raise ValueError("P stands at one end of the digits")
    letters = symbols.count("CR") + symbols.count("DB")
    if letters > 1 or (letters and not symbols.endswith(("CR", "DB"))):
        raise ValueError("CR or DB stands once, at the end")
    _check_places(symbols)
    if letters + ("+" in symbols) + ("-" in symbols) + ("S" in symbols) > 1:
        raise ValueError("it has more than one kind of sign")


def _check_places(symbols: str) -> None:
    """Refuse a sign inside the digits, and digits in front of suppressed ones."""
    digits = [at for at, symbol in enumerate(symbols) if symbol in "9Z*"]
    first, last = (digits[0], digits[-1]) if digits else (len(symbols), -1)
    for symbol in "+-$":
        places = [at for at, found in enumerate(symbols) if found == symbol]
        if len(places) == 1 and first < places[0] < last:
            raise ValueError(f"{symbol} stands inside the digits")
        if len(places) > 1 and places[-1] > first:
            raise ValueError(f"{symbol} stands more than once, behind a digit")
    point = max(symbols.find("V"), symbols.find("."))
    whole = symbols[:point] if point >= 0 else symbols
    if "9" in whole.rstrip("Z*") and whole.rfind("9") < max(whole.rfind("Z"), whole.rfind("*")):
        raise ValueError("9 stands in front of Z or *")
    if "Z" in symbols and "*" in symbols:
        raise ValueError("Z and * do not go together")


def _digit_places(symbols: str) -> list[bool]:
    """Say for each character of it whether it holds a digit.

    Z, * and 9 do. A currency sign or a sign that stands more than once floats: each but the first
    can hold a digit.
    """
    floating = {symbol for symbol in "+-$" if symbols.count(symbol) > 1}
    places = []
    for at, symbol in enumerate(symbols):
        floats = symbol in floating and symbols.find(symbol) != at
        places.append(symbol in "9Z*" or floats)
    return places


def _scale(symbols: str, digits: list[bool]) -> int:
    """Give the digits after the point; P counts for one, to either side."""
    scaling = symbols.count("P")
    if scaling:
        before = any(digits[: symbols.index("P")])
        point = max(symbols.find("V"), symbols.find("."))
        if before:
            if point >= 0 and point < symbols.index("P"):
                return sum(digits[point:]) + scaling
            return -scaling
        return sum(digits) + scaling
    point = max(symbols.find("V"), symbols.find("."))
    return sum(digits[point:]) if point >= 0 else 0
