"""What a converter may say about itself, beyond decode and encode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ...ports import Converter

__all__ = ["Codes", "Factory", "Traits", "refuse_arguments", "traits_of"]

Codes = Mapping[str, Mapping[str, str]]
Factory = Callable[[Sequence[str], Codes], Converter]


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """A converter's attribute ``traits``; all of it may be left out.

    ``type`` is the contract type of what ``decode`` gives ("" is not checked against the contract).
    ``decoding`` and ``encoding`` are quicker forms of the two methods, for compiled mappings: they
    may raise anything where the methods raise ``ValueError``, and must give the same otherwise.
    ``plain`` says that text goes through unchanged. ``table`` is the code table that is read,
    ``codes`` its legacy codes and ``values`` what each of them means, in the same order.
    """

    type: str = ""
    decoding: Callable[[str], object] | None = None
    encoding: Callable[[object], str] | None = None
    plain: bool = False
    table: str = ""
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


_NOTHING: Final = Traits()


def traits_of(converter: Converter) -> Traits:
    """Give a converter's traits, those of somebody else's too."""
    found = getattr(converter, "traits", _NOTHING)
    return found if isinstance(found, Traits) else _NOTHING


def refuse_arguments(arguments: Sequence[str], expected: str) -> None:
    """Raise ``ValueError`` where there are arguments left that nobody reads."""
    if arguments:
        raise ValueError(f"{expected}, not {', '.join(arguments)}")
