"""Random mappings over random shapes: they round-trip, and both ways to read and write agree."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.mapping.lines import Lines
from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.mapping.problem import Problem
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.acl.rows import parse_forms
from stranglerfig.errors import ConfigError, FigError, MappingError
from stranglerfig.model import Record

WORDS = st.text("abcXYZ ,-é", max_size=6)
CODES = {"A": "first", "B": "second"}
KINDS: dict[str, tuple[str, st.SearchStrategy[Any], Any]] = {
    "text": ("text", WORDS, str),
    "integer": ("integer", st.integers(-(10**12), 10**12), str),
    "decimal(2)": ("decimal", st.decimals(-(10**9), 10**9, places=2), str),
    "date(YYYYMMDD)": ("date", st.dates(), lambda day: day.strftime("%Y%m%d").zfill(8)),
    "code(k)": ("text", st.sampled_from([*CODES.values()]), {v: k for k, v in CODES.items()}.get),
    "text | code(k)": (
        "text",
        st.sampled_from([*CODES.values()]),
        {v: k for k, v in CODES.items()}.get,
    ),
}


@dataclass
class Leaf:
    """A row: ``n`` names it. ``null``: its text that means nothing; ``parts``: it is split."""

    n: str
    how: str
    optional: bool
    null: bool
    key: bool
    parts: int


@dataclass
class Scope:
    n: str
    plain: Leaf | None = None
    leaves: list[Leaf] = field(default_factory=list)
    lists: list[Scope] = field(default_factory=list)
    group: list[Leaf] = field(default_factory=list)


@st.composite
def scopes(draw: st.DrawFn, depth: int = 0) -> Scope:
    names = iter(f"{chr(97 + depth)}{number}" for number in range(100))

    def leaf() -> Leaf:
        optional = draw(st.booleans())
        parts = draw(st.sampled_from([1, 1, 1, -2, 2, 3]))
        return Leaf(
            next(names),
            draw(st.sampled_from([*KINDS])) if parts == 1 else "text",
            optional,
            optional and draw(st.booleans()) and parts != 2,
            parts == 1 and optional and draw(st.booleans()),
            parts,
        )

    if depth and draw(st.integers(0, 3)) == 0:
        plain = Leaf(next(names), draw(st.sampled_from([*KINDS])), False, False, False, 1)
        return Scope(next(names), plain=plain)
    many = draw(st.integers(1, 4))
    scope = Scope(next(names), leaves=[leaf() for _ in range(many)])
    scope.group = [leaf() for _ in range(draw(st.integers(0, 2)))]
    if depth < 2:
        inner = draw(st.lists(scopes(depth + 1), max_size=2))  # type: ignore[call-arg]
        for number, one in enumerate(inner):
            one.n = f"l{depth}{number}"
        scope.lists = inner
    return scope


class Files:
    """The files of a workspace for a scope, both for the request and for the answer."""

    def __init__(self, scope: Scope) -> None:
        self.fields: list[str] = []
        self.request: list[str] = []
        self.reply: list[str] = []
        self.operation: dict[str, list[str]] = {"input": [], "output": []}
        self.keyed: list[str] = []
        self.scope(scope, "", "")

    def scope(self, scope: Scope, theirs: str, ours: str) -> None:
        for leaf in scope.leaves:
            self.leaf(leaf, f"{theirs}{leaf.n.upper()}", f"{ours}{leaf.n}", theirs)
        if scope.group:
            self.declare(f'"{ours}g" = {{ type = "group", required = false }}')
        for leaf in scope.group:
            self.leaf(leaf, f"{theirs}G.{leaf.n.upper()}", f"{ours}g.{leaf.n}", theirs, inside=True)
        for inner in scope.lists:
            their, our = f"{theirs}{inner.n.upper()}[]", f"{ours}{inner.n}[]"
            if inner.plain is not None:
                self.fields.append(their)
                kind = KINDS[inner.plain.how][0]
                self.declare(f'"{our}" = {{ type = "{kind}" }}')
                self.row(f'"{their}"', f'"{our}"', f'as = "{inner.plain.how}"')
            else:
                self.declare(f'"{our}" = {{ type = "group" }}')
                self.scope(inner, f"{their}.", f"{our}.")

    def declare(self, line: str) -> None:
        for lines in self.operation.values():
            lines.append(line)

    def leaf(self, leaf: Leaf, their: str, our: str, around: str, *, inside: bool = False) -> None:
        required = "false" if leaf.optional else "true"
        kind = KINDS[leaf.how][0]
        null = ', null = ["-nil-"]' if leaf.null else ""
        mark = "?" if leaf.optional or inside else ""
        if leaf.key:
            listed = f"{around}KEYED[]"
            if f"{listed}.K" not in self.fields:
                self.fields += [f"{listed}.K", f"{listed}.V?"]
            self.declare(f'"{our}" = {{ type = "{kind}", required = false }}')
            name = f"{around}KEYED[K={leaf.n}].V"
            self.row(f'"{name}"', f'"{our}"', f'as = "{leaf.how}"{null}')
        elif leaf.parts == 1:
            self.fields.append(f"{their}{mark}")
            self.declare(f'"{our}" = {{ type = "{kind}", required = {required} }}')
            self.row(f'"{their}"', f'"{our}"', f'as = "{leaf.how}"{null}')
        elif leaf.parts > 1:
            self.fields.append(f"{their}{mark}")
            names = [f'"{our}{number}"' for number in range(leaf.parts)]
            for number, name in enumerate(names):
                later = required if number == 0 else "false"
                self.declare(f'{name} = {{ type = "text", required = {later} }}')
            self.row(f'"{their}"', f"[{', '.join(names)}]", "as = \"split('|')\"")
        else:
            both = [f"{their}{number}" for number in (0, 1)]
            self.fields += [f"{both[0]}{mark}", f"{both[1]}?"]
            self.declare(f'"{our}" = {{ type = "text", required = {required} }}')
            names = ", ".join(f'"{one}"' for one in both)
            self.row(f"[{names}]", f'"{our}"', f"as = \"join('|')\"{null}")

    def row(self, theirs: str, ours: str, rest: str) -> None:
        self.request.append(f"  {{ src = {theirs}, dst = {ours}, {rest} }},")
        self.reply.append(f"  {{ src = {ours}, dst = {theirs}, {rest} }},")

    def load(self, root: Path) -> CompiledMapping:
        (root / "operations").mkdir()
        lines = ['name = "any.thing"', "version = 1", 'effect = "read"']
        for side, fields in self.operation.items():
            lines += [f"[{side}]", *fields]
        (root / "operations/any.thing@1.toml").write_text("\n".join(lines), "utf-8")
        fields = ", ".join(f'"{one}"' for one in self.fields)
        codes = ["[codes]", 'k = { A = "first", B = "second" }']
        text = "\n".join(
            [
                'operation = "any.thing@1"',
                f'from = {{ kind = "json", fields = [{fields}], answer = [{fields}] }}',
                *("fields = [", *self.request, "]"),
                *("reply = [", *self.reply, "]"),
                *(codes if "code(k)" in "".join(self.request) else []),
            ]
        )
        (root / "any.toml").write_text(text, "utf-8")
        return load_mapping(root / "any.toml", load_operation(root, "any.thing@1"), root)


def payloads(scope: Scope) -> st.SearchStrategy[dict[str, Any]]:
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for leaf in scope.leaves:
        parts |= values(leaf)
    if scope.group:
        inner: dict[str, st.SearchStrategy[Any]] = {}
        for leaf in scope.group:
            inner |= values(leaf)
        parts["g"] = st.one_of(st.none(), st.fixed_dictionaries(inner))
    for one in scope.lists:
        if one.plain is not None:
            parts[one.n] = st.lists(KINDS[one.plain.how][1], max_size=3)
        else:
            parts[one.n] = st.lists(payloads(one), max_size=3)
    return st.fixed_dictionaries(parts).map(settled)


def settled(payload: dict[str, Any]) -> dict[str, Any]:
    """A part is there only where the one before it is."""
    for group in (payload, payload.get("g") or {}):
        for name in sorted(group):
            if name[-1:] == "0" and f"{name[:-1]}1" in group and name[:-1] not in group:
                for number in range(1, 3):
                    if (
                        group[f"{name[:-1]}{number - 1}"] is None
                        and f"{name[:-1]}{number}" in group
                    ):
                        group[f"{name[:-1]}{number}"] = None
    if not any(value is not None for value in (payload.get("g") or {}).values()):
        return {name: None if name == "g" else value for name, value in payload.items()}
    return payload


def values(leaf: Leaf) -> dict[str, st.SearchStrategy[Any]]:
    value = KINDS[leaf.how][1]
    if leaf.parts > 1:
        first = st.one_of(st.none(), WORDS) if leaf.optional else WORDS
        rest = {
            f"{leaf.n}_{number}": st.one_of(st.none(), WORDS) for number in range(1, leaf.parts)
        }
        names = {f"{leaf.n}_0": first, **rest}
        return {name.replace("_", ""): one for name, one in names.items()}
    return {leaf.n: st.one_of(st.none(), value) if leaf.optional else value}


def record(document: object) -> Record:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Record(source="s", position="1", kind="json", body=body)


def agree(mapping: CompiledMapping, side: Any, one: Record) -> None:
    """What is compiled reads as the careful reader does, and refuses what that one refuses."""
    found, _ = side.shape.read(one)
    payload, _, problems = side._reader.read(found, {})
    try:
        compiled = side.compiled(found)
    except Exception:  # noqa: BLE001
        assert problems
    else:
        assert problems == []
        assert compiled == payload


@settings(max_examples=60)
@given(st.data())
def test_random_mappings_go_both_ways(data: st.DataObject):
    scope = data.draw(scopes())
    with tempfile.TemporaryDirectory() as folder:
        mapping = Files(scope).load(Path(folder))
    for _ in range(3):
        payload = data.draw(payloads(scope))
        assert mapping.reply is not None
        quick = mapping.reply._encode(payload)
        careful, problems = mapping.reply._writer.write(payload, None)
        assert (problems, careful) == ([], quick)
        body = mapping.encode_reply(payload, record({}))
        answer = record(body)
        agree(mapping, mapping.reply, answer)
        assert mapping.decode_reply(answer) == payload
        assert mapping.decode_request(answer) == payload
        assert mapping.encode_request(payload, answer) == body
        other = data.draw(payloads(scope))
        changed = record(mapping.encode_request(other, answer))
        assert mapping.decode_request(changed) == other
        assert json.loads(mapping.encode_request(payload, changed).decode()) is not None


@settings(max_examples=60)
@given(st.data())
def test_what_is_damaged_is_refused_by_both(data: st.DataObject):
    scope = data.draw(scopes())
    with tempfile.TemporaryDirectory() as folder:
        mapping = Files(scope).load(Path(folder))
    document = json.loads(mapping.encode_reply(data.draw(payloads(scope)), record({})))
    for _ in range(4):
        damaged = record(damage(data, document) if document else {"zz": 1})
        agree(mapping, mapping.request, damaged)
        try:
            payload = mapping.decode_request(damaged)
        except MappingError as error:
            assert error.problems
            assert all(isinstance(one, Problem) and one.message for one in error.problems)
        else:
            assert mapping.encode_request(payload, damaged) == damaged.body


def damage(data: st.DataObject, node: Any) -> Any:
    """Change one value somewhere, or take it away."""
    if isinstance(node, dict) and node:
        name = data.draw(st.sampled_from(sorted(node)))
        if data.draw(st.integers(0, 5)) == 0:
            return {key: value for key, value in node.items() if key != name}
        return {**node, name: damage(data, node[name])}
    if isinstance(node, list) and node:
        at = data.draw(st.integers(0, len(node) - 1))
        return [*node[:at], damage(data, node[at]), *node[at + 1 :]]
    return data.draw(st.sampled_from([None, "", "x|y|z", "-nil-", "0012", "1e5", "A", "20240230"]))


TOML = st.text("ab=[]{}\"'#,\n .|()\\", max_size=60)


@given(TOML)
def test_lines_are_found_in_anything(text: str):
    lines = Lines(text)
    spot = lines.row("fields", 1) or lines.key("a")
    if spot is not None:
        assert 0 < spot.line <= text.count("\n") + 1
        assert spot.source in text


@given(st.text("abc(),|'= .:_-", max_size=30))
def test_any_converter_is_read_or_refused(text: str):
    try:
        forms = parse_forms(text)
    except ValueError as error:
        assert str(error)
    else:
        assert forms
        assert all(form.name for form in forms)


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_refused_with_a_config_error(data: st.DataObject):
    scope = data.draw(scopes())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        Files(scope).load(root)
        text = (root / "any.toml").read_text("utf-8")
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 8)))
        put = data.draw(st.text("abA[]{}=\"',.|()1 \n", max_size=6))
        (root / "any.toml").write_text(text[:start] + put + text[end:], "utf-8")
        try:
            load_mapping(root / "any.toml", load_operation(root, "any.thing@1"), root)
        except FigError as error:
            assert isinstance(error, ConfigError)
            for problem in error.problems:
                if problem.source:
                    assert problem.source in (root / "any.toml").read_text("utf-8")


def test_the_kinds_of_these_tests_are_the_converters_own():
    day = date(2024, 2, 29)
    assert KINDS["date(YYYYMMDD)"][2](day) == "20240229"
    assert KINDS["decimal(2)"][2](Decimal("1.50")) == "1.50"
