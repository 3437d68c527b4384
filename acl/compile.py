"""From links to two functions: legacy values to a payload, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..model import Payload
from .contract import dig
from .formats.shape import Values
from .generate import Function
from .link import Link

__all__ = ["Decode", "Encode", "decoder", "decoding", "encoder", "encoding"]

Decode = Callable[[Values], dict[str, object]]
Encode = Callable[[Payload], dict[str, str | None]]


def decoding(link: Link, *, with_else: bool) -> Callable[[str], object]:
    """Give the quickest function that decodes a link's text; it may raise anything."""
    decode = link.converter.decode
    if not with_else or link.row.else_ is None:
        return link.traits.decoding or decode
    otherwise = link.row.else_

    def decode_or_else(text: str) -> object:
        try:
            return decode(text)
        except ValueError:
            return otherwise

    return decode_or_else


def encoding(link: Link, *, with_else: bool) -> Callable[[object], str]:
    """Give the quickest function that encodes a link's value; it may raise anything.

    A text that stands for nothing (``null``) is refused: it would not come back as the value.
    """
    encode = link.traits.encoding or link.converter.encode
    if with_else and isinstance(otherwise := link.row.else_, str):
        encode = _or_else(link.converter.encode, otherwise)
    if not link.row.null:
        return encode
    nulls = frozenset(link.row.null)

    def encode_not_null(value: object) -> str:
        text = encode(value)
        if text in nulls:
            raise ValueError(f"a value that is not written {text!r}: that means nothing here")
        return text

    return encode_not_null


def _or_else(encode: Callable[[object], str], otherwise: str) -> Callable[[object], str]:
    def encode_or_else(value: object) -> str:
        try:
            return encode(value)
        except ValueError:
            return otherwise

    return encode_or_else


def decoder(links: Sequence[Link], *, with_else: bool) -> Decode:
    """Write the function from legacy values to a payload.

    It raises anything on the first trouble: whoever calls it then goes through the links one by
    one, to name them all.
    """
    function = Function("decode", "v")
    function.line("g = v.get")
    tree: dict[str, object] = {}
    for place, link in enumerate(links):
        name = f"a{place}"
        _decode_one(function, link, name, with_else=with_else)
        group = tree
        for key in link.field.path[:-1]:
            group = group.setdefault(key, {})  # type: ignore[assignment]
        group[link.field.path[-1]] = name
    function.line(f"return {_literal(tree)}")
    return function.build()


def _decode_one(function: Function, link: Link, name: str, *, with_else: bool) -> None:
    plain = link.traits.plain and not (with_else and link.row.else_ is not None)
    call = name
    if not plain:
        call = f"{function.constant(decoding(link, with_else=with_else))}({name})"
    if not link.may_be_absent:
        function.line(f"{name} = v[{link.leaf.path!r}]")
        function.line(f"if {name} is None: raise ValueError")
        if not plain:
            function.line(f"{name} = {call}")
        return
    get = f"g({link.leaf.path!r})"
    if link.leaf.required and not link.row.optional:
        # It may say that it holds nothing, but it must be there.
        get = f"v[{link.leaf.path!r}]"
    function.line(f"{name} = {get}")
    if link.row.null:
        nulls = function.constant(frozenset(link.row.null))
        function.line(f"if {name} is not None: {name} = None if {name} in {nulls} else {call}")
    elif not plain:
        function.line(f"if {name} is not None: {name} = {call}")


def _literal(tree: Mapping[str, object]) -> str:
    entries = (
        f"{key!r}: {_literal(entry) if isinstance(entry, Mapping) else entry}"
        for key, entry in tree.items()
    )
    return "{" + ", ".join(entries) + "}"


def encoder(links: Sequence[Link], *, with_else: bool) -> Encode:
    """Write the function from a payload to legacy values; it raises as ``decoder``'s does."""
    function = Function("encode", "p")
    function.line("o = {}")
    for link in links:
        _encode_one(function, link, with_else=with_else)
    function.line("return o")
    return function.build()


def _encode_one(function: Function, link: Link, *, with_else: bool) -> None:
    target = f"o[{link.leaf.path!r}]"
    convert = function.constant(encoding(link, with_else=with_else))
    if link.field.required:
        path = "".join(f"[{key!r}]" for key in link.field.path)
        function.line(f"x = p{path}")
        function.line("if x is None: raise ValueError")
        function.line(f"{target} = {convert}(x)")
        return
    function.line(f"x = {function.constant(dig)}(p, {link.field.path!r})")
    function.line(f"if x is not None: {target} = {convert}(x)")
    if link.row.null:
        function.line(f"else: {target} = {link.row.null[0]!r}")
    elif link.leaf.nullable:
        function.line(f"else: {target} = None")
    elif link.leaf.required:
        function.line("else: raise ValueError")
