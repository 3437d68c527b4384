"""COPY, REPLACING and REPLACE: finding other copybooks and putting words in the place of others."""

import pytest

from stranglerfig.acl.copybook import CopybookError, parse_copybook, read_copybook


def names(book):
    return [item.name for item in book.walk()]


@pytest.fixture
def book(tmp_path):
    def write(text, name="MAIN.cpy", **options):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_copybook(path, **options)

    return write


def put(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("file", ["addr", "ADDR.cpy", "Addr.CBL", "addr.cob"])
@pytest.mark.parametrize("statement", ["COPY ADDR.", "copy 'addr'.", 'COPY "ADDR" SUPPRESS.'])
def test_found_beside_the_file_whatever_its_case(tmp_path, book, file, statement):
    put(tmp_path, file, "   05 STREET PIC X.\n")
    assert names(book(f"01 R.\n   {statement}\n   05 Z PIC X.")) == ["R", "STREET", "Z"]


@pytest.mark.parametrize(
    "statement",
    ["EXEC SQL INCLUDE ADDR END-EXEC.", "EXEC SQL INCLUDE ADDR END-EXEC", "++INCLUDE ADDR"],
)
def test_what_other_tools_say_for_copy(tmp_path, book, statement):
    put(tmp_path, "addr.cpy", "   05 STREET PIC X.\n")
    assert names(book(f"       01 R.\n       {statement}\n           05 Z PIC X.")) == [
        "R",
        "STREET",
        "Z",
    ]


def test_found_in_folders_in_their_order(tmp_path, book):
    put(tmp_path / "one", "A.cpy", "05 ONE PIC X.")
    put(tmp_path / "two", "A.cpy", "05 TWO PIC X.")
    put(tmp_path / "two" / "LIB", "A.cpy", "05 LIB PIC X.")
    folders = [tmp_path / "one", tmp_path / "two"]
    assert names(book("01 R. COPY A.", copies=folders)) == ["R", "ONE"]
    assert names(book("01 R. COPY A OF LIB.", copies=folders)) == ["R", "LIB"]
    assert names(book("01 R. COPY A IN nowhere.", copies=folders)) == ["R", "ONE"]
    assert names(book("01 R. COPY A.CPY.", copies=folders[1:])) == ["R", "TWO"]


def test_text_without_a_file_finds_copies_in_folders_only(tmp_path):
    put(tmp_path, "A.cpy", "05 A PIC X.")
    assert names(parse_copybook("01 R. COPY A.", copies=[tmp_path])) == ["R", "A"]
    with pytest.raises(CopybookError, match="the copybook A is not found") as caught:
        parse_copybook("01 R.\n   COPY A.")
    assert (caught.value.line, caught.value.column) == (2, 9)


REPLACED = {
    "==:TAG:== BY ==CUST==": ("05 :TAG:-ID PIC X. 05 X-:TAG: PIC X.", ["CUST-ID", "X-CUST"]),
    "==(P)== BY ==A==": ("05 (P)-ID PIC X.", ["A-ID"]),
    "OLD BY NEW": ("05 OLD PIC X. 05 OLD-ID PIC X.", ["NEW", "OLD-ID"]),
    "old BY New": ("05 OLD PIC X.", ["New"]),
    "LEADING ==OLD== BY ==NEW==": ("05 OLD-ID PIC X. 05 ID-OLD PIC X.", ["NEW-ID", "ID-OLD"]),
    "TRAILING ==-OLD== BY ==-NEW==": ("05 ID-OLD PIC X. 05 OLD PIC X.", ["ID-NEW", "OLD"]),
    "LEADING ==PRE-== BY ====": ("05 PRE-ID PIC X.", ["ID"]),
    "==:P:-== BY ====": ("05 :P:-ID PIC X.", [":P:-ID"]),
    "==:P:== BY ====": ("05 :P:ID PIC X.", ["ID"]),
    "==A== BY ==B== ==B== BY ==C==": ("05 A PIC X. 05 B PIC X.", ["B", "C"]),
    "==05 A PIC X.== BY ==05 A1 PIC X. 05 A2 PIC X.==": ("05 A\n  PIC X.", ["A1", "A2"]),
    "==X(5)== BY ==X(7)==": ("05 A PIC X(5).", ["A"]),
    "05 BY 10, PIC BY PICTURE": ("05 A PIC X.", ["A"]),
}


@pytest.mark.parametrize(
    ("replacing", "text", "expected"), [(k, *v) for k, v in REPLACED.items()], ids=REPLACED
)
def test_replacing(tmp_path, replacing, text, expected):
    put(tmp_path, "C.cpy", text)
    source = f"01 R. COPY C REPLACING {replacing}."
    assert names(parse_copybook(source, copies=[tmp_path])) == ["R", *expected]


def test_replacing_changes_pictures_and_values(tmp_path):
    put(tmp_path, "C.cpy", "05 A PIC X(:N:) VALUE 'old'.\n  88 B VALUE 'it''s'.")
    source = '01 R. COPY C REPLACING ==:N:== BY ==12== \'old\' BY "new" "it\'s" BY ==SPACES==.'
    item = parse_copybook(source, copies=[tmp_path]).records[0].children[0]
    assert (item.size, item.value, item.conditions[0].values) == (12, "new", (" ",))


def test_copies_inside_copies_are_replaced_as_well(tmp_path):
    put(tmp_path, "OUTER.cpy", "05 :T:-A PIC X. COPY INNER REPLACING ==:U:== BY ==:T:-U==.")
    put(tmp_path, "INNER.cpy", "05 :U:-B PIC X.")
    source = "01 R. COPY OUTER REPLACING ==:T:== BY ==Q==. 05 :T: PIC X."
    assert names(parse_copybook(source, copies=[tmp_path])) == ["R", "Q-A", "Q-U-B", ":T:"]


def test_replace_holds_until_the_next(tmp_path):
    put(tmp_path, "C.cpy", "05 OLD PIC X.")
    source = (
        "01 R. 05 OLD PIC X. REPLACE ==OLD== BY ==ONE==. COPY C. 05 OLD PIC X.\n"
        "REPLACE ==OLD== BY ==TWO==. 05 OLD PIC X.\nREPLACE OFF. 05 OLD PIC X."
    )
    found = names(parse_copybook(source, copies=[tmp_path]))
    assert found == ["R", "OLD", "ONE", "ONE", "TWO", "OLD"]


def test_an_error_stands_where_its_text_stands(tmp_path, book):
    put(tmp_path, "BAD.cpy", "      * a comment\n       05 A PIC :Q:.\n")
    with pytest.raises(CopybookError) as caught:
        book("01 R.\n   COPY BAD REPLACING ==:Q:== BY ==Q==.")
    assert caught.value.place == f"{tmp_path / 'BAD.cpy'}: line 2, column 17"
    assert caught.value.source == "       05 A PIC :Q:."


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"A.cpy": "COPY A."}, "copybooks copy one another: A.cpy copies A.cpy"),
        ({"A.cpy": "COPY B.", "B.cpy": "COPY A."}, "A.cpy copies B.cpy copies A.cpy"),
        (
            {f"A{n or ''}.cpy": f"COPY A{n + 1}." for n in range(40)},
            "copybooks copy one another: A27.cpy copies A28.cpy",
        ),
        (
            {f"A{n or ''}.cpy": f"COPY A{n + 1}. " * 10 for n in range(12)}
            | {"A12.cpy": "05 X PIC X. "},
            "the copied text has more than 1000000 words",
        ),
    ],
    ids=["itself", "a ring", "a chain", "an explosion"],
)
def test_copies_without_end_are_refused(tmp_path, files, message):
    for name, text in files.items():
        put(tmp_path, name, text)
    with pytest.raises(CopybookError, match=message):
        parse_copybook("01 R. COPY A.", copies=[tmp_path])


