"""Looking items up, and showing a layout."""

import pytest

from stranglerfig.acl.copybook import CopybookError, find, layout, parse_copybook

BOOK = parse_copybook(
    """01 CUST-REC.
         05 ID PIC 9(5).
         05 HOME.
           10 ADDR.
             15 CITY PIC X(10).
             15 ZIP PIC X(5).
         05 WORK.
           10 ADDR.
             15 CITY PIC X(10).
         05 FILLER PIC X.
         05 FILLER PIC X.
    """,
    "cust.cpy",
)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ID", "ID"),
        (" id ", "ID"),
        ("CUST-REC", "CUST-REC"),
        ("ZIP", "HOME.ADDR.ZIP"),
        ("home.addr.city", "HOME.ADDR.CITY"),
        ("CITY OF HOME", "HOME.ADDR.CITY"),
        ("CITY of ADDR in WORK", "WORK.ADDR.CITY"),
        ("HOME.ZIP", "HOME.ADDR.ZIP"),
        ("ID OF CUST-REC", "ID"),
        ("CUST-REC.ID", "ID"),
        ("FILLER#2", "FILLER#2"),
    ],
)
def test_found(name, path):
    assert find(BOOK, name).path == path


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("CITY", "CITY names 2 items", "HOME.ADDR.CITY, WORK.ADDR.CITY"),
        ("ADDR", "ADDR names 2 items", "HOME.ADDR, WORK.ADDR"),
        ("CITI", "there is no item CITI", "CITY"),
        ("HOME.ADDR.ZIPP", "there is no item", "HOME.ADDR.ZIP"),
        ("CITY OF ID", "there is no item", ""),
        ("", "there is no item", ""),
        (" OF ", "there is no item", ""),
    ],
)
def test_not_found(name, message, hint):
    with pytest.raises(CopybookError, match=message) as caught:
        find(BOOK, name)
    assert hint in caught.value.expected + caught.value.remedy
    assert caught.value.place == "cust.cpy"


def test_an_item_of_several_records():
    book = parse_copybook("01 A.\n 05 ID PIC X.\n01 B.\n 05 ID PIC X.")
    assert find(book, "ID OF B").path == "B.ID"
    with pytest.raises(CopybookError, match="names 2 items"):
        find(book, "ID")


def test_layout_rows():
    book = parse_copybook(
        """01 R.
             05 N PIC 9(2).
             05 A PIC S9(3)V99 SIGN LEADING SEPARATE VALUE -1.5.
             05 B REDEFINES A PIC 9(4) COMP SYNC.
               88 LOW VALUE 0 THRU 9, 12.
               88 ODD VALUE ZERO "it's" X'0a' ALL '-'.
             05 T OCCURS 0 TO 3 DEPENDING ON N.
               10 C PIC X(4) JUST RIGHT OCCURS 2.
               10 D PIC ZZ9 BLANK WHEN ZERO."""
    )
    rows = [
        (r.level, r.depth, r.path, r.offset, r.length, r.picture, r.usage, r.occurs, r.redefines)
        for r in layout(book)
    ]
    assert rows == [
        (1, 0, "R", 0, 41, "", "", "", ""),
        (5, 1, "N", 0, 2, "9(2)", "DISPLAY", "", ""),
        (5, 1, "A", 2, 6, "S9(3)V99", "SIGN LEADING SEPARATE", "", ""),
        (5, 1, "B", 2, 2, "9(4)", "BINARY SYNC", "", "A"),
        (5, 1, "T", 8, 33, "", "", "0 TO 3 DEPENDING ON N", ""),
        (10, 2, "T.C", 8, 8, "X(4)", "JUST", "2", ""),
        (10, 2, "T.D", 16, 3, "ZZ9", "BLANK WHEN ZERO", "", ""),
    ]
    assert layout(book)[3].conditions == (
        "LOW = 0 THRU 9, 12",
        "ODD = ZEROS, 'it''s', X'0A', ALL '-'",
    )


def test_the_digest_is_of_what_it_says():
    def digest(text):
        return parse_copybook(text).digest

    plain = "01 R. 05 A PIC X(3). 05 B PIC 9(2) COMP-3 VALUE 1. 88 C VALUE 1."
    assert digest(plain) == digest(plain.lower().replace("x(3)", "xxx"))
    changed = [
        plain.replace("PIC X(3)", "PIC A(3)"),
        plain.replace("9(2)", "9(3)"),
        plain.replace("9(2)", "S9(2)"),
        plain.replace("9(2)", "9V9"),
        plain.replace("COMP-3", "COMP-6"),
        plain.replace("05 A", "05 AA"),
        plain.replace("VALUE 1. 88", "VALUE 2. 88"),
        plain.replace("C VALUE 1", "C VALUE 1 THRU 2"),
        plain.replace("C VALUE 1", "C VALUE ZERO"),
        plain + " 66 D RENAMES A.",
    ]
    assert len({digest(text) for text in [plain, *changed]}) == len(changed) + 1
