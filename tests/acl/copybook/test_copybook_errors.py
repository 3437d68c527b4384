"""Errors: each names the line and the column, what was expected, and never ends the process."""

import pytest

from stranglerfig.acl.copybook import CopybookError, parse_copybook
from stranglerfig.errors import ConfigError

WRONG = [
    # text, line, column, a part of the message, a part of what is expected or to be done
    ("", 1, 1, "there is no entry", "01 RECORD"),
    ("      * nothing\n", 1, 1, "there is no entry", ""),
    ("01 A PICTUR X.", 1, 6, "'PICTUR' begins no clause", "PICTURE"),
    ("01 A PIC X OCCURES 3.", 1, 12, "'OCCURES' begins no clause", "OCCURS"),
    ("01 A PIC X PIC X.", 1, 12, "PICTURE stands twice", ""),
    ("01 A PIC 9 COMP BINARY.", 1, 17, "USAGE stands twice", ""),
    ("01 A PIC Y(3).", 1, 10, "the picture Y(3) cannot be taken: 'Y' is no symbol", ""),
    ("01 A PIC X(999999999999).", 1, 10, "repeated 999999999999 times", ""),
    ("01 A PIC X(17000000).", 1, 10, "it has 17000000 characters", ""),
    ("01 A PIC .", 1, 10, "cannot be taken", ""),
    ("01 A PIC 'X'.", 1, 10, "is not a picture", ""),
    ("01 A PIC", 1, 6, "the end of the copybook is not a picture", ""),
    ("01 A PIC X VALUE 'ABC.", 1, 18, "the literal has no end", "continuation"),
    ("01 A PIC X VALUE .", 1, 18, "a literal is missing", "SPACES"),
    ("01 A PIC X VALUE UNKNOWN.", 1, 18, "UNKNOWN is not a literal", ""),
    ("01 A PIC X VALUE X'C1C'.", 1, 19, "is not hexadecimal", "even"),
    ("01 A PIC 9 VALUE 1.2.3.", 1, 18, "1.2.3 is not a literal", ""),
    ("A.", 1, 1, "'A' is not a level number", ""),
    ("00 A PIC X.", 1, 1, "00 is no level number", "01 to 49"),
    ("01 A.\n   50 B PIC X.", 2, 4, "50 is no level number", ""),
    ("01 A PIC X.\n   05 B PIC X.", 2, 4, "level 05 stands inside A, which has a picture", "01"),
    ("01 A.\n 05 B PIC X.\n  10 C PIC X.", 3, 3, "inside B, which has a picture", "level 05"),
    ("77 A PIC X.\n05 B PIC X.", 2, 1, "level 05 belongs to no record", "01"),
    ("01 A.", 1, 4, "A has neither a picture nor items", "COPY"),
    ("01 A.\n 05 B.\n 05 C PIC X.", 2, 5, "B has neither a picture nor items", ""),
    ("01 A.\n 05 B REDEFINES C PIC X.", 2, 17, "there is no item C", ""),
    ("01 A.\n 05 B REDEFINES B PIC X.", 2, 17, "B redefines itself", ""),
    ("01 A.\n 05 B REDEFINES C PIC X.\n 05 C PIC X.", 2, 17, "C stands in line 3", ""),
    ("01 A.\n 05 B REDEFINES C PIC X.\n 05 C REDEFINES B PIC X.", 2, 17, "C stands in line 3", ""),
    ("01 A.\n 05 B PIC X.\n 05 C PIC X.\n 05 D REDEFINES B PIC X.", 4, 17, "other items stand", ""),
    ("01 A.\n 05 G.\n  10 B PIC X.\n 05 D REDEFINES B PIC X.", 4, 17, "not stand in the same", "level"),
    ("01 A.\n 05 B PIC X OCCURS 3 DEPENDING ON N.", 2, 35, "there is no item N", ""),
    ("01 A.\n 05 NUM PIC 9.\n 05 B PIC X OCCURS 3 DEPENDING NUN.", 3, 32, "no item NUN", "NUM"),
    ("01 A.\n 05 B PIC X OCCURS 3 DEPENDING ON N.\n 05 N PIC 9.", 2, 35, "N stands in line 3", "before"),
    ("01 A.\n 05 B PIC 9 OCCURS 3 DEPENDING ON B.", 2, 35, "B stands in line 2", ""),
    ("01 A.\n 05 G.\n  10 C PIC 9.\n 05 B PIC X OCCURS 3 DEPENDING ON G.", 4, 35, "is a group", ""),
    ("01 A.\n 05 B PIC X OCCURS 0 TIMES.", 2, 20, "OCCURS 0 TO 0 is no table", ""),
    ("01 A.\n 05 B PIC X OCCURS 5 TO 3.", 2, 25, "OCCURS 5 TO 3 is no table", ""),
    ("01 A.\n 05 B PIC X OCCURS UNBOUNDED.", 2, 20, "has no largest size", ""),
    ("01 A.\n 05 B PIC X OCCURS 1 TO UNBOUNDED.", 2, 25, "has no largest size", ""),
    ("01 A.\n 05 B PIC X OCCURS MANY.", 2, 20, "'MANY' is not a whole number", ""),
    ("01 A.\n 05 B PIC X OCCURS 999999999999.", 2, 5, "has 999999999999 bytes or more", "16777216"),
    ("01 A OCCURS 9999999999999999999 PIC X.", 1, 13, "a number of 19 digits", ""),
    ("01 A.\n" + "05 B OCCURS 100.\n 10 C OCCURS 100.\n  15 D OCCURS 9000 PIC X.", 2, 4, "", "OCCURS"),
    ("01 A PIC X(3) COMP-3.", 1, 10, "COMP-3 does not go with the picture X(3)", ""),
    ("01 A PIC 9(3).99 COMP.", 1, 10, "BINARY does not go with the picture", ""),
    ("01 A PIC X(3) NATIONAL.", 1, 10, "NATIONAL does not go with", ""),
    ("01 A USAGE COMP-7.", 1, 12, "'COMP-7' is not expected here", "COMP-6"),
    ("01 A PIC S9 COMP SIGN LEADING SEPARATE.", 1, 4, "SIGN is for a number in characters", ""),
    ("01 A PIC X SIGN LEADING.", 1, 4, "SIGN is for a number in characters", ""),
    ("01 A PIC +9 SIGN LEADING.", 1, 4, "has a sign of its own", ""),
    ("01 A PIC S9 SIGN IS SEPARATE.", 1, 21, "'SEPARATE' is not expected here", "LEADING"),
    ("88 A VALUE 1.", 1, 1, "the condition A stands before any item", ""),
    ("01 A PIC X.\n 88 B PIC X.", 2, 5, "a level 88 names values", ""),
    ("01 A PIC X.\n 88 B.", 2, 5, "a level 88 names values", ""),
    ("66 A RENAMES B.", 1, 1, "RENAMES stands before any item", ""),
    ("01 A.\n 05 B PIC X.\n 66 C.", 3, 5, "a level 66 renames", ""),
    ("01 A.\n 05 B RENAMES A PIC X.", 2, 5, "RENAMES stands at level 05", "66"),
    ("01 A.\n 05 BAL PIC X.\n 66 C RENAMES BAK.", 3, 15, "there is no item BAK", "is BAL meant?"),
    ("01 A.\n 05 B PIC X.\n 05 C PIC X.\n 66 D RENAMES C THRU B.", 4, 15, "B does not end behind C", ""),
    ("01 A.\n 05 B PIC X.\n 05 B PIC X.\n 66 D RENAMES B.", 4, 15, "B names 2 items: B, B#2", "OF"),
    ("01 " + "N" * 65 + " PIC X.", 1, 4, "a name of 65 characters", "64"),
    ("01 A PIC X VALUE SPACES 88 B VALUE 'X'.", 1, 25, "'88' begins no clause", "period"),
    ("       01 A PIC X VALUE 'B\n      -    C'.", 2, 12, "does not go on", "repeat its quote"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message", "more"), WRONG)
def test_error(text, line, column, message, more):
    with pytest.raises(CopybookError) as caught:
        parse_copybook(text, "ACCT.cpy")
    error = caught.value
    assert message in error.message
    assert (error.line, error.column) == (line, column), error
    assert error.place == f"ACCT.cpy: line {line}, column {column}"
    assert error.source == text.split("\n")[line - 1]
    assert more in f"{error.expected} {error.remedy}"
    assert error.expected or error.remedy
    assert isinstance(error, ConfigError)


def test_a_long_line_is_shown_shortened():
    with pytest.raises(CopybookError) as caught:
        parse_copybook("01 A" + " " * 10_000 + "PIC Q.", form="free")
    assert len(caught.value.value) < 250
    assert caught.value.column == 10_009


HEAVY = {
    "a million entries": "01 A.\n" + " 05 B PIC X.\n" * 1_000_000,
    "a million levels": "\n".join(f"{1 + n % 49:02d} A." for n in range(400_000)),
    "a long text": "0" * (16 * 1024 * 1024 + 1),
    "a long word": "01 " + "A" * 5_000_000,
    "a long picture": "01 A PIC " + "9(1)" * 300_000 + ".",
    "a wide picture": "01 A PIC " + "*" * 1_000_000 + ".",
    "wide pictures": "01 R.\n 05 A PIC X.\n"
    + "".join(f" 05 B REDEFINES A PIC X({9_000_000 + n}).\n" for n in range(1_000)),
    "open parentheses": "01 A PIC " + "(" * 300_000,
    "quotes": ">>SOURCE FREE\n01 A PIC X VALUE " + "'" * 1_000_001,
    "continuations": "       01 A PIC X VALUE 'A\n" + "      -    'B\n" * 100_000,
    "nested tables": "01 A.\n"
    + "".join(f"{n:02d} B{n} OCCURS 9999.\n" for n in range(2, 49))
    + "49 Z PIC X.",
    "a great number": "01 A OCCURS " + "9" * 100_000 + " PIC X.",
    "a great literal": "01 A PIC 9 VALUE " + "9" * 100_000 + ".",
    "replacements": "REPLACE "
    + " ".join(f"=={'A ' * 200}{n}== BY ==B==" for n in range(900))
    + ".\n01 "
    + "A " * 100_000,
    "too many replacements": "REPLACE " + "A BY B " * 2_000 + ".",
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_what_is_too_much_is_refused(text):
    with pytest.raises(CopybookError):
        parse_copybook(text)
