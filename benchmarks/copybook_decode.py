"""Records of copybooks a second: decoded and encoded, against a slicing loop and a library.

Run it alone: ``python benchmarks/copybook_decode.py``. Two layouts: ``claim``, 43 fields and 434
bytes (20 texts, 8 zoned, 11 COMP-3, 4 COMP), and ``pictures``, which has every numeric picture:
zoned, binary and packed of 1 to 37 digits, signs on all sides, scaling, floats, edited. ``loop`` is
the slicing loop that one writes by hand from a layout; it checks nothing. ``library`` is
coboljsonifier, which reads the first layout whole and of the second what it can (``subset``, read
by us as well for the ratio). ``columns`` decodes a whole file of the same records into Arrow.
Whatever is measured was compared, value by value, before.
A repeat takes the best of some short turns of each, since neighbours only ever slow; ratios are
taken within a repeat, and the figures are medians. The last line is JSON; the exit status
is 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from stranglerfig.acl.columns import columns
from stranglerfig.acl.copybook import Copybook, Item, Usage, parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec

GOALS = {
    "claim_per_library": 3.5,
    "claim_per_loop": 1.6,
    "claim_encode_per_decode": 0.5,
    "claim_columns_per_library": 25,
    "pictures_per_library": 3.5,
    "pictures_per_loop": 1.6,
    "pictures_encode_per_decode": 0.5,
    "pictures_columns_per_library": 25,
}
FILE = 8192
"""Records of the file that columns are made of."""
Read = Callable[[bytes], Any]
Row = tuple[str, str, int, int, int, bool]
WIDE = Context(prec=100)


# Layouts, and records for them.


def claim() -> list[str]:
    """43 fields: texts of 8 to 24, zoned numbers, COMP-3 with 2 decimals, COMP."""
    pictures = [f"X({8 + at % 5 * 3})" for at in range(20)]
    pictures += ["9(8)", "9(6)", "9(10)", "S9(7)", "9(4)", "S9(9)", "9(3)V99", "S9(5)V99"]
    pictures += ["S9(13)V99", "S9(7)", "S9(9)V99", "S9(5)", "S9(11)V99", "S9(9)V99", "S9(7)V99"]
    pictures += ["S9(5)V9", "S9(3)V9(4)", "S9(13)", "S9(11)V9(4)"]
    pictures[28:] = [f"{one} COMP-3" for one in pictures[28:]]
    pictures += ["S9(4) COMP", "S9(9) COMP", "S9(4) COMP", "S9(9) COMP"]
    size = parse_copybook(copybook("CLAIM", pictures)).size
    return [f"X({8 + 434 - size})", *pictures[1:]]


SIZES = (1, 2, 3, 4, 5, 8, 9, 10, 11, 17, 18, 19, 20, 37)
PARTS = ((2, 1), (2, 2), (3, 2), (4, 4), (5, 4), (5, 5), (15, 2), (16, 2), (17, 2), (18, 10))


def numbers(sign: str, usage: str, least: int, most: int) -> list[str]:
    """Give the pictures of a sign and a usage, of more than ``least`` digits, to ``most``."""
    found = [f"{sign}9({n}){usage}" for n in SIZES if least < n <= most]
    return found + [f"{sign}9({n})V9({m}){usage}" for n, m in PARTS if least < n + m <= most]


def subset() -> list[str]:
    """Give the numeric pictures that the library reads as they are meant, and a text."""
    pictures = ["S9(7) COMP", "X(10)", *numbers("", "", 0, 37), *numbers("S", "", 0, 20)]
    return [*pictures, *numbers("S", " COMP", 0, 18), *numbers("S", " COMP-3", 0, 20)]


def pictures() -> list[str]:
    """Give every numeric picture, in the proportions of a real test of them."""
    found = [*subset(), *numbers("S", "", 20, 37), *numbers("S", " COMP-3", 20, 37)]
    found += [*numbers("", " COMP", 0, 37), *numbers("S", " COMP", 18, 37)]
    found += [*numbers("", " COMP-3", 0, 37), "S9(9) SIGN LEADING SEPARATE"]
    found += ["S99V99 SIGN TRAILING SEPARATE", "SV9(7) SIGN LEADING", "SV9(7)", "COMP-1", "COMP-2"]
    found += [f"S9({n})V9({m}) COMP-3" for n, m in ((9, 2), (13, 2), (11, 2), (10, 3))]
    found += ["PPP9(5) COMP-3", "S9(5)PPP COMP-3", "SPPP9(5)", "S9(5)PPP"]
    found += ["SPPP9 COMP", "S9PPP COMP", "SPPP9(10) COMP", "S9(10)PPP COMP"]
    return [*found, "S9(3).99", "S9(5).9(5)", "+9(8)", "-9(8)", "Z(8)-", "+9(6)V99", "9(6).99-"]


def copybook(name: str, pictures: Sequence[str]) -> str:
    lines = [f"       01 {name}."]
    for at, picture in enumerate(pictures):
        clause = picture if picture.startswith("COMP") else f"PIC {picture}"
        lines.append(f"          05 F{at:03d}  {clause}.")
    return "\n".join(lines) + "\n"


def values(book: Copybook, rng: random.Random, most: int) -> dict[str, object]:
    """Give a record's values; numbers of at most so many digits, where a float carries no more."""
    return {item.name: value(item, rng, most) for item in book.records[0].children}