@pytest.mark.parametrize("name", ["'../secret'", "'/etc/passwd'", "'..'", "''", r"'a\b'"])
def test_a_name_is_no_path(tmp_path, name):
    put(tmp_path / "in", "x.cpy", "05 A PIC X.")
    with pytest.raises(CopybookError, match="is not the name of a copybook"):
        parse_copybook(f"01 R. COPY {name}.", copies=[tmp_path / "in"])


def test_a_missing_copy_names_what_is_near(tmp_path):
    put(tmp_path, "CUSTADDR.cpy", "05 A PIC X.")
    with pytest.raises(CopybookError) as caught:
        parse_copybook("01 R. COPY CUSTADR.", copies=[tmp_path])
    assert caught.value.remedy == "is CUSTADDR meant?"
    assert str(tmp_path) in caught.value.expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("01 R. COPY A REPLACING ==A==.", "'.' is not expected here"),
        ("01 R. COPY A REPLACING ==== BY ==B==.", "nothing cannot be replaced"),
        ("01 R. COPY A REPLACING ==A BY B.", "ends inside an entry"),
        ("01 R. COPY A REPLACING LEADING ==A B== BY ==C==.", "LEADING takes a part of one word"),
        ("01 R. COPY A B.", "'B' is not expected here"),
        ("01 R. COPY", "the end of the copybook is not the name of a copybook"),
        ("REPLACE ==A== BY ==B==", "the end of the copybook is not expected here"),
    ],
)
def test_statements_written_wrongly(tmp_path, text, message):
    put(tmp_path, "A.cpy", "05 A PIC X.")
    with pytest.raises(CopybookError, match=message):
        parse_copybook(text, copies=[tmp_path])


def test_no_encoding_is_guessed(tmp_path):
    path = tmp_path / "C.cpy"
    path.write_bytes("01 R.\n   05 GRÖSSE PIC X VALUE 'Ä'.".encode("latin-1"))
    with pytest.raises(CopybookError, match="byte D6 at offset 14 is not utf-8") as caught:
        read_copybook(path)
    assert (caught.value.line, caught.value.column) == (2, 9)
    assert "encoding = 'latin-1'" in caught.value.remedy
    assert names(read_copybook(path, encoding="latin-1")) == ["R", "GRÖSSE"]
    with pytest.raises(CopybookError, match="there is no encoding 'klingon'"):
        read_copybook(path, encoding="klingon")


def test_ebcdic_sources_say_so(tmp_path):
    path = tmp_path / "C.cpy"
    path.write_bytes("       01  REC.\n           05  ID   PIC 9(5).\n".encode("cp037"))
    with pytest.raises(CopybookError) as caught:
        read_copybook(path)
    assert "EBCDIC" in caught.value.remedy
    assert names(read_copybook(path, encoding="cp037")) == ["REC", "ID"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CopybookError, match="No such file"):
        read_copybook(tmp_path / "NONE.cpy")
    with pytest.raises(CopybookError, match="cannot be read"):
        read_copybook(tmp_path)
