"""Text as it stands, or as legacy fills, cuts, spells and encodes it."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .traits import Codes, Inline, Traits

__all__ = ["text"]

_CASES: Final[dict[str, Callable[[str], str]]] = {
    "upper": str.upper,
    "lower": str.lower,
    "fold": str.casefold,
}
_Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
_FORMS: Final[dict[str, _Form]] = {"NFC": "NFC", "NFD": "NFD", "NFKC": "NFKC", "NFKD": "NFKD"}
_EXPECTED: Final = (
    "trim, upper, lower, fold, max=N, pad=N, left, right, fill=X, charset=NAME or normal=NFC"
)


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    trim: bool = False
    case: Callable[[str], str] | None = None
    normal: _Form | None = None
    longest: int | None = None
    width: int = 0
    left: bool = False
    fill: str = " "
    charset: str = ""


class _Text:
    def __init__(self, options: _Options) -> None:
        self._is = options
        plain = options == _Options()
        self.traits = Traits(
            type="text",
            plain=plain,
            inline=_inline(options),
            inline_encode=None if plain else _inline_encode(options),
        )

    def decode(self, text: str) -> str:
        options = self._is
        if options.charset:
            self._carried(text)
        if options.width:
            if len(text) != options.width:
                raise ValueError(f"exactly {options.width} characters")
            text = text.lstrip(options.fill) if options.left else text.rstrip(options.fill)
        if options.trim:
            text = text.strip()
        return self._fit(text)

    def encode(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("text")  # noqa: TRY004 - the port says ValueError
        options = self._is
        text = self._fit(value)
        if options.width:
            if len(text) > options.width:
                raise ValueError(f"at most {options.width} characters")
            if text.startswith(options.fill) if options.left else text.endswith(options.fill):
                end = "begin" if options.left else "end"
                raise ValueError(f"text that does not {end} in {options.fill!r}, which fills it up")
            fill = options.fill * (options.width - len(text))
            text = fill + text if options.left else text + fill
        if options.charset:
            self._carried(text)
        return text

    def _fit(self, text: str) -> str:
        options = self._is
        if options.normal:
            text = unicodedata.normalize(options.normal, text)
        if options.case:
            text = options.case(text)
        if options.longest is not None and len(text) > options.longest:
            raise ValueError(f"at most {options.longest} characters")
        return text

    def _carried(self, text: str) -> None:
        try:
            if text.encode(self._is.charset).decode(self._is.charset) == text:
                return
        except UnicodeError:
            pass
        raise ValueError(f"characters that {self._is.charset} has")


def _inline(options: _Options) -> Inline | None:
    longest = options.longest
    if options != _Options(trim=options.trim, longest=longest):
        return None

    def write(function: Function, name: str) -> str:
        source = f"{name}.strip()" if options.trim else name
        if longest is None:
            return source
        size = function.constant(str.__len__)
        text = function.fresh()
        return f"({text} if {size}({text} := {source}) <= {longest:d} else {function.refuse()})"

    return write if options.trim or longest is not None else None


def _inline_encode(options: _Options) -> Inline | None:
    longest = options.longest
    if options != _Options(trim=options.trim, longest=longest):
        return None

    def write(function: Function, name: str) -> str:
        size = "" if longest is None else f" and len({name}) <= {longest:d}"
        kind = function.constant(str)
        return f"({name} if type({name}) is {kind}{size} else {function.refuse()})"

    return write


def text(arguments: Sequence[str], codes: Codes) -> Converter:
    """``text``, ``text(trim)``, ``text(max=40)``, ``text(pad=10)``; options may stand together.

    ``trim`` takes white space off both ends when decoding. ``pad=N`` is a place of N characters,
    filled up with blanks behind (``left``: in front), or with ``fill=X``. ``upper``, ``lower`` and
    ``fold`` change the case both ways, ``normal=NFC`` the form of Unicode. ``charset=latin-1``
    refuses characters that legacy cannot hold.
    """
    del codes
    left = Arguments(arguments, _EXPECTED)
    width = left.number("pad", 1, 100_000) or 0
    fill = left.value("fill")
    if fill is not None and (not width or len(fill) != 1):
        raise ValueError("fill=X with one character, beside pad=N")
    sides = [left.flag("left"), left.flag("right")]
    if any(sides) and (not width or all(sides)):
        raise ValueError("left or right, beside pad=N")
    normal = left.value("normal")
    if normal is not None and normal not in _FORMS:
        raise ValueError("normal=NFC, NFD, NFKC or NFKD")
    options = _Options(
        trim=left.flag("trim"),
        case=left.choice(_CASES),
        normal=_FORMS[normal] if normal else None,
        longest=left.number("max", 1, 999_999),
        width=width,
        left=sides[0],
        fill=" " if fill is None else fill,
        charset=_charset(left.value("charset")),
    )
    left.done()
    return _Text(options)


def _charset(name: str | None) -> str:
    if name is None:
        return ""
    try:
        "x".encode(name)
        return codecs.lookup(name).name
    except (LookupError, UnicodeError):
        raise ValueError("charset=NAME such as ascii, latin-1 or cp037") from None
