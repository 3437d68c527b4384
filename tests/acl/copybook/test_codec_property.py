"""Random copybooks over random bytes: what is generated against what is not, and both ways."""

from __future__ import annotations

import random
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.correction import as_text, from_text
from stranglerfig.acl.copybook.codec.locate import locate
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies
from stranglerfig.acl.copybook.codec.peek import Peek
from stranglerfig.errors import ConfigError

CLAUSES = (
    *("PIC X(3)", "PIC X", "PIC A(2)", "PIC X(4) JUST", "PIC N(2)", "PIC 9(3)", "PIC S9(4)V99"),
    *("PIC S9(5) COMP-3", "PIC 9(4)V9 COMP-3", "PIC 9(2) COMP-6", "PIC S9(4) COMP"),
    *(
        "PIC 9(9) COMP",
        "PIC S9(9)V99 COMP",
        "PIC 9(12) COMP-5",
        "PIC 99 COMP-9",
        "COMP-1",
        "COMP-2",
    ),
    *("PIC S9PPP COMP", "PIC ZZ9.99-", "PIC +9(3)", "PIC $$,$$9.99CR", "PIC ZZ9 BLANK WHEN ZERO"),
    *("PIC S9(3) SIGN LEADING SEPARATE", "PIC S9(2) SIGN LEADING"),
)
LIKELY = (b"\xf0\xf1\xf2\xc1\xd1\x40\x00\x0c\x1f", b"0123AJ} -.\x00\x0c", bytes(range(256)))


class Author:
    """Writes a copybook: groups, tables, counters, redefinitions."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines = ["       01 R."]
        self.count = 0
        self.group(5, 0, [])

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def group(self, level: int, depth: int, counters: list[str]) -> None:
        last = ""
        for _ in range(self.rng.randint(1, 4)):
            last = self.entry(level, depth, counters, last)

    def entry(self, level: int, depth: int, counters: list[str], last: str) -> str:
        rng = self.rng
        self.count += 1
        name = "FILLER" if rng.random() < 0.12 else f"F{self.count}"
        table = ""
        if rng.random() < 0.2:
            table = f" OCCURS {rng.randint(1, 3)}"
        elif counters and rng.random() < 0.2:
            most = rng.randint(2, 4)
            table = f"\n           OCCURS {rng.randint(0, 1)} TO {most} DEPENDING ON {rng.choice(counters)}"
        shared = f" REDEFINES {last}" if last and rng.random() < 0.3 and "TO" not in table else ""
        head = f"       {level:02d} {name}{shared}{table}"
        if rng.random() < 0.35 and depth < 3:
            self.lines.append(f"{head}.")
            self.group(level + 5, depth + 1, list(counters))
        elif not table and not shared and name != "FILLER" and rng.random() < 0.25:
            self.lines.append(f"{head} PIC 9.")
            counters.append(name)
        else:
            self.lines.append(f"{head} {rng.choice(CLAUSES)}.")
        if shared:
            return last
        return name if name != "FILLER" and not table else ""


def options(rng: random.Random, text: str) -> CodecOptions:
    book = parse_copybook(text)
    branches = [item.path for item in book.walk() if item.redefines]
    fields = [one.path for one in book.walk() if one.category != "group" and not one.filler]
    rules = {}
    if branches and fields and rng.random() < 0.5:
        test = rng.choice(["= 'A'", "!= 'A'", "in (1, 2)", "= 1"])
        rules = {rng.choice(branches): f"{rng.choice(fields)} {test}"}
    policies = Policies()
    if rng.random() < 0.2:
        policies = Policies(blank="zero", invalid="zero", zero=rng.choice(["zero", "null"]))
    return CodecOptions(
        encoding=rng.choice(["cp037", "ascii", "cp1140", "shift_jis"]),
        occurs=rng.choice(["max", "max", "shift", "pad"]),
        trim=rng.choice(["both", "right", "none"]),
        controls=rng.choice(["space", "keep"]),
        floats=rng.choice(["ibm", "ieee"]),
        endian=rng.choice(["big", "little"]),
        rules=rules,
        policies=policies,
    )


def dug(codec: Codec, values: object, path: str) -> object:
    """Give a field's value out of a record's, None where it stands in a table."""
    node, keys = codec.tree.by_path[path], []
    while node.parent is not None:
        keys.append(node.key)
        node = node.parent
    for key in reversed(keys):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def check(codec: Codec, record: bytes) -> None:
    values, corrections = codec.exact(record)
    assert codec.encode(values, from_text(as_text(corrections))) == record
    report: list = []
    assert repr(codec.decode(record, report)) == repr(values)
    spots = locate(codec.tree, values, moving=codec.moving)
    places = {(spot.node.path, spot.offset) for spot in spots}
    kinds = ("blank", "low", "invalid")
    assert {(one.path, one.offset) for one in report if one.kind in kinds} <= places
    if not codec.moving and len(record) >= codec.size:
        peek = Peek(codec._repair, codec._numbers, lambda path: dug(codec, values, path))
        assert repr(peek.read(codec.tree.roots[0], record)) == repr(values)
    if not corrections:
        assembly = codec._assembly()
        made = assembly.record(values)
        assert assembly.problems == []
        assert made == record or codec.options.occurs == "pad"


@given(st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_random_copybooks_over_random_bytes(seed):
    rng = random.Random(seed)
    text = Author(rng).text()
    try:
        codec = Codec(parse_copybook(text), options(rng, text))
    except ConfigError:
        return  # a rule that no branch can have
    empty = codec.encode({})
    for _ in range(8):
        size = codec.size if rng.random() < 0.6 else rng.randint(0, codec.size + 3)
        letters = rng.choice(LIKELY)
        check(codec, bytes(rng.choices(letters, k=size)) if rng.random() < 0.8 else empty[:size])
