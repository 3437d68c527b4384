"""Where bytes stand: sizes, redefinitions, tables, slack bytes, what groups hand down."""

import pytest

from stranglerfig.acl.copybook import Occurs, Sign, Usage, find, layout, parse_copybook


def places(text):
    return {
        row.path: (row.offset, row.size, row.length)
        for row in layout(parse_copybook(text))
        if row.depth
    }


SIZES = [
    ("PIC 9 COMP", 2),
    ("PIC 9(4) COMP-4", 2),
    ("PIC S9(5) BINARY", 4),
    ("PIC 9(9) COMPUTATIONAL", 4),
    ("PIC 9(10) COMP-5", 8),
    ("PIC S9(16)V99 COMP", 8),
    ("PIC 9(19) BINARY", 9),
    ("PIC S9(18)V9(10) COMP", 12),
    ("PIC 9(37) BINARY", 16),
    ("PIC S9PPP COMP", 2),
    ("PIC 9(2) COMP-9", 1),
    ("PIC 9(3) COMP-9", 2),
    ("PIC 9(5) COMP-X", 3),
    ("PIC X(3) COMP-X", 3),
    ("PIC 9 COMP-3", 1),
    ("PIC 9(4) COMP-3", 3),
    ("PIC S9(5) PACKED-DECIMAL", 3),
    ("PIC PPP9(5) COMPUTATIONAL-3", 3),
    ("PIC 9(5) COMP-6", 3),
    ("PIC 9(6) COMP-6", 3),
    ("PIC X(4) COMP-3U", 4),
    ("COMP-1", 4),
    ("USAGE IS COMPUTATIONAL-2", 8),
    ("INDEX", 4),
    ("POINTER", 4),
    ("PROCEDURE-POINTER", 8),
    ("PIC S9(9) SIGN IS LEADING SEPARATE CHARACTER", 10),
    ("PIC S9(9) TRAILING", 9),
    ("PIC 99V99 SIGN TRAILING SEPARATE", 5),
    ("PIC N(5)", 10),
    ("PIC G(5) DISPLAY-1", 10),
    ("PIC 9(5) NATIONAL", 10),
    ("PIC S9(5) NATIONAL SIGN LEADING SEPARATE", 12),
    ("PIC X(5)VALUE 'ABC'", 5),
    ("PIC S9(6)USAGE COMP-3", 4),
]


@pytest.mark.parametrize(("clauses", "size"), SIZES, ids=[row[0] for row in SIZES])
def test_size(clauses, size):
    assert parse_copybook(f"01 A {clauses}.").size == size


def test_redefinitions_share_bytes_and_the_longest_counts():
    assert places(
        """01 R.
             05 A PIC X(4).
             05 B REDEFINES A.
               10 C PIC X(2).
               10 D REDEFINES C PIC 9(4) COMP.
               10 E PIC X(4).
             05 F REDEFINES B PIC X.
             05 G PIC X."""
    ) == {
        "A": (0, 4, 4),
        "B": (0, 6, 6),
        "B.C": (0, 2, 2),
        "B.D": (0, 2, 2),
        "B.E": (2, 4, 4),
        "F": (0, 1, 1),
        "G": (6, 1, 1),
    }


def test_records_begin_at_the_same_byte_and_lend_paths_their_names():
    book = parse_copybook("01 A.\n 05 X PIC X(2).\n01 B REDEFINES A.\n 05 X PIC X(9).\n77 C PIC 9.")
    assert {item.path: item.offset for item in book.walk()} == dict.fromkeys(
        ["A", "A.X", "B", "B.X", "C"], 0
    )
    assert book.records[1].redefines == "A"
    assert book.size == 9


def test_a_copybook_without_a_record():
    book = parse_copybook("05 A PIC X(2).\n05 B.\n 10 C PIC X.")
    assert [(item.level, item.name, item.path) for item in book.walk()] == [
        (1, "", ""),
        (5, "A", "A"),
        (5, "B", "B"),
        (10, "C", "B.C"),
    ]
    assert book.size == 3


