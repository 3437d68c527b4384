"""Writes the functions of a mask: one for each group of a contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Final

from ...model import Payload
from ..generate import Function
from ..operations.field import Field
from ..operations.tree import Branch
from ..operations.value import PYTHON
from .act import Act, quote
from .ledger import Ledger
from .mask import SEARCHED, Row
from .search import Search
from .token import MARK, kind_of, redacted

__all__ = ["build_mask"]

_CLASSES: Final = {kind: frozenset((*types, type(None))) for kind, types in PYTHON.items()}
_PLAIN: Final = frozenset(PYTHON) - {"text", "bytes"}
"""Types whose values hold no text."""

_Work = Callable[..., "dict[str, object]"]


def build_mask(
    tree: Branch,
    rows: Mapping[str, Row],
    acts: Mapping[str, Act],
    search: Search | None,
    *,
    quotes: bool,
) -> Callable[[Payload, Ledger], dict[str, object]]:
    """Give the function of a whole payload. Called by ``compile_mask``.

    ``rows`` and ``acts`` are by field. ``search`` looks through free text, last, when all else is
    known; None where there is none. ``quotes``: what only looks like a token gets one.
    """
    builder = _Builder(rows, acts, quotes=quotes, known=search is not None)
    function = Function("mask", "p", "l")
    function.line("k = []")
    function.line("f = []")
    function.line(f"r = {function.constant(builder.group(tree))}(p, l, k, f)")
    if search is not None:
        function.line(f"for d, n, v in f: d[n] = {function.constant(search)}(v, l, k)")
    function.line("return r")
    return function.build()


class _Builder:
    """Every function takes a value, the ledger, and two lists that it adds to.

    They are ``k``, the values of fields that are looked for in free text, and ``f``, the free
    texts: the group that each stands in, its key and itself.
    """

    def __init__(
        self, rows: Mapping[str, Row], acts: Mapping[str, Act], *, quotes: bool, known: bool
    ) -> None:
        self._rows = rows
        self._acts = acts
        self._quotes = quotes
        self._known = known

    def group(self, branch: Branch) -> _Work:
        """Give the function of a group, or of one entry of a list of groups."""
        function = Function("group", "p", "l", "k", "f")
        names = function.constant(frozenset(child.key for child in branch.children))
        function.line("r = dict(p)")
        function.line(f"if not r.keys() <= {names}:")
        function.line(f"for n in r.keys() - {names}: del r[n]", 2)
        single = [one for one in branch.children if isinstance(one, Field) and not one.listed]
        done = self._at_once(function, [(one.key, self._rows[one.name]) for one in single])
        for child in branch.children:
            if isinstance(child, Branch):
                self._inner(function, child)
            elif child.key not in done:
                self._child(function, child.key, self._rows[child.name], listed=child.listed)
        function.line("return r")
        return function.build()

    def _inner(self, function: Function, branch: Branch) -> None:
        name, group = branch.key, self.group(branch)
        function.line(f"v = r.get({name!r})")
        work = function.constant(_groups(group, listed=branch.listed))
        otherwise = ""
        if not branch.listed:
            # The usual case first, without another call between.
            quick = function.constant(group)
            function.line(f"if v.__class__ is dict: r[{name!r}] = {quick}(v, l, k, f)")
            otherwise = "el"
        function.line(f"{otherwise}if v is not None: r[{name!r}] = {work}(v, l, k, f)")

    def _child(self, function: Function, name: str, row: Row, *, listed: bool) -> None:
        if row.note == SEARCHED:
            function.line(f"v = r.get({name!r})")
            function.line(f"if v is not None: f.append((r, {name!r}, v)); r[{name!r}] = None")
        elif row.rule.action == "drop":
            function.line(f"v = r.pop({name!r}, None)")
            self._remembered(function, row)
        elif listed:
            entry = Function("entry", "p", "l", "k", "f")
            entry.line("r = {'v': p}")
            self._child(entry, "v", row, listed=False)
            entry.line("return r['v']")
            self._worked(function, name, _entries(entry.build()))
        elif row.rule.action == "keep":
            self._kept(function, name, row)
        else:
            self._acted(function, name, row)

    def _worked(self, function: Function, name: str, work: Callable[..., object]) -> None:
        function.line(f"v = r.get({name!r})")
        function.line(f"if v is not None: r[{name!r}] = {function.constant(work)}(v, l, k, f)")

    def _kept(self, function: Function, name: str, row: Row, depth: int = 1) -> None:
        # A value of another type than its field's is nobody knows what: it does not leave.
        function.line(f"v = r.get({name!r})", depth)
        quoted = f"{function.constant(quote)}(v, l)"
        if row.type == "json":
            if self._quotes:
                function.line(f"if v is not None: r[{name!r}] = {quoted}", depth)
            return
        classes = function.constant(_CLASSES[row.type])
        function.line(f"if v.__class__ not in {classes}: r[{name!r}] = None", depth)
        if row.type == "text" and self._quotes:
            function.line(f"elif v and {MARK!r} in v: r[{name!r}] = {quoted}", depth)

    def _acted(self, function: Function, name: str, row: Row) -> None:
        function.line(f"v = r.get({name!r})")
        function.line("if v is not None:")
        act = function.constant(self._acts[row.field])
        if row.rule.action == "token" and row.rule.scope == "request":
            function.line(f"r[{name!r}] = l.mint({kind_of(row.tag)!r}, v)", 2)
        elif row.rule.action == "redact":
            mark = redacted(kind_of(row.tag)) if row.type == "text" else None
            function.line(f"r[{name!r}] = {mark!r}", 2)
        else:
            function.line(f"r[{name!r}] = {act}(v, l)", 2)
        self._remembered(function, row, depth=2)

    def _remembered(self, function: Function, row: Row, depth: int = 1) -> None:
        """Write what has free text searched for the value ``v`` as well, or for those of a list."""
        if self._known and row.type in ("text", "integer", "date"):
            function.line(f"k.append((v, {function.constant(self._acts[row.field])}))", depth)

    def _at_once(self, function: Function, children: list[tuple[str, Row]]) -> set[str]:
        """Write one check for the fields that nearly always stay as they are; name those.

        Texts without a token's mark, and values of the very type of their field, need nothing: one
        look at all of them is much quicker than one at each. Where it does not hold, ``_kept`` does
        each for itself.
        """
        done: set[str] = set()
        kept = [
            (name, row)
            for name, row in children
            if row.rule.action == "keep" and row.note != SEARCHED
        ]
        texts = [(name, row) for name, row in kept if row.type == "text"]
        plain = [(name, row) for name, row in kept if row.type in _PLAIN]
        for fields, wrong in ((texts, self._wrong_text), (plain, _wrong_type)):
            if len(fields) < 2:
                continue
            function.line("try:")
            function.line(f"s = {wrong(function, fields)}", 2)
            function.line("except (KeyError, TypeError):")
            function.line("s = True", 2)
            function.line("if s:")
            for name, row in fields:
                self._kept(function, name, row, depth=2)
                done.add(name)
        return done

    def _wrong_text(self, function: Function, fields: list[tuple[str, Row]]) -> str:
        values = function.constant(itemgetter(*(name for name, _ in fields)))
        joined = f"''.join({values}(r))"
        return f"{MARK!r} in {joined}" if self._quotes else f"{joined} is None"


def _wrong_type(function: Function, fields: list[tuple[str, Row]]) -> str:
    values = function.constant(itemgetter(*(name for name, _ in fields)))
    types = function.constant(tuple(PYTHON[row.type][0] for _, row in fields))
    return f"tuple(map(type, {values}(r))) != {types}"


def _groups(group: _Work, *, listed: bool) -> Callable[..., object]:
    """Give the function of a value that should be a group, or a list of them; None where not."""

    def one(value: object, *rest: object) -> object:
        return group(value, *rest) if isinstance(value, Mapping) else None

    return _entries(one) if listed else one


def _entries(entry: Callable[..., object]) -> Callable[..., object]:
    def all_of_them(value: object, *rest: object) -> object:
        if not isinstance(value, list | tuple):
            return None
        return [None if one is None else entry(one, *rest) for one in value]

    return all_of_them
