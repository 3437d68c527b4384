"""A regular expression made of a schema, which takes the values of a message in one match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from .element import Element
from .reader import Found

__all__ = ["SPACE", "Pattern", "pattern_of"]

SPACE: Final = "[ \t\n]*"
# Characters that XML allows; all but < and, where white space counts for nothing, references.
_TEXT: Final = "[\t\n\x20-\x3b\x3d-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*"
_WORD: Final = "[\x21-\x25\x27-\x3b\x3d-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_WORDS: Final = f"{_WORD}*(?: {_WORD}+)*"
_BARE_WORD: Final = "[\x21\x23-\x25\x27-\x3b\x3d-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_BARE_WORDS: Final = f"{_BARE_WORD}*(?: {_BARE_WORD}+)*"
_ATTRIBUTE: Final = "[\x20\x21\x23-\x25\x27-\x3b\x3d-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*"
_CAPTURE: Final = re.compile(r"\((?!\?)")

_Take = Callable[[tuple[str | None, ...]], Found]


class Pattern(NamedTuple):
    """``start`` matches the start tag of a message, ``content`` all behind it with the end tag.

    ``take`` makes values of the groups of the content.
    """

    start: re.Pattern[str]
    content: re.Pattern[str]
    take: _Take


def pattern_of(root: Element, prefixes: Mapping[str, str]) -> Pattern:
    """Make the pattern of a message whose namespaces have these prefixes (with their colon).

    Its elements stand in the order of the schema, its attributes too, in double quotes; both as
    short as can be: ``<n:a b="c">d</n:a>``. References are resolved before. What the schema says
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
            pattern = f' {name}="({_BARE_WORDS if one.collapse else _ATTRIBUTE})"'
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
            return pattern.findall
        take = self.taker()
        if self._whole and pattern.groups > 1:
            if self._lists:
                return lambda text: [take(groups) for groups in pattern.findall(text)]
            keys = tuple(self._keys)
            return lambda text: [
                dict(zip(keys, groups, strict=False)) for groups in pattern.findall(text)
            ]
        return lambda text: [take(entry.groups()) for entry in pattern.finditer(text)]

    def taker(self) -> _Take:
        """Make the function that makes values of a match's groups."""
        keys, lists = tuple(self._keys), tuple(self._lists)

        def take(groups: tuple[str | None, ...]) -> Found:
            values: Found = dict(zip(keys, groups, strict=False))
            if None in groups:
                values = {key: value for key, value in values.items() if value is not None}
            for key, part in lists:
                text = values.pop(key, None)
                if text:
                    values[key] = part(text)  # type: ignore[arg-type, assignment]
            return values

        return take
