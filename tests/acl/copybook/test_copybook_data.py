"""The copybooks of another project: each must give records of the length that its data has."""

import os
from pathlib import Path

import pytest

from stranglerfig.acl.copybook import find, read_copybook

DATA = Path(os.environ.get("FIG_DATA", "/nowhere")) / "copybooks"

if not DATA.is_dir():
    pytest.skip("the environment variable FIG_DATA names no data", allow_module_level=True)

FIXED = {
    "test1_copybook": ("test1_data", 10),
    "test3_copybook": ("test3_data", 1000),
    "test6_copybook": ("test6_data", 100),
    "test9_copybook": ("test9_data", 1000),
    "test10_copybook": ("test10_data", 1),
    "test19_display_num": ("test19_display_num", 7),
}


@pytest.mark.parametrize(
    ("name", "data", "records"), [(k, *v) for k, v in FIXED.items()], ids=FIXED
)
def test_the_length_of_a_record(name, data, records):
    book = read_copybook(DATA / f"{name}.cob")
    (file,) = (DATA / data).iterdir()
    assert book.size * records == file.stat().st_size


def test_segments_share_their_bytes():
    book = read_copybook(DATA / "test5_copybook.cob")
    assert find(book, "CONTACTS").offset == find(book, "STATIC-DETAILS").offset == 15
    assert find(book, "CONTACTS").redefines == "STATIC-DETAILS"
    assert find(book, "TAXPAYER-NUM").path == "STATIC-DETAILS.TAXPAYER.TAXPAYER-NUM"
    assert not book.notices


def test_a_table_that_depends():
    book = read_copybook(DATA / "test1_copybook.cob")
    table = find(book, "ACCOUNT-DETAIL")
    assert (table.offset, table.size, table.length) == (42, 27, 2160)
    assert table.occurs is not None
    assert table.occurs.depending == "METADATA.NUMBER-OF-ACCTS"
