"""Files of others: each decodes to what another decoder reads, and encodes to the same bytes.

The files are not ours: ``FIG_DATA`` names the folder that has them, in ``copybooks``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from stranglerfig.tests.importable import importable

GENERATED = {"File_Id", "Record_Id", "Record_Byte_Length", "Seg_Id0", "Seg_Id1"}
"""Names that the other decoder makes up; those in _NT are whole groups as text."""


class Case(NamedTuple):
    """A copybook, its data, what is expected, and how it is read."""

    copybook: str
    data: str
    expected: str
    options: tuple[str, ...] = ()


CASES = {
    "1": Case("test1_copybook.cob", "test1_data/example.bin", "test1_expected/test1.txt"),
    "3": Case("test3_copybook.cob", "test3_data/TRAN2.AUG31.DATA.dat", "test3_expected/test3.txt"),
    "5": Case(
        "test5_copybook.cob",
        "test5_data/COMP.DETAILS.SEP30.DATA.dat",
        "test5_expected/test5.txt",
        # The other decoder knows no accents, unless it is told the code page.
        ("--records", "rdw-le", "--encoding", "common"),
    ),
    "6": Case(
        "test6_copybook.cob",
        "test6_data/INTEGR.TYPES.NOV28.DATA.dat",
        "test6_expected/test6.txt",
        ("--floats", "ieee"),
    ),
    "10": Case(
        "test10_copybook.cob",
        "test10_data/data.dat",
        "test10_expected/test10.txt",
        ("--encoding", "ascii", "--root", "keep"),
    ),
    "19": Case(
        "test19_display_num.cob",
        "test19_display_num/data.dat",
        "test19_display_num_expected/test19.txt",
        # The other decoder reads a blank as zero where it has decimals, and as null where not.
        ("--policy", "WS-AMOUNT-FRACTION:blank=zero"),
    ),
    **{
        f"9 {page}": Case(
            "test9_copybook.cob",
            "test9_data/TRAN.APR14.NPT.DATA.dat",
            f"test9_expected/test9_{page}.txt",
            ("--encoding", page),
        )
        for page in ("cp037", "cp1140", "cp273", "cp500")
    },
}


@pytest.fixture(scope="module")
def folder() -> Path:
    data = os.environ.get("FIG_DATA")
    if not data:
        pytest.skip("FIG_DATA does not name the folder of the real data sets")
    return Path(data) / "copybooks"


def fig(*arguments: object, given: bytes = b"", cwd: Path) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "stranglerfig", "copybook", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": importable()},
        input=given,
        capture_output=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def named(value: object) -> object:
    """Give values as both write them: null is absent there, control characters are spaces here."""
    if isinstance(value, dict):
        return {
            name.replace("-", "_"): named(inner)
            for name, inner in value.items()
            if inner is not None and name not in GENERATED and not name.endswith("_NT")
        }
    if isinstance(value, str):
        shown = "".join(" " if unicodedata.category(one) == "Cc" else one for one in value)
        return shown.strip(" ")
    return [named(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_the_same_bytes_come_back(name: str, folder: Path, tmp_path: Path) -> None:
    case = CASES[name]
    data = folder / case.data
    lines = fig("decode", folder / case.copybook, data, *case.options, "--json", cwd=tmp_path)
    made = fig("encode", folder / case.copybook, "-", *case.options, given=lines, cwd=tmp_path)
    assert made == data.read_bytes()
    assert not list(tmp_path.iterdir()), "no record was bad"


@pytest.mark.parametrize("name", CASES)
def test_the_values_are_those_of_the_other_decoder(name: str, folder: Path, tmp_path: Path) -> None:
    case = CASES[name]
    lines = fig(
        "decode", folder / case.copybook, folder / case.data, *case.options, "--json", "--plain",
        cwd=tmp_path,
    )  # fmt: skip
    text = (folder / case.expected).read_bytes()
    expected = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    found = [json.loads(line, parse_float=Decimal) for line in lines.splitlines()]
    if name == "6":
        found.sort(key=lambda record: record["ID"])
    for ours, theirs in zip(found, expected, strict=False):
        assert_same(named(ours), named(theirs))
    assert len(found) >= len(expected)


def assert_same(ours: object, theirs: object, path: str = "") -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), path
        for name, value in ours.items():
            assert_same(value, theirs[name], f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), path
        for at, value in enumerate(ours):
            assert_same(value, theirs[at], f"{path}[{at}]")
    else:
        assert ours == theirs, path