def test_levels_of_one_group_may_differ():
    book = parse_copybook("01 R.\n 03 A PIC X.\n 03 B.\n  05 C PIC X.\n 02 D.\n  03 E PIC X.")
    assert [item.path for item in book.records[0].children] == ["A", "B", "D"]


def test_tables():
    text = """01 R.
        05 N PIC 9(2).
        05 T OCCURS 1 TO 5 TIMES DEPENDING ON N INDEXED BY I1, I2.
          10 K PIC X(3).
          10 U OCCURS 4 ASCENDING KEY IS V.
            15 V PIC 9(2) COMP.
        05 W PIC X OCCURS 0 TO 3 DEPENDING N OF R.
        05 Y PIC X OCCURS 80 DEPENDING ON N.
        05 Z PIC X OCCURS 2 TO 3 TIMES."""
    book = parse_copybook(text)
    assert places(text)["T.U.V"] == (5, 2, 2)
    assert places(text)["T"] == (2, 11, 55)
    assert find(book, "T").occurs == Occurs(1, 5, "N")
    assert find(book, "U").occurs == Occurs(4, 4)
    assert find(book, "W").occurs == Occurs(0, 3, "N")
    assert find(book, "Y").occurs == Occurs(0, 80, "N")
    assert find(book, "Z").occurs == Occurs(3, 3)
    assert book.size == 2 + 55 + 3 + 80 + 3


def test_the_nearest_item_of_a_name_counts():
    book = parse_copybook(
        "01 R.\n 05 N PIC 9.\n 05 G OCCURS 2.\n  10 N PIC 9.\n  10 T PIC X OCCURS 3 DEPENDING ON N.\n"
        " 05 H.\n  10 U PIC X OCCURS 3 DEPENDING ON N.\n  10 V PIC X OCCURS 3 DEPENDING ON N OF G."
    )
    counting = {
        item.name: item.occurs.depending for item in book.walk() if item.name in {"T", "U", "V"}
    }
    assert counting == {"T": "G.N", "U": "N", "V": "G.N"}


def test_twins_have_paths_of_their_own():
    book = parse_copybook(
        "01 R.\n 05 FILLER PIC X.\n 05 PIC X.\n 05 A PIC X.\n 05 a.\n  10 B PIC X.\n 05 A.\n  10 B PIC X.\n"
        " 05 A#2 PIC X.\n 05 R PIC X."
    )
    assert [item.path for item in book.walk()] == [
        "R", "FILLER", "FILLER#2", "A", "a#2", "a#2.B", "A#3", "A#3.B", "A#2#2", "R#2",
    ]  # fmt: skip
    assert len(book.by_path()) == 10


class TestSlackBytes:
    """The worked examples of IBM's Enterprise COBOL Language Reference, and what follows."""

    def test_before_an_item_in_a_group(self):
        found = places(
            "01 A.\n 05 B PIC X(5).\n 05 C.\n  10 D PIC XX.\n  10 E COMP PIC S9(6) SYNC."
        )
        assert found["C"] == (5, 7, 7)
        assert found["C.E"] == (8, 4, 4)

    def test_before_the_group_whose_first_item_it_is(self):
        found = places("01 L.\n 05 M PIC X(5).\n 05 N PIC XX.\n 05 O.\n  10 P COMP PIC S9(6) SYNC.")
        assert found["O"] == found["O.P"] == (8, 4, 4)

    def test_at_the_end_of_each_occurrence(self):
        text = """01 W.
            05 CODE PIC X.
            05 T OCCURS 10 TIMES.
              10 TYPE PIC X.
              10 PAY PIC S9(4)V99 COMP SYNC.
              10 HRS PIC S9(3) COMP SYNC.
              10 NAME PIC X(5)."""
        assert places(text) == {
            "CODE": (0, 1, 1),
            "T": (1, 16, 160),
            "T.TYPE": (1, 1, 1),
            "T.PAY": (4, 4, 4),
            "T.HRS": (8, 2, 2),
            "T.NAME": (10, 5, 5),
        }

    def test_between_items(self):
        found = places(
            "01 R.\n 05 A PIC X(11).\n 05 B PIC S9999 COMP SYNCHRONIZED.\n"
            " 05 C PIC S99999 COMP SYNC RIGHT.\n 05 D PIC S9999 COMP SYNC LEFT."
        )
        assert [found[name][0] for name in "BCD"] == [12, 16, 20]

    def test_of_every_usage_and_from_the_group(self):
        found = places(
            "01 R SYNC.\n 05 A PIC X.\n 05 B COMP-2.\n 05 C PIC X.\n 05 D COMP-1.\n 05 E PIC X.\n"
            " 05 F INDEX.\n 05 G PIC X.\n 05 H PIC 9(18) COMP-5.\n 05 I PIC X.\n 05 J PIC 9(5) COMP-3."
        )
        assert {name: found[name][0] for name in "BDFHIJ"} == {
            "B": 8, "D": 20, "F": 28, "H": 36, "I": 44, "J": 45,
        }  # fmt: skip

    def test_none_in_front_of_a_redefinition(self):
        found = places(
            "01 R.\n 05 A PIC X.\n 05 B PIC X(4).\n 05 C REDEFINES B PIC 9(8) COMP SYNC."
        )
        assert found["C"] == (1, 4, 4)


