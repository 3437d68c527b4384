"""Writing one row into the function that encodes: from ours to legacy's places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..generate import Function
from ..path import Hop
from .chain import Chain
from .link import Link, Place

__all__ = ["Frames", "LinkEncoder", "encode_texts"]

Frames = Mapping[tuple[Hop, ...], str]
"""The variables of the entries that are written, by the way to them."""

_NO_READS: Final[Mapping[str, str | None]] = {}


class LinkEncoder:
    """Writes links into ``function``. ``with_else``: their else counts."""

    def __init__(self, function: Function, *, with_else: bool) -> None:
        self._function = function
        self._with_else = with_else

    def write(
        self, link: Link, names: Sequence[str], frames: Mapping[tuple[Hop, ...], str]
    ) -> None:
        """Write what the link's values, in the variables ``names``, are in legacy."""
        function = self._function
        if link.row.is_constant:
            constant = function.constant(link.constant)
            if link.side == "reply":
                self._set(link.places[0], constant, frames)
            else:
                name = names[0]
                function.line(
                    f"if {name} is not None and {name} != {constant}: {function.refuse()}"
                )
            return
        texts = [function.fresh() for _ in link.places]
        test = " and ".join(f"{name} is None" for name in names)
        with function.block(f"if {test}:"):
            for place in link.places:
                self._nothing(link, place, frames)
        with function.block("else:"):
            self._encode(link, names, texts, frames)
            for place, text in zip(link.places, texts, strict=True):
                self._put(link, place, text, frames)

    def _encode(
        self,
        link: Link,
        names: Sequence[str],
        texts: Sequence[str],
        frames: Frames,
    ) -> None:
        function = self._function
        chain = link.chain
        otherwise = link.else_ if self._with_else else None
        if len(texts) == len(names) == 1 and chain.single and not link.reads:
            traits = chain.traits
            if traits.inline_encode is not None and otherwise is None:
                expression = traits.inline_encode(function, names[0])
                function.line(f"{texts[0]} = {expression}")
                return
            encode = _single(chain, otherwise)
            function.line(f"{texts[0]} = {function.constant(encode)}({names[0]})")
            return
        reads = ", ".join(
            f"{path!r}: {frames[at.path.hops]}.get({at.path.last!r})" for path, at in link.reads
        )
        encode_all = function.constant(encode_texts(link, with_else=self._with_else))
        function.line(f"{', '.join(texts)}, = {encode_all}(({', '.join(names)},), {{{reads}}})")

    def _put(
        self, link: Link, place: Place, text: str, frames: Mapping[tuple[Hop, ...], str]
    ) -> None:
        function = self._function
        single = len(link.places) == 1 and link.chain.single
        if single:
            self._refuse_null(link, text)
            self._set(place, text, frames)
            return
        with function.block(f"if {text} is None:"):
            self._nothing(link, place, frames)
        with function.block("else:"):
            self._refuse_null(link, text)
            self._set(place, text, frames)

    def _refuse_null(self, link: Link, text: str) -> None:
        if link.row.null:
            function = self._function
            nulls = function.constant(frozenset(link.row.null))
            function.line(f"if {text} in {nulls}: {function.refuse()}")

    def _nothing(self, link: Link, place: Place, frames: Frames) -> None:
        """Write what says that there is no value."""
        if place.chosen:
            self._function.line("pass")
        elif link.row.null:
            self._set(place, repr(link.row.null[0]), frames)
        elif place.leaf.nullable:
            self._set(place, "None", frames)
        else:
            self._function.line(self._function.refuse() if place.leaf.required else "pass")

    def _set(self, place: Place, text: str, frames: Frames) -> None:
        around = frames[place.path.hops]
        target = f"{around}[{place.path.last!r}]" if place.path.last else around
        self._function.line(f"{target} = {text}")


def _single(chain: Chain, otherwise: object) -> Callable[[object], str]:
    if otherwise is not None:
        return _or_else(chain, str(otherwise))
    if len(chain.stages) == 1:
        return chain.traits.encoding or chain.stages[0].converter.encode
    return lambda value: chain.encode((value,), _NO_READS)[0] or ""


def _or_else(chain: Chain, otherwise: str) -> Callable[[object], str]:
    def encode_or_else(value: object) -> str:
        try:
            return chain.encode((value,), _NO_READS)[0] or ""
        except ValueError:
            return otherwise

    return encode_or_else


def encode_texts(
    link: Link, *, with_else: bool
) -> Callable[[Sequence[object], Mapping[str, str | None]], tuple[str | None, ...]]:
    """Give the function from a link's values to the texts of all its places."""
    chain, otherwise = link.chain, link.else_
    count = len(link.places)

    def encode(values: Sequence[object], reads: Mapping[str, str | None]) -> tuple[str | None, ...]:
        try:
            texts = chain.encode(values, reads)
        except ValueError:
            if with_else and isinstance(otherwise, str):
                return (otherwise,)
            raise
        return texts or (None,) * count

    return encode
