"""Where every item's bytes stand: usages and signs inherited, redefinitions, slack bytes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .entry import Entry
from .item import Sign, Usage
from .limits import MAX_RECORD
from .names import Names
from .sizes import BINARY, alignment, elementary_size
from .tokens import Token
from .tree import Node, Tree

__all__ = ["place"]

Warn = Callable[[Token, str], None]
_WIDE = {"numeric", "numeric-edited", "national"}
_COUNTED = BINARY | {Usage.PACKED, Usage.UNSIGNED_PACKED}


def place(tree: Tree, names: Names, warn: Warn) -> None:
    """Give every node of a tree its usage, sign, offset and size.

    Raises ``CopybookError`` at an item without bytes, at a redefinition of nothing, at a record
    that is too long.
    """
    placing = _Placing(names, warn)
    placing.siblings(tree.roots)
    for root in tree.roots:
        placing.inherit(root, None, None, synchronized=False)
        placing.node(root, 0)


class _Placing:
    """One pass over one tree."""

    def __init__(self, names: Names, warn: Warn) -> None:
        self._names = names
        self._warn = warn

    def inherit(
        self, node: Node, usage: Usage | None, sign: Sign | None, *, synchronized: bool
    ) -> None:
        """Hand down what a group says about all inside it, and check what an item says."""
        entry = node.entry
        if node.children:
            usage, sign = entry.usage or usage, entry.sign or sign
            synchronized = entry.synchronized or synchronized
            self.siblings(node.children)
            for child in node.children:
                self.inherit(child, usage, sign, synchronized=synchronized)
            return
        self._usage(entry, usage)
        self._sign(entry, sign)
        entry.synchronized = entry.synchronized or synchronized

    def siblings(self, nodes: list[Node]) -> None:
        """Find what each redefines: an item of the same group, with nothing else between."""
        block: dict[str, Node] = {}
        for node in nodes:
            reference = node.entry.redefines
            if reference is None:
                block = {node.entry.name.upper(): node}
                continue
            target = block.get(reference.names[0].upper())
            if target is None:
                raise self._no_target(node, nodes)
            if target.entry.level != node.entry.level:
                self._warn(
                    reference.token,
                    f"{reference} has level {target.entry.level:02d}, what redefines it "
                    f"{node.entry.level:02d}",
                )
            node.alias = target
            block.setdefault(node.entry.name.upper(), node)

    def _no_target(self, node: Node, nodes: list[Node]) -> Exception:
        """Say why nothing can be redefined."""
        reference = node.entry.redefines
        assert reference is not None  # noqa: S101  # the caller found it there
        name = reference.names[0].upper()
        if name == node.entry.name.upper():
            message = f"{reference} redefines itself"
        elif any(other.entry.name.upper() == name for other in nodes if other.number < node.number):
            message = f"other items stand between {reference} and what redefines it"
        else:
            self._names.before(reference, node, "an item to redefine")
            message = f"{reference} does not stand in the same group"
        return reference.token.error(
            message,
            expected="the name of the item right before, at the same level of the same group",
            remedy="compare the level numbers, or move the redefinition",
        )

    def _usage(self, entry: Entry, inherited: Usage | None) -> None:
        """Settle the usage of an elementary item."""
        picture = entry.picture
        if entry.usage is None:
            entry.usage = inherited if self._fits(entry, inherited) else Usage.DISPLAY
            if inherited is not None and entry.usage is not inherited:
                self._warn(entry.place, f"{inherited} of its group is not for this picture")
        elif inherited is not None and entry.usage is not inherited:
            self._warn(entry.place, f"{entry.usage} is not the {inherited} of its group")
        if picture is not None and picture.category == "national":
            double = "G" in picture.symbols or entry.usage is Usage.DBCS
            entry.usage = Usage.DBCS if double else Usage.NATIONAL
        self._check_usage(entry)

    def _fits(self, entry: Entry, usage: Usage | None) -> bool:
        """Say whether a group's usage can be that of an item."""
        if usage is None:
            return False
        picture = entry.picture
        if usage in _COUNTED:
            return picture is not None and picture.category == "numeric"
        if usage in {Usage.FLOAT, Usage.DOUBLE, Usage.INDEX, Usage.POINTER}:
            return picture is None
        return usage is Usage.DISPLAY or (picture is not None and picture.category in _WIDE)

    def _check_usage(self, entry: Entry) -> None:
        picture, usage = entry.picture, entry.usage
        if usage in _COUNTED and picture is not None and picture.category != "numeric":
            raise entry.place.error(
                f"{usage} does not go with the picture {picture.text[:40]}",
                expected="a picture of 9, S, V and P",
                remedy="take the usage away, or correct the picture",
            )
        if usage in {Usage.NATIONAL, Usage.DBCS} and picture and picture.category not in _WIDE:
            raise entry.place.error(
                f"{usage} does not go with the picture {picture.text[:40]}",
                expected="a picture of N or G, or a number",
            )
        if usage in {Usage.FLOAT, Usage.DOUBLE} and picture is not None:
            self._warn(entry.place, f"the picture of a {usage} item says nothing")
        if picture is None and not elementary_size(None, usage or Usage.DISPLAY, Sign()):
            raise entry.place.error(
                f"{entry.name or 'the entry'} has neither a picture nor items inside it",
                expected="a PICTURE, or entries of a higher level behind it",
                remedy="is a COPY missing, or a level number wrong?",
            )

    def _sign(self, entry: Entry, inherited: Sign | None) -> None:
        """Settle the sign of an elementary item: it matters to numbers in characters only."""
        picture = entry.picture
        characters = entry.usage in {Usage.DISPLAY, Usage.NATIONAL}
        numeric = picture is not None and picture.category in {"numeric", "numeric-edited"}
        if entry.sign is None:
            signed = picture is not None and "S" in picture.symbols
            entry.sign = inherited if inherited and characters and signed else Sign()
            return
        if picture is None or not numeric or not characters:
            raise entry.place.error(
                "SIGN is for a number in characters",
                expected="a picture of 9, S, V and P with USAGE DISPLAY",
                remedy="take the SIGN clause away",
            )
        if "S" not in picture.symbols:
            if set(picture.symbols) & set("+-CD"):
                raise entry.place.error(
                    f"the picture {picture.text[:40]} has a sign of its own",
                    expected="a picture with S, or no SIGN clause",
                )
            self._warn(entry.place, "SIGN without S in the picture: read as if it had one")
            entry.picture = msgspec.structs.replace(picture, signed=True)

    def node(self, node: Node, offset: int) -> int:
        """Place a node; give the boundary that a table of it must keep, in bytes."""
        if node.alias is not None:
            offset = node.alias.offset
        else:
            step = self._first(node)
            offset += -offset % step
        node.offset = offset
        entry = node.entry
        if node.children:
            widest = self._group(node)
        else:
            usage, sign = entry.usage or Usage.DISPLAY, entry.sign or Sign()
            node.size = entry.bytes or elementary_size(entry.picture, usage, sign)
            widest = alignment(entry.picture, usage) if entry.synchronized else 1
        if entry.table is not None and node.children:
            node.size += -node.size % widest
        if node.offset + node.length > MAX_RECORD:
            raise entry.place.error(
                f"the record is longer than {MAX_RECORD} bytes: {node.offset + node.length}",
                expected=f"at most {MAX_RECORD}",
                remedy="is a number of OCCURS or of a picture too large?",
            )
        return widest

    def _group(self, node: Node) -> int:
        """Place what stands inside a group; give its widest boundary."""
        end, widest = node.offset, 1
        for child in node.children:
            widest = max(widest, self.node(child, end))
            if child.alias is not None and child.length > child.alias.length:
                self._warn(child.entry.place, "it is longer than the item that it redefines")
            end = max(end, child.offset + child.length)
        node.size = end - node.offset
        return widest

    def _first(self, node: Node) -> int:
        """Give the boundary of the first elementary item in a node: slack goes before its group."""
        while node.children:
            node = node.children[0]
        usage = node.entry.usage or Usage.DISPLAY
        return alignment(node.entry.picture, usage) if node.entry.synchronized else 1
