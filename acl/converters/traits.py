"""What a converter may say about itself, beyond decode and encode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ...ports import Converter
from ..generate import Function

__all__ = ["Codes", "Factory", "Inline", "Traits", "reads_of", "refuse_arguments", "traits_of"]

Codes = Mapping[str, Mapping[str, str]]
Factory = Callable[[Sequence[str], Codes], Converter]

Inline = Callable[[Function, str], str]
"""Writes a converter into a compiled mapping: the function in the making and the name of a variable
give a source expression.

The expression gives what the method gives, and raises anything where the method raises
``ValueError``. Values and tables go in through ``function.constant(…)``, further variables are
named by ``function.fresh()`` and set by ``:=``, and lines before the expression may be added by
``function.line(…)``; nothing from a file may get into the source as text. The text of an option is
not known to be harmless: ``function.constant`` it. Where a check fails, call
``function.refuse()``, an expression that raises.
"""


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """A converter's attribute ``traits``; all of it may be left out.

    ``type`` is the contract type of what ``decode`` gives ("" is not checked against the contract);
    ``text[]`` and its like say that it gives a list of such values, for a target ``tags[]``.

    ``plain`` says that text goes through unchanged. ``decoding`` and ``encoding`` are quicker forms
    of the two methods, for compiled mappings: they may raise anything where the methods raise
    ``ValueError``, and must give the same otherwise.

    ``inline`` and ``inline_encode`` are quicker still. What stands in ``inline``'s variable is text
    or anything else that a record may hold (None, a number, a list), and it must raise for what is
    no text: methods of str do, ``int(x)`` does not unless its result is held against ``x``.
    ``inline_encode``'s variable holds any value but None. ``native`` has such forms for values that
    are no text, by the leaf's type (``integer``, ``decimal``, ``boolean``): only where they give
    what the canonical text of the value would, and again they raise for what is of another type.

    ``table`` is the code table that is read, ``codes`` its legacy codes and ``values`` what each of
    them means, in the same order. ``settled`` says that of several codes for one value it is known
    which one is written; the others do not come back. ``passed`` gives what was let through without
    a code since the start, by text, with its count: ``CompiledMapping.unmapped`` reports it.
    """

    type: str = ""
    plain: bool = False
    decoding: Callable[[str], object] | None = None
    encoding: Callable[[object], str] | None = None
    inline: Inline | None = None
    inline_encode: Inline | None = None
    native: Mapping[str, Inline] = {}
    table: str = ""
    codes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    settled: bool = False
    passed: Callable[[], Mapping[str, int]] | None = None


_NOTHING: Final = Traits()


def traits_of(converter: object) -> Traits:
    """Give a converter's traits, those of somebody else's too."""
    found = getattr(converter, "traits", _NOTHING)
    return found if isinstance(found, Traits) else _NOTHING


def reads_of(converter: object) -> Mapping[str, str]:
    """Give the places of legacy that a converter reads beside its text, by keyword.

    Its attribute ``reads`` is a mapping of keyword to path (``{"currency": "CURR-CD"}``), or the
    names alone where both are one. Then it is called as ``decode(text, currency=…)`` and
    ``encode(value, currency=…)``, with the legacy text of that place or None: a list's entry reads
    its own (``line[].currency``) or what stands around it. Raises ``ValueError`` for anything else.
    """
    found = getattr(converter, "reads", ())
    if isinstance(found, str):
        found = (found,)
    pairs = dict(found) if isinstance(found, Mapping) else {name: name for name in found}
    if not all(
        isinstance(name, str) and name.isidentifier() and isinstance(at, str)
        for name, at in pairs.items()
    ):
        raise ValueError('reads as {"keyword": "PATH"}, or names that are keywords')
    return pairs


def refuse_arguments(arguments: Sequence[str], expected: str) -> None:
    """Raise ``ValueError`` where there are arguments left that nobody reads."""
    if arguments:
        raise ValueError(f"{expected}, not {', '.join(arguments)}")