def value(item: Item, rng: random.Random, most: int) -> object:
    picture = item.picture
    if picture is None:
        return rng.randrange(-(10**5), 10**5) / 4
    if item.category == "alphanumeric":
        return "".join(rng.choices("ABCDEFGHIJ KLMNOPQRST", k=rng.randint(1, item.size))).strip()
    digits = rng.randrange(10 ** min(picture.digits, most))
    digits = -digits if picture.signed and rng.random() < 0.5 else digits
    if picture.scale <= 0:
        return digits * 10**-picture.scale
    return Decimal(digits).scaleb(-picture.scale)


# The loop.


def rows(book: Copybook) -> list[Row]:
    kinds = {Usage.BINARY: "binary", Usage.PACKED: "packed", Usage.FLOAT: "f", Usage.DOUBLE: "d"}
    found = []
    for item in book.records[0].children:
        picture = item.picture
        kind = kinds.get(item.usage, "zoned" if item.category == "numeric" else "text")
        kind = "edited" if item.category == "numeric-edited" else kind
        if item.sign.leading or item.sign.separate:
            kind = f"{'leading' if item.sign.leading else 'trailing'}{item.sign.separate:d}"
        scale, signed = (picture.scale, picture.signed) if picture else (0, True)
        found.append((item.name, kind, item.offset, item.offset + item.size, scale, signed))
    return found


def loop(layout: Sequence[Row]) -> Read:
    def read(record: bytes) -> dict[str, object]:
        out: dict[str, object] = {}
        for name, kind, start, end, scale, signed in layout:
            raw = record[start:end]
            if kind == "text":
                out[name] = raw.decode("cp037").strip()
                continue
            if kind == "packed":
                half = raw.hex()
                number = int(half[:-1])
                if half[-1] == "d":
                    number = -number
            elif kind == "zoned":
                half = raw.hex()
                number = int(half[1::2])
                if half[-2] == "d":
                    number = -number
            elif kind == "binary":
                number = int.from_bytes(raw, "big", signed=signed)
            else:
                out[name] = odd(kind, raw, scale)
                continue
            if scale > 0:
                out[name] = Decimal(number).scaleb(-scale, WIDE)
            else:
                out[name] = number * 10**-scale if scale else number
        return out

    return read


def odd(kind: str, raw: bytes, scale: int) -> object:
    if kind in "fd":
        return struct.unpack(">" + kind, raw)[0]
    half = raw.hex()
    if kind == "edited":
        text = raw.decode("cp037").strip()
        sign = -1 if "-" in text or half[-2] == "d" else 1
        digits = text.strip("+-").replace(".", "")
        digits = digits[:-1] + half[-1] if half[-2] in "cd" else digits
        number = sign * int(digits)
    elif kind == "leading0":
        number = int(half[1::2]) * (-1 if half[0] == "d" else 1)
    elif kind == "leading1":
        number = int(half[3::2]) * (-1 if raw[0] == 0x60 else 1)
    else:
        number = int(half[1:-2:2]) * (-1 if raw[-1] == 0x60 else 1)
    return Decimal(number).scaleb(-scale, WIDE) if scale else number


# The library.


def library(text: str) -> Read:
    from coboljsonifier.config.parser_type_enum import ParseType
    from coboljsonifier.copybookextractor import CopybookExtractor
    from coboljsonifier.parser import Parser

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        file = Path(folder) / "record.cpy"
        file.write_text(text)
        parser = Parser(CopybookExtractor(str(file)).dict_book_structure, ParseType.BINARY_EBCDIC)
        built = parser.build()

    def read(record: bytes) -> Any:
        built.parse(record)
        return built.value

    return read


# What is measured.