def test_groups_hand_down_usage_and_sign():
    book = parse_copybook(
        """01 R.
             05 P COMP-3 SIGN LEADING SEPARATE.
               10 A PIC S9(5).
               10 B PIC X(5).
               10 C.
                 15 D PIC 9(2) COMP.
             05 S SIGN IS TRAILING SEPARATE.
               10 E PIC S9(3).
               10 F PIC 9(3).
               10 G PIC S9(3) SIGN LEADING.
               10 H PIC S9(3) COMP.
             05 U GROUP-USAGE NATIONAL.
               10 I PIC N(2).
               10 J PIC 9(2)."""
    )
    found = {item.name: (item.usage, item.sign, item.size) for item in book.walk()}
    plain = Sign()
    assert found["A"] == (Usage.PACKED, plain, 3)
    assert found["B"] == (Usage.DISPLAY, plain, 5)
    assert found["D"] == (Usage.BINARY, plain, 2)
    assert found["E"] == (Usage.DISPLAY, Sign(leading=False, separate=True), 4)
    assert found["F"] == (Usage.DISPLAY, plain, 3)
    assert found["G"] == (Usage.DISPLAY, Sign(leading=True), 3)
    assert found["H"] == (Usage.BINARY, plain, 2)
    assert found["I"] == found["J"] == (Usage.NATIONAL, plain, 4)
    notes = [notice.message for notice in book.notices]
    assert notes == [
        "COMP-3 of its group is not for this picture",
        "BINARY is not the COMP-3 of its group",
    ]


def test_renames():
    book = parse_copybook(
        "01 R.\n 05 A PIC X(2).\n 05 G.\n  10 B PIC X(3).\n  10 C PIC X(4).\n 05 D PIC X.\n"
        " 66 AB RENAMES A THRU B OF G.\n 66 ONLY-C RENAMES C."
    )
    assert [(r.name, r.first, r.last, r.offset, r.size) for r in book.renames] == [
        ("AB", "A", "G.B", 0, 5),
        ("ONLY-C", "G.C", "G.C", 5, 4),
    ]
    assert [row.name for row in layout(book)][-2:] == ["AB", "ONLY-C"]


def test_doubtful_things_are_noticed():
    book = parse_copybook(
        "01 R.\n 05 A PIC X.\n 05 B REDEFINES A PIC XX.\n 05 C PIC 99 SIGN LEADING.\n"
        " 05 D COMP-1 PIC 9.\n 78 K VALUE 5.\n 05 E PIC X",
        "r.cpy",
    )
    assert [str(notice) for notice in book.notices] == [
        "r.cpy: line 6, column 2: a constant (level 78) holds no bytes and is left out",
        "r.cpy: line 7, column 2: the entry has no period at its end",
        "r.cpy: line 4, column 5: SIGN without S in the picture: read as if it had one",
        "r.cpy: line 5, column 5: the picture of a COMP-1 item says nothing",
        "r.cpy: line 3, column 5: it is longer than the item that it redefines",
    ]
