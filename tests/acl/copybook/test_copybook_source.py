"""How a copybook stands on the page: columns, tabs, comments, continuations, directives."""

import pytest

from stranglerfig.acl.copybook import CopybookError, parse_copybook

PLAIN = parse_copybook("01 R.\n  05 A PIC X(3).\n  05 B PIC 9(2).\n").digest

SAME = {
    "fixed": "       01  R.\n           05  A  PIC X(3).\n           05  B  PIC 9(2).\n",
    "at column 7": "      01 R.\n         05 A PIC X(3).\n         05 B PIC 9(2).\n",
    "numbered": "000100 01  R.\n000200     05  A  PIC X(3).\n000300     05  B  PIC 9(2).\n",
    "numbered, nothing between": "01234501  R.\n000001 05 A PIC X(3).\n000002 05 B PIC 9(2).\n",
    "marked": "CHG001 01  R.\nCHG001     05  A  PIC X(3).\n           05  B  PIC 9(2).\n",
    "numbers at both ends": (
        f"000100 {'01 R.':65}PAYROLL1\n000200 {'05 A PIC X(3).':65}PAYROLL2\n"
        f"000300 {'05 B PIC 9(2).':65}00000030\n"
    ),
    "free": "01 R.\n05 A PIC X(3).\n05 B PIC 9(2).",
    "free and numbered behind": (
        f"{'01 R.':72}00000100\n{'   05 A PIC X(3).':72}00000200\n{'   05 B PIC 9(2).':72}00000300\n"
    ),
    "free and long": f"01 R.\n05 A{' ' * 90}PIC X(3).\n05 B PIC 9(2).",
    "tabs": "\t01\tR.\n\t\t05\tA\tPIC\tX(3).\n\t\t05\tB\tPIC\tX.\n".replace("PIC\tX.", "PIC 9(2)."),
    "numbers and tabs": "000100\t01 R.\n000200\t05 A PIC X(3).\n000300\t05 B PIC 9(2).",
    "hard blanks": "01\xa0R.\n05\xa0A\xa0\xa0PIC X(3).\n05 B PIC 9(2).",
    "carriage returns": "01 R.\r\n05 A PIC X(3).\r\n05 B PIC 9(2).\r\n",
    "end of file mark": "01 R.\n05 A PIC X(3).\n05 B PIC 9(2).\n\x1a",
    "byte order mark": "\ufeff01 R.\n05 A PIC X(3).\n05 B PIC 9(2).",
    "one line": "01 R. 05 A PIC X(3). 05 B PIC 9(2).",
    "lower case clauses": "01 R.\n05 A pic is x(3).\n05 B picture 99.",
    "clauses across lines": "01 R.\n05\nA\nPIC\nX(3)\n.\n05 B PIC 9(2).",
    "no last period": "01 R.\n05 A PIC X(3).\n05 B PIC 9(2)",
    "periods left out": "01 R.\n05 A PIC X(3)\n05 B PIC 9(2)\n",
    "separators": "01 R.\n05 A, PIC X(3);\n.\n05 B PIC 9(2), .",
    "a blank in a picture": "01 R.\n05 A PIC X (3).\n05 B PIC 9(2).",
    "comments": (
        "******* a banner\n      * one\n      / a new page\n       01 R.\n       *> free\n"
        "           05 A PIC X(3). *> behind\n      D    05 DEBUGGED PIC X(100).\n"
        "           05 B PIC 9(2). * behind, as some do\n           * further right\n"
    ),
    "listing": (
        "       TITLE 'THE RECORD'.\n       01 R.\n       EJECT\n           05 A PIC X(3).\n"
        "       SKIP1\n       SKIP2.\n       SKIP3\n           05 B PIC 9(2).\n"
    ),
    "directives": (
        '      $SET SOURCEFORMAT"FIXED"\n       >>DEFINE X 1\n       01 R.\n'
        "           05 A PIC X(3).\n           05 B PIC 9(2).\n"
    ),
    "a whole program": (
        "       IDENTIFICATION DIVISION.\n       PROGRAM-ID. 01PAY. AUTHOR. THE 5TH TEAM.\n"
        "       ENVIRONMENT DIVISION.\n       INPUT-OUTPUT SECTION.\n       DATA DIVISION.\n       FILE SECTION.\n"
        "       FD  INFILE RECORDING MODE IS F BLOCK CONTAINS 0 RECORDS.\n       01 R.\n"
        "           05 A PIC X(3).\n           05 B PIC 9(2).\n       PROCEDURE DIVISION.\n"
        "           DISPLAY 'HELLO'.\n"
    ),
    "SQL in front": (
        "           EXEC SQL DECLARE ADMIN.T TABLE\n"
        "           ( ID  DECIMAL(9, 0) NOT NULL,\n             NAME VARCHAR(30) )\n"
        "           END-EXEC.\n"
        "       01  R.\n           05  A  PIC X(3).\n           05  B  PIC 9(2).\n"
    ),
    "a word continued": (
        "       01 R.\n           05 A PIC X(3).\n           05 B PIC\n      -    TURE 9(2).\n"
    ),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_page_does_not_matter(text):
    assert parse_copybook(text).digest == PLAIN


@pytest.mark.parametrize("form", ["fixed", "variable", "free"])
def test_a_form_can_be_said(form):
    text = "       01 R.\n           05 A PIC X(3).\n           05 B PIC 9(2).\n"
    assert parse_copybook(text, form=form).digest == PLAIN


def test_columns_beyond_72_are_code_only_where_said():
    line = f"       01 R.{' ' * 62}05 A PIC X(3).\n"
    assert len(list(parse_copybook(line, form="variable").walk())) == 2
    with pytest.raises(CopybookError, match="neither a picture") as caught:
        parse_copybook(line)
    assert "columns 73-80 are not read" in caught.value.remedy


@pytest.mark.parametrize(
    "line",
    [
        f"{'       01 A PIC X(5) VALUE SPACES':62}OCCURS 100.",
        f"{'       01 A PIC X(5)':65}VALUE 'ABC'.",
        f"{'       01 A PIC X(5)':74}OCCURS 10.",
        f"{'       01 A PIC X(5) VALUE':70}'ABCDEFGHIJ'.",
    ],
)
def test_nothing_beyond_column_72_is_lost_in_silence(line):
    with pytest.raises(CopybookError) as caught:
        parse_copybook(line)
    assert "form = 'free'" in caught.value.remedy
    assert parse_copybook(line, form="free").records[0].size == 5


def test_marks_beside_the_right_margin_are_none_of_our_business():
    lines = [
        ("       01 R.", "05 A PIC X(4) VALUE 'AB'."),
        ("           05 B PIC X(30)", "VALUE 'ABCDEFGHIJKLMNOP"),
        ("      -    'QRS'.", ""),
    ]
    text = "".join(front + end.rjust(72 - len(front)) + "PAYROLL1\n" for front, end in lines)
    assert [item.size for item in parse_copybook(text).walk()] == [34, 4, 30]


def test_a_directive_names_the_form():
    text = ">>SOURCE FORMAT IS FREE\n" + "01 R. " + " " * 80 + "05 A PIC X(3).\n05 B PIC 9(2)."
    assert parse_copybook(text).digest == PLAIN


def test_a_literal_continues_at_the_margin():
    text = (
        "       01 A PIC X(60) VALUE 'it''s long: 123456789012345678901234567\n"
        "      -    '890 end'.\n"
    )
    value = parse_copybook(text).records[0].value
    assert value == "it's long: 123456789012345678901234567" + " " * 4 + "890 end"


def test_a_literal_continues_behind_a_hyphen_that_slipped():
    text = "       01 A PIC X(78) VALUE\n           'YEAR IS ''FR''\n       -       ' AND SO'.\n"
    assert parse_copybook(text).records[0].value == "YEAR IS 'FR'" + " " * 46 + " AND SO"


def test_a_program_says_what_the_point_is():
    text = (
        "ID DIVISION.\nENVIRONMENT DIVISION.\nSPECIAL-NAMES. DECIMAL-POINT IS COMMA.\n"
        "DATA DIVISION.\n01 A PIC Z.ZZ9,99 VALUE 1,5."
    )
    item = parse_copybook(text).records[0]
    assert (item.picture.scale, str(item.value)) == (2, "1.5")


def test_a_debugging_line_is_none_where_it_is_a_name():
    text = "       01 R.\n           05 A OCCURS 3\n      DEPENDING ON N PIC X.\n"
    with pytest.raises(CopybookError, match="there is no item N"):
        parse_copybook(text)


def test_a_picture_may_begin_a_line_with_asterisks():
    item = parse_copybook("       01 A PIC\n           ***,**9.99.\n").records[0]
    assert item.picture.symbols == "***,**9.99"


@pytest.mark.parametrize(
    "name", ["KÖRPER-GRÖSSE", "MONTANT_€", "F@TEST", "F2-", "#NR", "1ST", "名前"]
)
def test_names_of_all_nations(name):
    assert parse_copybook(f"01 R.\n   05 {name} PIC X.").records[0].children[0].name == name


def test_names_keep_their_case_and_marks():
    book = parse_copybook("01 :TAG:-Rec.\n   05 Ab_c PIC X.\n   05 'PRE'-ID PIC X.")
    assert [item.name for item in book.walk()] == [":TAG:-Rec", "Ab_c", "PRE-ID"]
