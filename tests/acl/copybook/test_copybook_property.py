"""Copybooks made at random: what is written is what is read, and nothing but our error comes."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import CopybookError, find, layout, parse_copybook
from stranglerfig.acl.copybook.parse.picture import parse_picture

PICTURES = ["X(3)", "A", "9(5)", "S9(3)V99", "ZZ9.99-", "N(2)", "+9(4)", "XXBX", "SPP99", "99PP"]
NUMBERS = ["9", "9(5)", "S9(3)V99", "S9(17)", "9(20)"]
COUNTED = ["COMP", "BINARY", "COMP-3", "PACKED-DECIMAL", "COMP-5", "COMP-6", "COMP-9"]
LITERALS = ["'it''s'", '"A"', "SPACES", "ZERO", "LOW-VALUES", "ALL '*'", "X'C1'", "-1.5", "42"]


@st.composite
def clauses(draw):
    """The clauses of an elementary item, in any order."""
    kind = draw(st.sampled_from(["plain", "counted", "bare", "signed"]))
    if kind == "bare":
        found = [draw(st.sampled_from(["COMP-1", "USAGE IS COMP-2", "INDEX", "POINTER"]))]
    elif kind == "counted":
        usage = draw(st.sampled_from(COUNTED))
        found = [
            f"PIC {draw(st.sampled_from(NUMBERS))}",
            draw(st.sampled_from(["", "USAGE "])) + usage,
        ]
        found += draw(st.sampled_from([[], ["SYNC"], ["SYNCHRONIZED RIGHT"]]))
    elif kind == "signed":
        side = draw(st.sampled_from(["LEADING", "TRAILING"]))
        found = [
            "PIC IS S9(4)",
            f"SIGN {side}" + draw(st.sampled_from(["", " SEPARATE CHARACTER"])),
        ]
    else:
        found = [f"PICTURE {draw(st.sampled_from(PICTURES))}"]
        found += draw(st.sampled_from([[], ["JUST RIGHT"], ["BLANK WHEN ZERO"]]))
    if draw(st.booleans()):
        found.append(f"VALUE {draw(st.sampled_from(LITERALS))}")
    if draw(st.integers(0, 4)) == 0:
        found.append(f"OCCURS {draw(st.integers(1, 9))} TIMES")
    return draw(st.permutations(found))


@st.composite
def copybooks(draw):
    """Entries as (level, name, clauses, conditions), and none that no compiler takes."""
    counter = iter(range(10_000))
    entries = [(1, "REC", [], [])]

    def group(level, depth):
        before = None
        for _ in range(draw(st.integers(1, 4))):
            name = draw(
                st.sampled_from([f"F-{next(counter)}", f"f_{next(counter)}", "FILLER", "TWIN"])
            )
            redefines = []
            if before not in (None, "FILLER", "TWIN") and draw(st.integers(0, 3)) == 0:
                redefines = [f"REDEFINES {before}"]
            before = before if redefines else name
            if depth < 4 and draw(st.integers(0, 2)) == 0:
                table = draw(st.sampled_from([[], [], [f"OCCURS {draw(st.integers(1, 5))}"]]))
                entries.append((level, name, redefines + table, []))
                group(level + draw(st.integers(1, 5)), depth + 1)
            else:
                conditions = [f"OK-{next(counter)}"] * draw(st.integers(0, 1))
                entries.append((level, name, redefines + list(draw(clauses())), conditions))

    group(draw(st.integers(2, 10)), 1)
    return entries


def written(draw, entries):
    """Write entries on a page as people do: fixed, numbered, free or with tabs."""
    page = draw(st.sampled_from(["fixed", "numbered", "free", "tabs"]))
    lines = []
    for level, name, parts, conditions in entries:
        words = [
            f"{level:02d}",
            *([] if name == "FILLER" and draw(st.booleans()) else [name]),
            *parts,
        ]
        pieces = [words] if draw(st.booleans()) else [words[:2], words[2:]]
        pieces[-1] = [*pieces[-1][:-1], pieces[-1][-1] + "."] if pieces[-1] else ["."]
        lines += [part for piece in pieces for part in folded(piece)]
        lines += [
            f"88 {condition} VALUE {draw(st.sampled_from(LITERALS))}." for condition in conditions
        ]
        if draw(st.integers(0, 5)) == 0:
            lines.append("*> a comment's text")
    if page == "free":
        return "\n".join(lines)
    if page == "tabs":
        return "\n".join("\t\t" + line.replace(" ", "\t") for line in lines)
    numbers = (f"{10 * at:06d}" for at in range(1, len(lines) + 1))
    front = numbers if page == "numbered" else iter([" " * 6] * len(lines))
    return "\n".join(f"{next(front)} {line}" for line in lines)


def folded(words):
    """Break a line where it would cross column 72; with tabs it begins late."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 50:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


@st.composite
def pages(draw):
    entries = draw(copybooks())
    return entries, written(draw, entries)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(pages())
def test_what_is_written_is_read(page):
    entries, text = page
    book = parse_copybook(text)
    items = list(book.walk())
    assert [(i.level, i.name) for i in items] == [(level, name) for level, name, _, _ in entries]
    assert [[c.name for c in i.conditions] for i in items] == [c for _, _, _, c in entries]
    for item, (_, _, parts, _) in zip(items, entries, strict=True):
        words = " ".join(parts).split()
        assert (item.picture is not None) == ("PIC" in words or "PICTURE" in words)
        assert (item.occurs.most if item.occurs else 0) == (
            int(words[words.index("OCCURS") + 1]) if "OCCURS" in words else 0
        )
        assert bool(item.redefines) == ("REDEFINES" in words)
        assert (item.value is not None) == ("VALUE" in words)
        assert item.sign.separate == ("SEPARATE" in words)
        assert item.size > 0
    check_places(book)


