"""A policy and a contract made into one function, so that nothing is looked up per request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Final, cast

from ...errors import ConfigError
from ...model import Payload
from ..contract import Contract
from ..field import Field
from ..generate import Function
from .act import Act, act_of, quote
from .keys import Keyring
from .ledger import Ledger
from .mask import Mask, Row
from .policy import Destination, Policy
from .rule import Rule
from .search import FOUND, Search, searcher
from .token import MARK, kind_of, redacted

__all__ = ["compile_mask"]

_TEXTS: Final = ("text", "json", "bytes")
"""Types that can hold a text, so that nobody knows what is in them until a tag says so."""

_NONE: Final = type(None)
_CLASSES: Final[Mapping[str, frozenset[type]]] = {
    "text": frozenset((str, _NONE)),
    "integer": frozenset((int, _NONE)),
    "decimal": frozenset((Decimal, int, _NONE)),
    "boolean": frozenset((bool, _NONE)),
    "date": frozenset((dt.date, _NONE)),
    "time": frozenset((dt.time, _NONE)),
    "timestamp": frozenset((dt.datetime, _NONE)),
    "duration": frozenset((dt.timedelta, _NONE)),
    "bytes": frozenset((bytes, _NONE)),
}
_USUAL: Final[Mapping[str, type]] = {
    "integer": int,
    "decimal": Decimal,
    "boolean": bool,
    "date": dt.date,
    "time": dt.time,
    "timestamp": dt.datetime,
    "duration": dt.timedelta,
}
"""The types of values of fields, where there is one that nearly all have."""


def compile_mask(
    contract: Contract, policy: Policy, destination: Destination, keys: Keyring | None = None
) -> Mask:
    """Compile what leaves of a contract's payloads for a destination. Called once, at start.

    Raises ``ConfigError``, naming all fields that are concerned: for texts without a tag where
    those are refused, for a required field that would be dropped, for a rule that needs keys where
    there are none.
    """
    title = f"{contract.title} for {destination}"
    rows = tuple(_row(field, policy, destination) for field in contract.fields)
    _check_tags(rows, policy, title)
    _check_drops(rows, contract, policy, destination, title)
    searched = any(row.note == SEARCHED for row in rows)
    found = {tag: policy.rule(tag, destination) for tag in FOUND} if searched else {}
    rules = [row.rule for row in rows] + list(found.values())
    quotes = destination == "provider" or any(rule.action == "token" for rule in rules)
    search = searcher(policy, destination, keys, quotes=quotes) if searched else None
    place = f"{policy.place}.{destination}"
    acts = {
        row.field: act_of(row.rule, row.tag, keys, place, text=row.type == "text") for row in rows
    }
    build = _Build(acts, quotes=quotes, known=searched)
    return Mask(title, destination, rows, found, build.whole(_tree(rows), search))


SEARCHED: Final = "searched"


def _row(field: Field, policy: Policy, destination: Destination) -> Row:
    row = Row(field=field.name, type=field.type, tag=field.tag, rule=_KEEP)
    if not field.tag:
        if field.type not in _TEXTS:
            return _noted(row, _KEEP, "untagged")
        what = policy.of_untagged(destination)
        if what == "refuse":
            return _noted(row, _REDACT, REFUSED)
        return _noted(row, Rule(action=what), "untagged")
    rule = policy.rule(field.tag, destination)
    if policy.is_free_text(field.tag) and rule.action == "keep" and destination != "facade":
        if field.type in ("text", "json"):
            return _noted(row, rule, SEARCHED)
        # Nobody searches a number or a date: it goes as what its tag belongs to.
        return _noted(row, policy.rule(field.tag.rpartition(".")[0], destination), "no free text")
    known = policy.knows(field.tag, destination)
    return _noted(row, rule, "" if known else "unknown tag")


REFUSED: Final = "refused"
_KEEP: Final = Rule(action="keep")
_REDACT: Final = Rule(action="redact")


def _noted(row: Row, rule: Rule, note: str) -> Row:
    return Row(field=row.field, type=row.type, tag=row.tag, rule=rule, note=note)


def _check_tags(rows: tuple[Row, ...], policy: Policy, title: str) -> None:
    names = [row.field for row in rows if row.note == REFUSED]
    if names:
        one = len(names) == 1
        raise ConfigError(
            f"{'a text has' if one else f'{len(names)} texts have'} no data tag: "
            "untagged text does not leave for an outside provider",
            place=title,
            value=", ".join(names),
            expected="a tag for each, such as pii.name, pii.text or secret",
            remedy='tag them in the operation; tag = "none" where it is nobody\'s secret '
            f'(or say untagged = "redact" in {policy.place.partition(":")[0]})',
        )


def _check_drops(
    rows: tuple[Row, ...],
    contract: Contract,
    policy: Policy,
    destination: Destination,
    title: str,
) -> None:
    names = [
        row.field
        for row in rows
        if row.rule.action == "drop" and contract.by_name[row.field].required
    ]
    if names:
        tags = sorted({row.tag or "untagged" for row in rows if row.field in names})
        raise ConfigError(
            "would be dropped, and the operation requires " + ("it" if len(names) == 1 else "them"),
            place=title,
            value=", ".join(names),
            expected=f"another action for {', '.join(tags)} in {policy.place}.{destination}",
            remedy="redact instead, or make the fields required = false",
        )


class _Group(dict[str, "Row | _Group | _List"]):
    """What stands in a group, by key."""


class _List(list["Row | _Group | _List"]):
    """A list: its only member says what each entry is."""


def _tree(rows: tuple[Row, ...]) -> _Group:
    whole = _Group()
    for row in rows:
        group = whole
        *path, last = row.field.split(".")
        for part in path:
            group = _inside(group, part)
        name = last.rstrip("[]")
        held: Row | _List = row
        for _ in range(last.count("[]")):
            held = _List([held])
        group[name] = held
    return whole


def _inside(group: _Group, part: str) -> _Group:
    name = part.rstrip("[]")
    held = group.get(name)
    if held is None:
        held = inner = _Group()
        for _ in range(part.count("[]")):
            held = _List([held])
        group[name] = held
        return inner
    while isinstance(held, _List):
        held = held[0]
    if not isinstance(held, _Group):
        raise ConfigError("is a field and a group", place=part, expected="one of the two")
    return held


def _is_kept(held: Row | _Group | _List, *types: str) -> bool:
    """Say whether it is a single value of such a type that stays, and is not searched."""
    kept = isinstance(held, Row) and held.rule.action == "keep" and held.note != SEARCHED
    return kept and cast("Row", held).type in types


def _single(held: Row | _Group | _List) -> Row | None:
    """Give the row of a value, or of a list of single values; None for groups."""
    while isinstance(held, _List):
        held = held[0]
    return held if isinstance(held, Row) else None


_Later = list[tuple[dict[str, object], str, object]]
_Work = Callable[[Payload, Ledger, list[tuple[str, Act]], _Later], dict[str, object]]


class _Build:
    """Writes the functions of one mask. ``known``: texts of fields are looked for in free text."""

    def __init__(self, acts: Mapping[str, Act], *, quotes: bool, known: bool) -> None:
        self._acts = acts
        self._quotes = quotes
        self._known = known

    def whole(
        self, tree: _Group, search: Search | None
    ) -> Callable[[Payload, Ledger], dict[str, object]]:
        """Give the function of a whole payload. Free text comes last: all else is known then."""
        function = Function("mask", "p", "l")
        function.line("k = []")
        function.line("f = []")
        function.line(f"r = {function.constant(self._group(tree))}(p, l, k, f)")
        if search is not None:
            function.line(f"for d, n, v in f: d[n] = {function.constant(search)}(v, l, k)")
        function.line("return r")
        return function.build()

    def _group(self, group: _Group) -> _Work:
        """Give the function of a group, or of one entry of a list of groups."""
        function = Function("group", "p", "l", "k", "f")
        names = function.constant(frozenset(group))
        function.line("r = dict(p)")
        function.line(f"if not r.keys() <= {names}:")
        function.line(f"for n in r.keys() - {names}: del r[n]", 2)
        rest = self._at_once(function, group)
        for name, held in group.items():
            if name not in rest:
                continue
            row = _single(held)
            if row is not None and (held is row or row.note == SEARCHED):
                self._field(function, name, row)
                continue
            if row is not None and row.rule.action == "drop":
                function.line(f"r.pop({name!r}, None)")
                continue
            work = function.constant(self._value(held))
            function.line(f"v = r.get({name!r})")
            function.line(f"if v is not None: r[{name!r}] = {work}(v, l, k, f)")
        function.line("return r")
        return function.build()

    def _at_once(self, function: Function, group: _Group) -> list[str]:
        """Write one check for the fields that nearly always stay as they are; name all others.

        Texts without a token's mark, and values of the very type of their field, need nothing: one
        look at all of them is much quicker than one at each. Where it does not hold, ``_kept`` does
        each for itself.
        """
        texts = [name for name, held in group.items() if _is_kept(held, "text")]
        plain = [name for name, held in group.items() if _is_kept(held, *_USUAL)]
        for names, check in ((texts, self._texts), (plain, self._types)):
            if len(names) < 2:
                names.clear()
                continue
            rows = [cast("Row", group[name]) for name in names]
            function.line("try:")
            function.line(f"s = {check(function, names, rows)}", 2)
            function.line("except (KeyError, TypeError):")
            function.line("s = True", 2)
            function.line("if s:")
            for name, row in zip(names, rows, strict=True):
                self._kept(function, name, row, depth=2)
        return [name for name in group if name not in texts and name not in plain]

    def _texts(self, function: Function, names: list[str], rows: list[Row]) -> str:
        del rows
        joined = f"''.join({function.constant(itemgetter(*names))}(r))"
        return f"{MARK!r} in {joined}" if self._quotes else f"{joined} is None"

    def _types(self, function: Function, names: list[str], rows: list[Row]) -> str:
        types = function.constant(tuple(_USUAL[row.type] for row in rows))
        return f"tuple(map(type, {function.constant(itemgetter(*names))}(r))) != {types}"

    def _value(self, held: _Group | _List | Row) -> Callable[..., object]:
        """Give the function of a value that is a group, a list or an entry of one.

        What is something else than it should be becomes None: nobody knows what it is.
        """
        if isinstance(held, _Group):
            group = self._group(held)
            return lambda value, *rest: group(value, *rest) if isinstance(value, Mapping) else None
        if isinstance(held, Row):
            return self._entry(held)
        entry = self._value(held[0])

        def of_list(value: object, *rest: object) -> object:
            if not isinstance(value, list | tuple):
                return None
            return [None if one is None else entry(one, *rest) for one in value]

        return of_list

    def _entry(self, row: Row) -> Callable[..., object]:
        """Give the function of one value of a list, by that of a group that holds nothing else."""
        single = self._group(_Group({"v": row}))
        return lambda value, *rest: single({"v": value}, *rest)["v"]

    def _field(self, function: Function, name: str, row: Row) -> None:
        if row.note == SEARCHED:
            function.line(f"v = r.get({name!r})")
            function.line(f"if v is not None: f.append((r, {name!r}, v)); r[{name!r}] = None")
        elif row.rule.action == "keep":
            self._kept(function, name, row)
        elif row.rule.action == "drop":
            function.line(f"r.pop({name!r}, None)")
        else:
            self._acted(function, name, row)

    def _kept(self, function: Function, name: str, row: Row, depth: int = 1) -> None:
        # A value of another type than its field's is nobody knows what: it does not leave.
        function.line(f"v = r.get({name!r})", depth)
        if row.type == "json":
            if self._quotes:
                quoted = function.constant(quote)
                function.line(f"if v is not None: r[{name!r}] = {quoted}(v, l)", depth)
            return
        classes = function.constant(_CLASSES[row.type])
        function.line(f"if v.__class__ not in {classes}: r[{name!r}] = None", depth)
        if row.type == "text" and self._quotes:
            quoted = f"{function.constant(quote)}(v, l)"
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
        if self._known and row.type == "text":
            function.line(f"if v.__class__ is str: k.append((v, {act}))", 2)
