"""A regular expression made of a schema, which takes the values of a message in one match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, cast

from .element import Attribute, Element
from .reader import Found
from .references import resolved

__all__ = ["SPACE", "Pattern", "attribute_pattern", "pattern_of"]

SPACE: Final = "[ \t\n]*"
# All but < and what XML does not allow; in words no white space and no references to it, in
# attributes no quotes and no white space but blanks. Only characters below U+0100 stand in the
# sets: others make them dear to compile. Whoever matches looks for U+FFFE and U+FFFF himself.
_ILLEGAL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f"
_TEXT: Final = f"[^<{_ILLEGAL}]*"
_WORDS: Final = "(?:{0}+(?: {0}+)*)?".format(rf"[^<&\t\n {_ILLEGAL}]")
_ATTRIBUTE: Final = rf'[^<"\t\n{_ILLEGAL}]*'
_BARE_WORDS: Final = "(?:{0}+(?: {0}+)*)?".format(rf'[^<&"\t\n {_ILLEGAL}]')
_CAPTURE: Final = re.compile(r"\((?!\?)")

_Take = Callable[[tuple[str | None, ...], str], Found]


class Pattern(NamedTuple):
    """``start`` matches the start tag of a message, ``content`` all behind it with the end tag.

    ``take`` makes values of the groups of the content and the text that they are of.
    """

    start: re.Pattern[str]
    content: re.Pattern[str]
    take: _Take


def attribute_pattern(one: Attribute) -> str:
    """Give the pattern that captures an attribute's value, between double quotes."""
    return f"({_BARE_WORDS if one.collapse else _ATTRIBUTE})"


def pattern_of(root: Element, prefixes: Mapping[str, str]) -> Pattern:
    """Make the pattern of a message whose namespaces have these prefixes (with their colon).

    Its elements stand in the order of the schema, its attributes too, in double quotes; both as
    short as can be: ``<n:a b="c">d</n:a>``. References stay as they are. What the schema says
    of white space and defaults is kept by not matching where it would change a value.
    """
    scope = _Scope(prefixes, "")
    inside = "".join(scope.child(child) for child in root.children if not child.opaque)
    tag = re.escape(scope.name(root.tag))
    return Pattern(
        re.compile(f"<{tag}(?:[ \t\n][^<>]*)?(?<!/)>"),
        re.compile(f"{inside}{SPACE}</{tag}{SPACE}>"),
        scope.taker(),
    )


class _Scope:
    """What one match captures: the leaves of a message or of an entry, in the order of keys."""

    def __init__(self, prefixes: Mapping[str, str], scope: str) -> None:
        self._prefixes = prefixes
        self._scope = scope
        self._keys: list[str] = []
        self._lists: list[tuple[str, Callable[[str], list[Found] | list[str]]]] = []
        self._whole = True

    def name(self, tag: str) -> str:
        """Give the name that senders write for a tag."""
        space, _, local = tag.rpartition("}")
        return self._prefixes[space[1:]] + local

    def child(self, node: Element) -> str:
        """Give the pattern of an element, with the white space in front of it."""
        if node.repeated:
            return self._list(node)
        self._whole = self._whole and node.required
        pattern = SPACE + self.element(node)
        return pattern if node.required else f"(?:{pattern})?"

    def _list(self, node: Element) -> str:
        key = node.path[len(self._scope) :]
        inner = _Scope(self._prefixes, node.scope)
        entry = SPACE + inner.element(node)
        self._keys.append(key)
        self._lists.append((key, inner.entries(re.compile(entry), plain=node.plain)))
        return f"((?:{_CAPTURE.sub('(?:', entry)})*)"

    def element(self, node: Element) -> str:
        """Give the pattern of an element that stands there."""
        tag = re.escape(self.name(node.tag))
        start = f"<{tag}{''.join(self._attributes(node))}>"
        if not node.text:
            inside = "".join(self.child(child) for child in node.children if not child.opaque)
            return f"{start}{inside}{SPACE}</{tag}>"
        self._keys.append((node.value if node.repeated else node.path)[len(self._scope) :])
        # An empty one means its default: that is for the tree to say.
        some = "" if node.default is None else "(?!<)"
        return f"{start}({some}{_WORDS if node.collapse else _TEXT})</{tag}>"

    def _attributes(self, node: Element) -> Iterator[str]:
        for one in node.attributes:
            self._keys.append(one.path[len(self._scope) :])
            name = re.escape(self.name(one.tag) if "}" in one.tag else one.tag)
            pattern = f' {name}="{attribute_pattern(one)}"'
            # One that has a default is never absent: where it is not written, the tree puts it in.
            if one.required or one.default is not None:
                yield pattern
            else:
                self._whole = False
                yield f"(?:{pattern})?"

    def entries(
        self, pattern: re.Pattern[str], *, plain: bool
    ) -> Callable[[str], list[Found] | list[str]]:
        """Make the function that parts the text of a list, all of which fits, into entries."""
        if plain:
            return lambda text: [resolved(entry) for entry in pattern.findall(text)]
        take = self.taker()
        if not self._whole or pattern.groups < 2:
            return lambda text: [take(entry.groups(), text) for entry in pattern.finditer(text)]
        keys = tuple(self._keys)

        def entries(text: str) -> list[Found]:
            if self._lists or "&" in text:
                return [take(groups, text) for groups in pattern.findall(text)]
            return [dict(zip(keys, groups, strict=False)) for groups in pattern.findall(text)]

        return entries

    def taker(self) -> _Take:
        """Make the function that makes values of a match's groups, and the text they are of."""
        keys, lists = tuple(self._keys), tuple(self._lists)

        def take(groups: tuple[str | None, ...], text: str) -> Found:
            values: dict[str, str | None] = dict(zip(keys, groups, strict=False))
            if None in groups:
                values = {key: value for key, value in values.items() if value is not None}
            blocks = [(key, part, values.pop(key, "")) for key, part in lists]
            found = cast("Found", values)
            if "&" in text:
                for key, value in values.items():
                    if "&" in value:  # type: ignore[operator]
                        found[key] = resolved(value)  # type: ignore[arg-type]
            for key, part, block in blocks:
                if block:
                    found[key] = part(block)  # type: ignore[assignment]
            return found

        return take