def check_places(book):
    """Every item stands inside its group, behind the one before unless it redefines it."""
    for item in book.walk():
        end = item.offset
        for child in item.children:
            if child.redefines:
                assert child.offset == find(book, child.redefines).offset
            else:
                assert child.offset >= end
            end = max(end, child.offset + child.length)
        if item.children:
            assert item.offset + item.size >= end
    paths = [item.path for item in book.walk()]
    assert len({path.upper() for path in paths}) == len(paths)
    assert [row.path for row in layout(book)] == paths


@settings(deadline=None)
@given(pages())
def test_the_page_does_not_change_the_digest(page):
    entries, text = page
    plain = []
    for level, name, parts, conditions in entries:
        plain.append(" ".join([f"{level:02d}", name, *sorted(parts), "."]))
        plain += [f"88 {condition} VALUE 1." for condition in conditions]
    first, second = parse_copybook(text), parse_copybook("\n".join(plain))
    assert [(i.path, i.offset, i.size) for i in first.walk()] == [
        (i.path, i.offset, i.size) for i in second.walk()
    ]


WORDS = st.sampled_from(
    [
        "01",
        "02",
        "05",
        "10",
        "49",
        "66",
        "77",
        "78",
        "88",
        "A",
        "B",
        "A-1",
        "FILLER",
        ".",
        ",",
        ";",
        "(",
        ")",
        ":",
        "=",
        "==",
        "'",
        '"',
        "*>",
        "*",
        "-",
        "+",
        "PIC",
        "PICTURE",
        "IS",
        "X(3)",
        "9(5)V99",
        "S9(4)",
        "Z(3)9.99-",
        "9(",
        "$",
        "OCCURS",
        "3",
        "0",
        "TO",
        "TIMES",
        "DEPENDING",
        "ON",
        "INDEXED",
        "BY",
        "ASCENDING",
        "KEY",
        "REDEFINES",
        "RENAMES",
        "THRU",
        "VALUE",
        "VALUES",
        "ARE",
        "SPACES",
        "ZERO",
        "ALL",
        "'x'",
        '"y"',
        "X'C1'",
        "X'C'",
        "N'z'",
        "1.5",
        "-1",
        "USAGE",
        "COMP",
        "COMP-1",
        "COMP-3",
        "COMP-6",
        "COMP-X",
        "BINARY",
        "DISPLAY",
        "NATIONAL",
        "INDEX",
        "POINTER",
        "SIGN",
        "LEADING",
        "TRAILING",
        "SEPARATE",
        "CHARACTER",
        "SYNC",
        "JUST",
        "BLANK",
        "WHEN",
        "GLOBAL",
        "EXTERNAL",
        "COPY",
        "REPLACING",
        "REPLACE",
        "OFF",
        "OF",
        "IN",
        "TITLE",
        "EJECT",
        "SKIP1",
        "FD",
        "SECTION",
        "DIVISION",
        "DATA",
        "PROCEDURE",
        "\x1a",
        "999999999999",
        "99999999999999999999",
        "é",
        "名",
        ">>SOURCE",
        "FREE",
        "FIXED",
    ]
)
SPACES = st.sampled_from(
    [" ", " ", " ", "", "\n", "\n       ", "\n      -    ", "\n000100 ", "\t", "\r\n", "\n      * "]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, SPACES), max_size=40))
def test_words_at_random_give_a_copybook_or_our_error(parts):
    refused_or_read("".join(word + space for word, space in parts))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_characters_at_random_give_a_copybook_or_our_error(text):
    refused_or_read(text)


@settings(max_examples=150, deadline=None)
@given(pages(), st.data())
def test_a_copybook_with_a_mistake_gives_a_copybook_or_our_error(page, data):
    _, text = page
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 8)))
    refused_or_read(
        text[:at] + data.draw(st.sampled_from(["", ".", "'", "(", "\n", "9", "-"])) + text[end:]
    )


def refused_or_read(text):
    try:
        book = parse_copybook(text)
    except CopybookError as error:
        assert error.expected or error.remedy
        assert error.line >= 1
        assert error.column >= 1
    else:
        check_places(book)
        assert all(notice.line for notice in book.notices)


@given(st.lists(st.tuples(st.sampled_from("SVP9XAZ*+-,./B0$NGE"), st.integers(0, 40)), max_size=8))
def test_a_picture_is_the_same_written_out(runs):
    short = "".join(f"{symbol}({count})" for symbol, count in runs)
    long = "".join(symbol * count for symbol, count in runs)
    if not runs or any(not count for _, count in runs):
        return
    try:
        picture = parse_picture(long)
    except ValueError:
        picture = None
    try:
        again = parse_picture(short)
    except ValueError:
        again = None
    if picture is None or again is None:
        assert picture is again
        return
    assert picture.symbols == again.symbols == long
    assert (picture.category, picture.digits, picture.scale) == (
        again.category,
        again.digits,
        again.scale,
    )
    assert 0 < picture.size <= len(long)
    assert picture.digits <= picture.size


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
def test_a_number_is_read_to_the_last_digit(number):
    assert parse_copybook(f"01 A PIC S9(9)V999 VALUE {number:f}.").records[0].value == Decimal(
        number
    )


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs", "Zs"]), min_size=1, max_size=30
    )
)
def test_a_text_is_read_as_it_is(text):
    quoted = text.replace("'", "''")
    assert parse_copybook(f"01 A PIC X(30) VALUE '{quoted}'.", form="free").records[0].value == text
