"""Cobrix's own test data: every case decodes to its expected values and comes back to its bytes."""

from __future__ import annotations

import json
import os
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest

from stranglerfig.acl.copybook import read_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.correction import as_text, from_text
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies

pytestmark = pytest.mark.skipif(
    "FIG_DATA" not in os.environ, reason="FIG_DATA names the folder with copybooks of others"
)

GENERATED = {"File_Id", "Record_Id", "Record_Byte_Length", "Seg_Id0", "Seg_Id1"}
"""Fields that the other decoder adds to a record."""


def folder() -> Path:
    return Path(os.environ["FIG_DATA"]) / "copybooks"


def records(name: str, size: int) -> list[bytes]:
    data = (folder() / name).read_bytes()
    if size:
        return [data[at : at + size] for at in range(0, len(data), size)]
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def expected(name: str) -> list[dict]:
    lines = (folder() / name).read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [json.loads(line, parse_float=Decimal) for line in lines]


def plain(value: object) -> object:
    """Names as Spark has them, nothing for null, control characters as the spaces they are for us."""
    if isinstance(value, dict):
        return {
            key.replace("-", "_"): plain(one)
            for key, one in value.items()
            if one is not None and key not in GENERATED and not key.endswith("_NT")
        }
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str):
        shown = "".join(" " if unicodedata.category(one) == "Cc" else one for one in value)
        return shown.strip(" ")
    return Decimal(repr(value)) if isinstance(value, float) else value


def digits(value: object) -> object:
    """Whether 59.80 came as 59.80 and not as 59.8: their texts."""
    if isinstance(value, dict):
        return {key: digits(one) for key, one in value.items()}
    if isinstance(value, list):
        return [digits(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f").rstrip("0") if "E" in str(value) else str(value)
    return value


CASES = {
    "test1": ("test1_copybook.cob", "test1_data/example.bin", 2202, CodecOptions()),
    "test3": ("test3_copybook.cob", "test3_data/TRAN2.AUG31.DATA.dat", 45, CodecOptions()),
    # What cp037 has, Cobrix's own page has not: what no code page shares it reads as spaces.
    "test5": (
        "test5_copybook.cob",
        "test5_data/COMP.DETAILS.SEP30.DATA.dat",
        0,
        CodecOptions(encoding="common"),
    ),
    "test6": ("test6_copybook.cob", "test6_data/INTEGR.TYPES.NOV28.DATA.dat", 1493, CodecOptions()),
    "test10": (
        "test10_copybook.cob",
        "test10_data/data.dat",
        46,
        CodecOptions(encoding="ascii", root="keep"),
    ),
    # Cobrix reads a blank display number as zero where it has decimals, and as null where not.
    "test19": (
        "test19_display_num.cob",
        "test19_display_num/data.dat",
        80,
        CodecOptions(fields={"WS-AMOUNT-FRACTION": Policies(blank="zero")}),
    ),
    **{
        f"test9_{page}": (
            "test9_copybook.cob",
            "test9_data/TRAN.APR14.NPT.DATA.dat",
            45,
            CodecOptions(encoding=page),
        )
        for page in ("cp037", "cp1140", "cp273", "cp500")
    },
}
EXPECTED = {
    "test19": "test19_display_num_expected/test19.txt",
    **{case: f"test9_expected/{case}.txt" for case in CASES if case.startswith("test9")},
}


@pytest.mark.parametrize("case", CASES)
def test_every_record_reads_as_expected(case):
    copybook, data, size, options = CASES[case]
    codec = Codec(read_copybook(folder() / copybook), options)
    wanted = expected(EXPECTED.get(case, f"{case}_expected/{case}.txt"))
    found = [codec.decode(record) for record in records(data, size)[: len(wanted)]]
    assert [plain(one) for one in found] == [plain(one) for one in wanted]
    if case != "test6":  # Spark prints its floats with an exponent
        assert [digits(plain(one)) for one in found] == [digits(plain(one)) for one in wanted]


@pytest.mark.parametrize("case", CASES)
def test_every_record_comes_back_to_its_bytes(case):
    copybook, data, size, options = CASES[case]
    codec = Codec(read_copybook(folder() / copybook), options)
    for record in records(data, size):
        values, corrections = codec.exact(record)
        kept = json.loads(json.dumps(as_text(corrections)))
        assert codec.encode(values, from_text(kept)) == record


def test_records_that_fields_say_whole_need_no_corrections():
    codec = Codec(read_copybook(folder() / "test1_copybook.cob"))
    for record in records("test1_data/example.bin", 2202):
        assert codec.encode(codec.decode(record)) == record


def test_the_segments_of_test5_in_cp037_where_no_text_is_binary():
    codec = Codec(
        read_copybook(folder() / "test5_copybook.cob"),
        CodecOptions(rules={"STATIC-DETAILS": "SEGMENT-ID = 'C'", "CONTACTS": "SEGMENT-ID = 'P'"}),
    )
    found = records("test5_data/COMP.DETAILS.SEP30.DATA.dat", 0)[:60]
    wanted = expected("test5_expected/test5.txt")
    for record, one in zip(found, wanted, strict=True):
        values, rest = plain(codec.decode(record)), plain(one)
        other = "CONTACTS" if rest["SEGMENT_ID"] == "C" else "STATIC_DETAILS"
        del rest[other]
        if rest.get("STATIC_DETAILS", {}).get("TAXPAYER", {}).get("TAXPAYER_NUM"):
            # The bytes of a binary number, read as text: letters in cp037, spaces in Cobrix's page.
            del values["STATIC_DETAILS"]["TAXPAYER"]["TAXPAYER_STR"]
            del rest["STATIC_DETAILS"]["TAXPAYER"]["TAXPAYER_STR"]
        assert values == rest