class Layout:
    """A copybook, records of it, and those who read them. All was compared."""

    def __init__(self, name: str, found: Sequence[str], count: int, *peers: str) -> None:
        text = copybook(name.upper(), found)
        book = parse_copybook(text)
        rng = random.Random(name)
        codec = Codec(book)
        most = 15 if "library" in peers else 128
        self.name = name
        self.fields, self.size = len(found), book.size
        self.values = [values(book, rng, most) for _ in range(count)]
        self.records = [codec.encode(one) for one in self.values]
        self.work: dict[str, tuple[Read, Sequence[Any]]] = {"ours": (codec.decode, self.records)}
        if "loop" in peers:
            self.work["loop"] = (loop(rows(book)), self.records)
        if "library" in peers:
            self.work["library"] = (library(text), self.records[: count // 2])
        if "encode" in peers:
            self.work["encode"] = (codec.encode, self.values)
        self.counts = {peer: len(given) for peer, (_, given) in self.work.items()}
        for peer in self.work.keys() - {"encode"}:
            self._compare(peer)
        if "columns" in peers:
            self._columns(codec)

    def _columns(self, codec: Codec) -> None:
        made = columns(codec)
        file = b"".join(self.records[at % len(self.records)] for at in range(FILE))
        for row, wanted in zip(made.decode(file).to_pylist(), self.values, strict=False):
            for field, one in wanted.items():
                if row[field] != one:
                    raise SystemExit(
                        f"{self.name}, columns: {field} is {row[field]!r}, not {one!r}"
                    )
        self.work["columns"] = (made.decode, [file])
        self.counts["columns"] = FILE

    def _compare(self, peer: str) -> None:
        read, records = self.work[peer]
        for record, wanted in zip(records, self.values, strict=False):
            found = read(record)
            for field, one in wanted.items():
                if found[field] != one and not (one == "" and found[field] is None):
                    raise SystemExit(
                        f"{self.name}, {peer}: {field} is {found[field]!r}, not {one!r}"
                    )

    def microseconds(self, peer: str) -> float:
        read, given = self.work[peer]
        began = time.perf_counter()
        for one in given:
            read(one)
        return (time.perf_counter() - began) / self.counts[peer] * 1e6


def bench(repeats: int, turns: int, count: int) -> bool:
    layouts = [
        Layout("claim", claim(), count, "loop", "library", "encode", "columns"),
        Layout("pictures", pictures(), count // 4, "loop", "encode"),
        Layout("subset", subset(), count // 4, "library", "columns"),
    ]
    runs: dict[tuple[str, str], list[float]] = {}
    work = [(layout, peer) for layout in layouts for peer in layout.work]
    for _ in range(repeats):
        best: dict[tuple[str, str], float] = {}
        for _ in range(turns):
            for layout, peer in random.sample(work, len(work)):
                key = (layout.name, peer)
                best[key] = min(best.get(key, 1e9), layout.microseconds(peer))
        for key, one in best.items():
            runs.setdefault(key, []).append(one)
    return report(layouts, runs)


def report(layouts: Sequence[Layout], runs: dict[tuple[str, str], list[float]]) -> bool:
    for layout in layouts:
        print(f"{layout.name}: {layout.fields} fields, {layout.size} bytes")
        for peer in layout.work:
            middle = statistics.median(runs[layout.name, peer])
            print(f"  {peer:8}{middle:8.1f} µs{1e6 / middle:10,.0f} records/s")
    ratios = {
        "claim_per_library": ratio(runs, "claim", "library", "ours"),
        "claim_per_loop": ratio(runs, "claim", "loop", "ours"),
        "claim_encode_per_decode": ratio(runs, "claim", "ours", "encode"),
        "claim_columns_per_library": ratio(runs, "claim", "library", "columns"),
        "pictures_per_library": ratio(runs, "subset", "library", "ours"),
        "pictures_per_loop": ratio(runs, "pictures", "loop", "ours"),
        "pictures_encode_per_decode": ratio(runs, "pictures", "ours", "encode"),
        "pictures_columns_per_library": ratio(runs, "subset", "library", "columns"),
    }
    met = all(ratios[name] >= goal for name, goal in GOALS.items())
    result = {"benchmark": "copybook_decode", "ratios": ratios, "goals": GOALS, "met": met}
    print(json.dumps(result))
    return met


def ratio(runs: dict[tuple[str, str], list[float]], layout: str, slower: str, faster: str) -> float:
    pairs = zip(runs[layout, slower], runs[layout, faster], strict=True)
    return round(statistics.median(a / b for a, b in pairs), 2)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--turns", type=int, default=5, help="of each in a repeat")
    arguments.add_argument("--count", type=int, default=1000)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.turns, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
