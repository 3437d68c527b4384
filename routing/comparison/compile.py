"""From an endpoint's settings and its operation's output to one comparison."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ...acl.operations.contract import Contract
from ...acl.operations.field import Field
from ...acl.operations.tree import Branch, branches
from ...errors import ConfigError
from ...route_settings import Compared, FieldRule
from .comparing import Comparing
from .node import Custom, Group, Keyed, Node, Series, Unordered
from .rule import check_list_keys, node_of, plain

__all__ = ["compile_comparing"]


def compile_comparing(
    settings: Compared, only: tuple[str, ...], output: Contract, place: str
) -> Comparing:
    """Compile an endpoint's comparison. Called once, and by ``fig check``.

    ``only`` are the fields that are compared (none: all that are not ignored); ``place`` names the
    endpoint. Raises ``ConfigError`` where a path is none of the output's, or a rule not for it.
    """
    return _Work(settings, only, output, place).comparing()


class _Work:
    def __init__(
        self, settings: Compared, only: tuple[str, ...], output: Contract, place: str
    ) -> None:
        self._tree = output.tree
        self._nodes: dict[str, Field | Branch] = {one.name: one for one in branches(output.tree)}
        self._nodes.update(output.by_name)
        self._title = output.title
        self._place = place
        where = f"{place}.comparison"
        self._ignored = {
            name for path in settings.ignore for name in self._named(path, f"{where}.ignore")
        }
        self._only = {name for path in only for name in self._named(path, f"{place}.compare")}
        self._rules: dict[str, tuple[FieldRule, str]] = {}
        for path, rule in settings.fields.items():
            self._rule(path, rule, f'{where}.fields."{path}"')
        self._fields: dict[str, Node] = {}

    def comparing(self) -> Comparing:
        nodes = {
            child.key: node
            for child in self._tree.children
            if (node := self._child(child, taken=not self._only)) is not None
        }
        gone = {child.key for child in self._tree.children} - nodes.keys()
        # All of an answer is compared, also where the contract knows nothing of it.
        lists = sum(one.listed for one in self._nodes.values() if isinstance(one, Branch))
        return Comparing(
            tuple(nodes) if self._only else (),
            nodes,
            ignored=gone,
            fields=self._fields,
            count=len(self._fields) + lists,
            costly=any(_is_costly(rule) for rule, _ in self._rules.values()),
        )

    def _rule(self, path: str, rule: FieldRule, place: str) -> None:
        for name in self._named(path, place):
            before = self._rules.get(name)
            if before is not None and "*" not in before[1] and "*" in place:
                continue  # what names a field goes before what names several
            if before is not None and ("*" in before[1]) == ("*" in place):
                raise ConfigError("two rules for one field", place=place, value=name)
            self._rules[name] = rule, place

    def _named(self, path: str, place: str) -> list[str]:
        """Give the fields and groups that a path names. Raises ``ConfigError`` for none."""
        pattern = re.compile(re.escape(path).replace(r"\*", r"[^.]*") + r"(\[\])?")
        found = [name for name in self._nodes if pattern.fullmatch(name)]
        if found:
            return found
        close = difflib.get_close_matches(path, self._nodes, n=1)
        raise ConfigError(
            f"is no field of {self._title}",
            place=place,
            value=repr(path),
            expected="one of " + ", ".join(self._nodes),
            remedy=f"did you mean {close[0]!r}?" if close else "mend the path",
        )

    def _child(self, child: Field | Branch, *, taken: bool) -> Node | None:
        """Make a child's node; None where it is not compared, nor anything in it."""
        if child.name in self._ignored:
            return None
        taken = taken or child.name in self._only
        if isinstance(child, Branch):
            return self._branch(child, taken=taken)
        if not taken:
            return None
        rule, place = self._rules.get(child.name, (None, ""))
        if rule is not None:
            check_list_keys(rule, listed=child.listed, group=False, place=place)
        node = node_of(None if rule is None else plain(rule), child, place)
        self._fields[child.name] = node
        if not child.listed or isinstance(node, Custom):
            return node
        return Unordered(node) if rule is not None and not rule.order else Series(node)

    def _branch(self, branch: Branch, *, taken: bool) -> Node | None:
        children: Mapping[str, Node] = {
            child.key: node
            for child in branch.children
            if (node := self._child(child, taken=taken)) is not None
        }
        if not children:
            return None
        rule, place = self._rules.get(branch.name, (None, ""))
        if rule is not None:
            check_list_keys(rule, listed=branch.listed, group=True, place=place)
            if rule.function:
                return node_of(plain(rule), Field(name=branch.name, type="json"), place)
        group = Group(children)
        if not branch.listed:
            return group
        if rule is not None and rule.key:
            key = (rule.key,) if isinstance(rule.key, str) else rule.key
            return Keyed(group, key, shown=self._may_show(branch, key, place))
        return Unordered(group) if rule is not None and not rule.order else Series(group)

    def _may_show(self, branch: Branch, key: tuple[str, ...], place: str) -> bool:
        """Say whether a row's key may stand in a path. Raises ``ConfigError`` for no key."""
        shown = True
        for name in key:
            field = self._nodes.get(f"{branch.name}.{name}")
            if not isinstance(field, Field) or "[]" in name:
                inside = [
                    one.name.removeprefix(f"{branch.name}.")
                    for one in self._nodes.values()
                    if isinstance(one, Field) and one.name.startswith(f"{branch.name}.")
                ]
                raise ConfigError(
                    "is no field of a row",
                    place=f"{place}.key",
                    value=repr(name),
                    expected="one of " + ", ".join(inside),
                )
            shown = shown and field.tag in ("", "none")
        return shown


def _is_costly(rule: FieldRule) -> bool:
    """Say whether a rule may take milliseconds, or as long as somebody else's function takes."""
    return bool(rule.similar or rule.xml or rule.function or not rule.order)
