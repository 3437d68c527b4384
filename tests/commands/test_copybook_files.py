"""``fig copybook``: every record format is decoded, and encoded back to the same bytes."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from stranglerfig.cli import main
from stranglerfig.tests.commands.parcels import (
    PARCEL,
    PLAIN,
    ROUTE,
    ROUTES,
    SEGMENTS,
    parcel,
    parcels,
)


class Fig:
    """Runs ``fig copybook`` as its entry point does, in a folder of its own."""

    def __init__(self, monkeypatch, capfdbinary, folder: Path) -> None:
        self.monkeypatch, self.capture, self.folder = monkeypatch, capfdbinary, folder
        self.err = ""
        monkeypatch.chdir(folder)
        monkeypatch.delenv("COLUMNS", raising=False)
        for name, text in {"parcel": PARCEL, "plain": PLAIN, "route": ROUTE}.items():
            (folder / f"{name}.cpy").write_text(text)

    def __call__(self, *arguments, status=0, given: bytes = b"") -> bytes:
        self.monkeypatch.setattr(sys, "argv", ["fig", "copybook", *map(str, arguments)])
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capture.readouterr()
        self.err = err.decode()
        assert ended.value.code == status, self.err
        return out

    def values(self, *arguments, **how) -> list[dict]:
        """Decode, and give the fields of each record."""
        lines = self("decode", *arguments, "--json", **how).splitlines()
        return [fields(line) for line in lines]

    def file(self, data: bytes, name: str = "data.bin") -> str:
        """Write a file of the folder."""
        (self.folder / name).write_bytes(data)
        return name

    def left(self) -> set[str]:
        """Name what was written."""
        return {one.name for one in self.folder.iterdir()} - {
            "parcel.cpy", "plain.cpy", "route.cpy", "data.bin"
        }  # fmt: skip


def fields(line: bytes) -> dict:
    found = json.loads(line, parse_float=Decimal)
    return {name: value for name, value in found.items() if not name.startswith("$")}


@pytest.fixture
def fig(monkeypatch, capfdbinary, tmp_path):
    return Fig(monkeypatch, capfdbinary, tmp_path)


BODIES, VALUES = parcels(7)


def words(bodies, order, *, more=0):
    """Put a record descriptor word before each."""
    if order == "big":
        return b"".join((len(one) + more).to_bytes(2, "big") + b"\0\0" + one for one in bodies)
    return b"".join(b"\0\0" + (len(one) + more).to_bytes(2, "little") + one for one in bodies)


def blocks(bodies, order, *, size=3, more=0):
    """Put them into blocks of some."""
    parts = [words(bodies[at : at + size], order, more=more) for at in range(0, len(bodies), size)]
    return words(parts, order, more=more)


FORMATS = {
    "fixed": (b"".join(BODIES), ()),
    "fixed, longer than the copybook": (
        b"".join(one + b"??" for one in BODIES),
        ("--length", "28"),
    ),
    "header and footer": (
        b"HEAD\0" + b"".join(BODIES) + b"FOOT",
        ("--header", "5", "--footer", "4"),
    ),
    "bytes around each": (
        b"".join(b"<" + one + b"!>" for one in BODIES),
        ("--record-start", "1", "--record-end", "2"),
    ),
    "rdw-be": (words(BODIES, "big"), ("--records", "rdw-be")),
    "rdw-le": (words(BODIES, "little"), ("--records", "rdw-le")),
    "rdw-be counted": (words(BODIES, "big", more=4), ("--records", "rdw-be", "--rdw-counted")),
    "rdw-le adjusted": (
        words(BODIES, "little", more=-3),
        ("--records", "rdw-le", "--rdw-adjust", "3"),
    ),
    "rdw-be, header and footer": (
        bytes(100) + words(BODIES, "big") + bytes(120),
        ("--records", "rdw-be", "--header", "100", "--footer", "120"),
    ),
    "vb-be as on z/OS": (
        blocks(BODIES, "big", more=4),
        ("--records", "vb-be", "--rdw-counted", "--bdw-counted"),
    ),
    "vb-le": (blocks(BODIES, "little"), ("--records", "vb-le")),
    "vb, two byte orders": (
        words([words(BODIES, "little")], "big"),
        ("--records", "vb-le", "--bdw", "big"),
    ),
    "two bytes before each": (
        b"".join(len(one).to_bytes(2, "big") + one for one in BODIES),
        ("--records", "rdw-be", "--rdw-size", "2"),
    ),
    "a word of five bytes": (
        b"".join(b"\1\0\0" + len(one).to_bytes(2, "little") + one for one in BODIES),
        ("--records", "rdw-le", "--rdw-size", "5"),
    ),
    "a length of four bytes": (
        b"".join(len(one).to_bytes(4, "big") + one for one in BODIES),
        ("--records", "rdw-be", "--rdw-length", "4"),
    ),
    "delimited": (
        b"".join(one + b"\xde\xad\xbe\xef" for one in BODIES),
        ("--records", "delimited", "--end", "DEADBEEF"),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_record_format(fig, name):
    data, options = FORMATS[name]
    file = fig.file(data)
    out = fig("decode", "parcel.cpy", file, *options, *SEGMENTS, "--json")
    assert [fields(line) for line in out.splitlines()] == VALUES
    fig.file(out, "lines.jsonl")
    assert fig("encode", "parcel.cpy", "lines.jsonl", *options, *SEGMENTS) == data
    assert fig.left() == {"lines.jsonl"}, "nothing was bad"
    assert fig("decode", "parcel.cpy", "-", *options, *SEGMENTS, "--json", given=data) == out
    assert fig("encode", "parcel.cpy", "-", *options, *SEGMENTS, given=out) == data


LINES = {
    "lf": (b"AMSAmster  012\nPRGPrague  003\n", ("--encoding", "ascii")),
    "crlf": (b"AMSAmster  012\r\nPRGPrague  003\r\n", ("--encoding", "ascii")),
    "mixed, the last without": (b"AMSAmster  012\r\nPRGPrague  003", ("--encoding", "ascii")),
    "nl of EBCDIC": ("AMSAmster  012\x85PRGPrague  003\x85".encode("cp037"), ()),
    "lf of EBCDIC": (
        "AMSAmster  012\nPRGPrague  003\n".encode("cp037"),
        ("--end", "ebcdic-lf"),
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_line_sequential(fig, name):
    data, options = LINES[name]
    options = ("--records", "line", *options)
    out = fig("decode", "plain.cpy", fig.file(data), *options, "--json")
    assert [fields(line) for line in out.splitlines()] == [
        {"CODE": "AMS", "CITY": "Amster", "BAYS": 12},
        {"CODE": "PRG", "CITY": "Prague", "BAYS": 3},
    ]
    assert fig("encode", "plain.cpy", "-", *options, given=out) == data


def test_a_line_shorter_than_the_copybook(fig):
    data = b"AMSAmster\nPRG\n"
    options = ("--records", "line", "--encoding", "ascii")
    out = fig("decode", "plain.cpy", fig.file(data), *options, "--json")
    assert fields(out.splitlines()[0])["BAYS"] is None
    assert fields(out.splitlines()[1])["CODE"] == "PRG"
    assert fig("encode", "plain.cpy", "-", *options, given=out) == data


@pytest.mark.parametrize("occurs", ["shift by counts", "shift by a field"])
def test_records_that_say_how_long_they_are(fig, occurs):
    data = "".join(text for text, _ in ROUTES).encode()
    options = ["--encoding", "ascii", "--occurs", "shift"]
    if occurs == "shift by a field":
        options += ["--length-field", "SIZE-IN-BYTES"]
    out = fig("decode", "route.cpy", fig.file(data), *options, "--json")
    assert [fields(line) for line in out.splitlines()] == [values for _, values in ROUTES]
    assert fig("encode", "route.cpy", "-", *options, given=out) == data


def test_a_length_field_can_say_less_than_the_whole(fig):
    data = "".join(f"{int(text[:3]) - 3:03d}{text[3:]}" for text, _ in ROUTES).encode()
    options = ("--encoding", "ascii", "--occurs", "shift")
    options = (
        *options,
        "--length-field",
        "SIZE_IN_BYTES".replace("_", "-"),
        "--length-adjust",
        "3",
    )
    assert len(fig.values("route.cpy", fig.file(data), *options)) == 3


@pytest.mark.parametrize("layout", ["max", "pad"])
def test_tables_in_records_of_one_length(fig, layout):
    """``pad`` writes what ``shift`` does and fills up; at its most every layout is the same."""
    text, values = ROUTES[1]
    full = 3 + 1 + 5 * (3 + 1 + 3 * 2) + 4
    if layout == "pad":
        data = text.ljust(full).encode()
    else:
        stops = "AMS2A1B2    PRG0      ".replace("    ", "  ", 1)
        data = ("0222" + stops.ljust(50) + "BENO").encode()
    options = ("--encoding", "ascii", "--occurs", layout)
    out = fig("decode", "route.cpy", fig.file(data), *options, "--json")
    assert fields(out)["STOP"] == values["STOP"]
    assert fields(out)["DRIVER"] == "BENO"
    assert fig("encode", "route.cpy", "-", *options, given=out) == data


def test_a_file_of_no_records_keeps_its_header_and_footer(fig):
    data = b"HEAD0000FOOT"
    options = ("--header", "8", "--footer", "4")
    out = fig("decode", "parcel.cpy", fig.file(data), *options, "--json")
    assert out.count(b"\n") == 1
    assert fig("encode", "parcel.cpy", "-", *options, given=out) == data
    assert fig("decode", "parcel.cpy", "data.bin", *options, "--json", "--plain") == b""


def test_numbers_are_exact(fig):
    (fig.folder / "numbers.cpy").write_text(
        "       01  N.\n"
        "           05  WIDE   PIC 9(31).\n"
        "           05  MONEY  PIC S9(29)V99 COMP-3.\n"
        "           05  TINY   PIC V9(12) COMP-3.\n"
        "           05  RATE   COMP-1.\n"
        "           05  SUM-OF COMP-2.\n"
    )
    digits = "9876543210987654321098765432109"
    data = digits.encode("cp037") + packed_bytes("-" + digits) + packed_bytes("000000000001")
    data += bytes.fromhex("3DCCCCCD") + bytes.fromhex("3FB999999999999A")
    out = fig("decode", "numbers.cpy", fig.file(data), "--floats", "ieee", "--json")
    line = out.decode()
    assert f'"WIDE":{digits},' in line
    assert f'"MONEY":-{digits[:-2]}.{digits[-2:]},' in line
    assert fields(out)["TINY"] == Decimal("0.000000000001")
    assert '"RATE":0.1,"SUM-OF":0.1' in line
    assert fig("encode", "numbers.cpy", "-", "--floats", "ieee", given=out) == data


def packed_bytes(text):
    digits = text.lstrip("-")
    return bytes.fromhex(
        (digits + ("D" if text.startswith("-") else "C")).rjust((len(digits) + 2) // 2 * 2, "0")
    )


# -- what is said beside the fields -------------------------------------------------------------


def test_plain_leaves_out_what_only_encoding_needs(fig):
    data = b"".join(b"\0" + one for one in BODIES)
    options = ("--record-start", "1", "--json")
    assert b'"$frame"' in fig("decode", "parcel.cpy", fig.file(data), *options)
    plain = fig("decode", "parcel.cpy", "data.bin", *options, "--plain")
    assert b"$" not in plain


def test_each_record_can_say_its_number(fig):
    out = fig("decode", "parcel.cpy", fig.file(b"".join(BODIES)), "--json", "--number")
    assert [json.loads(line)["$number"] for line in out.splitlines()] == list(range(1, 8))
    assert fig("encode", "parcel.cpy", "-", given=out) == b"".join(BODIES)


def test_a_changed_field_changes_its_bytes_and_no_others(fig):
    data = words(BODIES, "big")
    options = ("--records", "rdw-be", *SEGMENTS)
    out = fig("decode", "parcel.cpy", fig.file(data), *options, "--json")
    changed = out.replace(b'"Zo\xc3\xab 2"', b'"Someone else"')
    assert changed != out
    made = fig("encode", "parcel.cpy", "-", *options, given=changed)
    assert len(made) == len(data)
    at = data.index("Zoë 2".encode("cp037"))
    assert made[:at] + made[at + 12 :] == data[:at] + data[at + 12 :]
    assert made[at : at + 12] == "Someone else".encode("cp037")


def test_limit(fig):
    file = fig.file(b"".join(BODIES))
    assert len(fig.values("parcel.cpy", file, "--limit", "3")) == 3
    assert len(fig.values("parcel.cpy", file, "--limit", "0")) == 7


def test_output_is_a_file_of_lines(fig):
    out = fig("decode", "parcel.cpy", fig.file(b"".join(BODIES)), "--json")
    assert fig("decode", "parcel.cpy", "data.bin", "--output", "out.jsonl") == b""
    assert "7 records" in fig.err
    assert (fig.folder / "out.jsonl").read_bytes() == out
    said = fig("encode", "parcel.cpy", "out.jsonl", "--output", "again.bin", "--json")
    assert json.loads(said) == {"records": 7, "bytes": 7 * 26, "output": "again.bin"}
    assert (fig.folder / "again.bin").read_bytes() == b"".join(BODIES)


def test_the_first_records_for_people(fig):
    many, _ = parcels(30)
    out = fig("decode", "parcel.cpy", fig.file(b"".join(many)), *SEGMENTS).decode()
    assert out.count("PARCEL-ID") == 20
    assert "Zoë 2" in out
    assert "-4.26" in out
    assert "the first 20" in fig.err
    table = fig("decode", "plain.cpy", "-", "--encoding", "ascii", given=b"AMSAmster  012").decode()
    assert [line.split() for line in table.splitlines() if "AMS" in line] == [
        ["1", "AMS", "Amster", "12"]
    ]


def test_what_a_policy_replaced_is_reported(fig):
    data = b"AMSAmster     PRGPrague  x03"
    (values, _) = fig.values("plain.cpy", fig.file(data), "--encoding", "ascii")
    assert values["BAYS"] is None
    assert "1 × BAYS: blank" in fig.err
    zero = fig.values(
        "plain.cpy", "data.bin", "--encoding", "ascii",
        "--policy", "BAYS:blank=zero", "--policy", "invalid=null",
    )  # fmt: skip
    assert [one["BAYS"] for one in zero] == [0, None]


# -- what is bad ---------------------------------------------------------------------------------


def quarantine(fig, name="data.bin.quarantine.jsonl"):
    return [json.loads(line) for line in (fig.folder / name).read_bytes().splitlines()]


def test_a_bad_record_is_kept_and_replayed(fig):
    bad = BODIES[2][:5] + b"\xab\xcd\xef\x01" + BODIES[2][9:]
    data = b"".join([*BODIES[:2], bad, *BODIES[3:]])
    strict = ("--policy", "invalid=error", *SEGMENTS)
    good = fig.values("parcel.cpy", fig.file(data), *strict, status=4)
    assert good == VALUES[:2] + VALUES[3:]
    assert "1 bad" in fig.err
    assert "WEIGHT" in fig.err
    (entry,) = quarantine(fig)
    assert (entry["kind"], entry["number"], entry["offset"], entry["length"]) == (
        "record", 3, 52, 26
    )  # fmt: skip
    assert (entry["path"], entry["hex"]) == ("WEIGHT", bad.hex().upper())
    assert entry["file"] == str(fig.folder / "data.bin")
    assert (fig.folder / "data.bin.quarantine.jsonl").stat().st_mode & 0o077 == 0
    fig("replay", "parcel.cpy", "data.bin.quarantine.jsonl", *strict, "--json", status=4)
    assert quarantine(fig, "data.bin.quarantine.jsonl.again") == [entry]
    out = fig("replay", "parcel.cpy", "data.bin.quarantine.jsonl", *SEGMENTS, "--json", "--number")
    assert json.loads(out)["$number"] == 3
    assert fields(out) == {**VALUES[2], "WEIGHT": None}
    assert fig("encode", "parcel.cpy", "-", *SEGMENTS, given=out) == bad


def test_a_file_cut_short(fig):
    found = fig.values("parcel.cpy", fig.file(b"".join(BODIES)[:-5]), *SEGMENTS, status=4)
    assert found == VALUES[:-1]
    (entry,) = quarantine(fig)
    assert (entry["kind"], entry["number"], entry["offset"]) == ("border", 7, 6 * 26)
    assert bytes.fromhex(entry["hex"]) == BODIES[-1][:-5]


@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
def test_what_cannot_be_told_apart_is_replayed_with_the_right_option(fig, piped):
    """With the wrong option the file stops; with the right one the rest is there."""
    data = words(BODIES[:2], "big") + words(BODIES[2:], "little")
    file, given = ("-", data) if piped else (fig.file(data), b"")
    found = fig.values("parcel.cpy", file, *SEGMENTS, "--records", "rdw-be", status=4, given=given)
    assert found == VALUES[:2]
    name = f"{'stdin' if piped else 'data.bin'}.quarantine.jsonl"
    (entry,) = quarantine(fig, name)
    assert (entry["kind"], entry["number"], entry["length"]) == ("stop", 3, len(data) - 60)
    assert "the other byte order" in entry["expected"]
    options = ("--records", "rdw-le", *SEGMENTS, "--json", "--number")
    out = fig("replay", "parcel.cpy", name, *options)
    assert [fields(line) for line in out.splitlines()] == VALUES[2:]
    assert [json.loads(line)["$number"] for line in out.splitlines()] == [3, 4, 5, 6, 7]
    assert ("stdin.quarantine.jsonl.1.rest" in fig.left()) is piped


def test_a_replay_needs_the_file_that_was_not_read(fig):
    data = words(BODIES[:1], "big") + b"\xff\xff\0\0" + bytes(100)
    options = ("--records", "rdw-be", "--longest", "1000")
    fig.values("parcel.cpy", fig.file(data), *options, status=4)
    (fig.folder / "data.bin").unlink()
    fig("replay", "parcel.cpy", "data.bin.quarantine.jsonl", *options, "--json", status=4)
    assert "cannot be read now" in fig.err
    assert "put the file back" in fig.err


def test_encoding_is_all_or_nothing(fig):
    out = fig("decode", "parcel.cpy", fig.file(b"".join(BODIES)), *SEGMENTS, "--json")
    lines = out.splitlines()
    lines[1] = lines[1].replace(b'"PARCEL-ID":2', b'"PARCEL-ID":123456789')
    lines[4] = b"{no json"
    (fig.folder / "out.bin").write_bytes(b"as it was")
    fig(
        "encode", "parcel.cpy", "-", *SEGMENTS, "--output", "out.bin",
        status=4, given=b"\n".join(lines),
    )  # fmt: skip
    assert "line 2" in fig.err
    assert "PARCEL-ID" in fig.err
    assert "line 5" in fig.err
    assert (fig.folder / "out.bin").read_bytes() == b"as it was"
    assert fig.left() == {"out.bin"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("decode", "none.cpy", "data.bin"), 3, "none.cpy"),
        (("decode", "parcel.cpy", "none.bin"), 4, "none.bin"),
        (("decode", "parcel.cpy", "data.bin", "--encoding", "cp99999"), 3, "cp99999"),
        (("decode", "parcel.cpy", "data.bin", "--segment", "KIND"), 2, "--when"),
        (("decode", "parcel.cpy", "data.bin", "--segment", "KNID", "--when", "EVENT=E"), 3, "KNID"),
        (("decode", "parcel.cpy", "data.bin", "--segment", "KIND", "--when", "E"), 2, "NAME=VALUE"),
        (("decode", "parcel.cpy", "data.bin", "--policy", "FEE=zero"), 2, "[FIELD:]CASE=ACTION"),
        (("decode", "parcel.cpy", "data.bin", "--length-field", "DETAILS"), 3, "DETAILS"),
        (("decode", "parcel.cpy", "data.bin", "--records", "delimited"), 2, "--end"),
        (
            ("decode", "parcel.cpy", "data.bin", "--end", "zz", "--records", "line"),
            2,
            "hexadecimal",
        ),
        (("decode", "parcel.cpy", "data.bin", "--header", "4000"), 4, "shorter"),
        (("decode", "parcel.cpy", "data.bin", "--output", "no/such/place"), 4, "no/such/place"),
        (("encode", "parcel.cpy", "data.bin", "--json"), 2, "--output"),
        (("replay", "parcel.cpy", "data.bin"), 4, "quarantine"),
        (("replay", "parcel.cpy", "none.jsonl"), 4, "none.jsonl"),
        (("show", "none.cpy"), 3, "none.cpy"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_errors_say_what_and_where(fig, arguments, status, said):
    fig.file(b"".join(BODIES))
    fig(*arguments, status=status)
    assert said in fig.err
    assert "Traceback" not in fig.err


def test_show(fig):
    out = fig("show", "parcel.cpy").decode()
    cells = [line.split() for line in out.splitlines()]
    rows = {row[1]: row for row in cells if len(row) > 1}
    assert rows["WEIGHT"] == ["05", "WEIGHT", "5", "4", "S9(5)V99", "COMP-3"]
    assert rows["EVENT"] == ["05", "EVENT", "9", "17", "redefines", "DETAILS"]
    assert "26 bytes" in out
    found = json.loads(fig("show", "parcel.cpy", "--json"))
    assert found["size"] == 26
    assert [item["path"] for item in found["items"]][:3] == ["PARCEL", "KIND", "PARCEL-ID"]


def test_a_wrong_copybook_is_shown_with_a_caret(fig):
    (fig.folder / "wrong.cpy").write_text("       01  A.\n           05  B  PIC X(3.\n")
    fig("show", "wrong.cpy", status=3)
    lines = fig.err.splitlines()
    assert lines[0].endswith("05  B  PIC X(3.")
    assert lines[0][lines[1].index("^") :].startswith("X(3")
    assert "line 2" in fig.err


def test_the_values_of_a_record_are_those_of_the_hand(fig):
    """The generator of these tests agrees with what is known of one record."""
    body, values = parcel(3)
    assert body.hex() == "c50000003f0000389de2f3404040f2f0f2f0f0f0f0f340404040"
    assert values["WEIGHT"] == Decimal("-3.89")
    assert fig.values("parcel.cpy", fig.file(body), *SEGMENTS) == [values]


@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
def test_a_line_too_long_is_replayed_whole(fig, piped):
    """Three pieces in the quarantine; with a larger --longest they are one record again."""
    (fig.folder / "long.cpy").write_text("       01  A.\n           05  B  PIC X(3000000).\n")
    data = b"short\n" + b"x" * 3_000_000 + b"\nlast\n"
    options = ("--records", "line", "--encoding", "ascii")
    file, given = ("-", data) if piped else (fig.file(data), b"")
    few = (*options, "--longest", "1000000")
    found = fig.values("long.cpy", file, *few, status=4, given=given)
    assert [one["B"] for one in found] == ["short", "last"]
    name = f"{'stdin' if piped else 'data.bin'}.quarantine.jsonl"
    assert {entry["number"] for entry in quarantine(fig, name)} == {2}
    assert ((fig.folder / name).stat().st_size < 100_000) is not piped
    out = fig("replay", "long.cpy", name, *options, "--json", "--number")
    assert json.loads(out)["$number"] == 2
    assert fields(out)["B"] == "x" * 3_000_000
