"""The fields that rows feed, as the tree that a payload is: what reading a record goes by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..operations.field import Field
from ..operations.tree import Branch
from ..path import Hop
from .link import Link

__all__ = [
    "Cell",
    "Feed",
    "Group",
    "Listing",
    "Misplaced",
    "Node",
    "feeds_of",
    "grow_plan",
    "links_of",
]


class Feed(NamedTuple):
    """A link that feeds a cell, with the one of its values, from 0, that does."""

    link: Link
    at: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A field. Its feeds exclude each other by their conditions; ``key`` is "" in a plain list."""

    key: str
    field: Field
    feeds: tuple[Feed, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of fields. An ``optional`` one is None where legacy holds nothing of it.

    ``checks`` are constants of legacy that are held against what it holds; they stand in the root
    and in entries of lists.
    """

    key: str
    optional: bool
    nodes: tuple[Node, ...]
    checks: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: an ``entry`` for each one that legacy's list, at ``hops``, holds."""

    key: str
    name: str
    required: bool
    hops: tuple[Hop, ...]
    entry: Group | Cell
    checks: tuple[Link, ...] = field(default=())


Node = Cell | Group | Listing


class Misplaced(NamedTuple):
    """A link that does not go with the others, and why."""

    link: Link
    message: str
    expected: str


def grow_plan(tree: Branch, links: Sequence[Link]) -> tuple[Group, list[Misplaced]]:
    """Grow the plan of a contract's tree. What no link feeds is not in it."""
    grower = _Grower(links)
    root = grower.root(tree)
    return root, grower.misplaced


class _Grower:
    def __init__(self, links: Sequence[Link]) -> None:
        self._feeds: dict[str, list[Feed]] = {}
        for link in links:
            for at, target in enumerate(link.targets):
                self._feeds.setdefault(target.field.name, []).append(Feed(link, at))
        self._checks = [link for link in links if link.side == "reply" and link.row.is_constant]
        self.misplaced: list[Misplaced] = []

    def root(self, tree: Branch) -> Group:
        group = Group("", False, tuple(self._nodes(tree)), self._checked(()))
        self.misplaced += [
            Misplaced(
                link,
                f"nothing of ours stands for the entries of {link.scope[-1].text}",
                "another row that maps the list",
            )
            for link in self._checks
        ]
        return group

    def _nodes(self, branch: Branch) -> Iterator[Node]:
        for child in branch.children:
            if isinstance(child, Field):
                feeds = tuple(self._feeds.get(child.name, ()))
                whole = any(feed.link.targets[feed.at].whole for feed in feeds)
                if feeds and child.listed and not whole:
                    cell = Cell("", child, feeds)
                    yield self._listing(child, feeds, cell)
                elif feeds:
                    yield Cell(child.key, child, feeds)
            elif child.listed:
                feeds = tuple(self._inside(child))
                if feeds:
                    entry = Group("", False, tuple(self._nodes(child)))
                    yield self._listing(child, feeds, entry)
            else:
                nodes = tuple(self._nodes(child))
                if nodes:
                    yield Group(child.key, child.declared and not child.required, nodes)

    def _inside(self, branch: Branch) -> Iterator[Feed]:
        for child in branch.children:
            if isinstance(child, Field):
                yield from self._feeds.get(child.name, ())
            else:
                yield from self._inside(child)

    def _listing(self, of: Branch | Field, feeds: Sequence[Feed], entry: Group | Cell) -> Listing:
        depth = of.name.count("[]")
        found: dict[tuple[Hop, ...], Link] = {}
        for feed in feeds:
            for place in feed.link.places[:1]:
                found.setdefault(_until(place.path.hops, depth), feed.link)
        if not found:
            expected = "a row that reads a list, so that there are entries to put it in"
            message = f"only constants feed {of.name}"
            self.misplaced.append(Misplaced(feeds[0].link, message, expected))
        for hops, link in list(found.items())[1:]:
            said = ".".join(hop.text for hop in hops)
            first = ".".join(hop.text for hop in next(iter(found)))
            message = f"{of.name} is fed from {said} and from {first}"
            self.misplaced.append(Misplaced(link, message, "one list of legacy for one of ours"))
        hops = next(iter(found), ())
        for feed in feeds:
            for condition in () if feed.link.places else feed.link.conditions:
                if condition.place.lists != hops[: len(condition.place.lists)]:
                    message = f"{condition.place.path} stands in another list than the row"
                    expected = "a place of the same entry, or of what stands around it"
                    self.misplaced.append(Misplaced(feed.link, message, expected))
        return Listing(of.key, of.name, of.required, hops, entry, self._checked(hops))

    def _checked(self, hops: tuple[Hop, ...]) -> tuple[Link, ...]:
        here = tuple(link for link in self._checks if link.scope == hops)
        self._checks = [link for link in self._checks if link.scope != hops]
        return here


def _until(hops: tuple[Hop, ...], depth: int) -> tuple[Hop, ...]:
    """Give the hops up to the ``depth``-th list that is gone through entry by entry."""
    for place, hop in enumerate(hops, 1):
        depth -= not hop.key
        if not depth:
            return hops[:place]
    return hops


def feeds_of(node: Node) -> Iterator[Feed]:
    """Give all feeds inside a node."""
    if isinstance(node, Cell):
        yield from node.feeds
    elif isinstance(node, Listing):
        yield from feeds_of(node.entry)
    else:
        for inner in node.nodes:
            yield from feeds_of(inner)


def links_of(plan: Group) -> list[Link]:
    """Give every link of a plan once."""
    found = {feed.link.number: feed.link for feed in feeds_of(plan)}
    checks: list[Group | Listing] = [plan]
    while checks:
        node = checks.pop()
        found |= {link.number: link for link in node.checks}
        inner = node.nodes if isinstance(node, Group) else (node.entry,)
        checks += [one for one in inner if not isinstance(one, Cell)]
    return list(found.values())
