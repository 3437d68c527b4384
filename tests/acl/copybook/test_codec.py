"""A copybook at work: groups, tables, branches, short records, policies, corrections."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.copybook import parse_copybook
from stranglerfig.acl.copybook.codec.codec import Codec
from stranglerfig.acl.copybook.codec.correction import apply, as_text, difference, from_text
from stranglerfig.acl.copybook.codec.options import CodecOptions, Policies
from stranglerfig.acl.copybook.codec.peek import Peek
from stranglerfig.acl.copybook.codec.problem import RecordError
from stranglerfig.errors import ConfigError, FigError


def book(*entries: str) -> str:
    return "".join(f"       {entry}.\n" for entry in entries)


def codec(*entries: str, **options) -> Codec:
    return Codec(parse_copybook(book(*entries)), CodecOptions(**{"encoding": "ascii", **options}))


# Shapes.


def test_groups_are_dicts_and_filler_is_left_out():
    made = codec(
        "01 R",
        "05 A PIC X",
        "05 FILLER PIC X(2)",
        "05 G",
        "10 B PIC 9",
        "10 FILLER PIC X VALUE '-'",
        "10 C PIC X(2)",
        "05 FILLER",
        "10 FILLER PIC X",
    )
    assert made.decode(b"a??1?cc!") == {"A": "a", "G": {"B": 1, "C": "cc"}}
    assert made.encode({"A": "a", "G": {"B": 1, "C": "cc"}}) == b"a  1-cc "
    values, corrections = made.exact(b"a??1?cc!")
    assert as_text(corrections) == {"1": "3F3F", "4": "3F", "7": "21"}
    assert made.encode(values, corrections) == b"a??1?cc!"


def test_what_has_a_name_inside_a_filler_is_kept():
    made = codec("01 R", "05 D PIC 9(4)", "05 FILLER REDEFINES D", "10 Y PIC 99", "10 M PIC 99")
    values = {"D": 2512, "FILLER": {"Y": 25, "M": 12}}
    assert made.decode(b"2512") == values
    assert made.encode(values) == b"2512"


def test_one_record_gives_its_fields_and_several_their_names():
    assert codec("01 R", "05 A PIC X").decode(b"a") == {"A": "a"}
    assert codec("01 R", "05 A PIC X", root="keep").decode(b"a") == {"R": {"A": "a"}}
    assert codec("01 R PIC X").decode(b"a") == {"R": "a"}
    two = codec("01 R", "05 A PIC X(2)", "01 S", "05 B PIC 9")
    assert two.decode(b"1x") == {"R": {"A": "1x"}, "S": {"B": 1}}
    assert two.encode({"R": {"A": "1x"}, "S": {"B": 1}}) == b"1x"
    assert two.encode({"S": {"B": 1}}) == b"1 "


def test_twins_have_different_keys():
    made = codec("01 R", "05 A PIC X", "05 A PIC 9")
    assert made.decode(b"a1") == {"A": "a", "A#2": 1}
    assert made.encode({"A": "a", "A#2": 1}) == b"a1"


def test_renames_and_conditions_are_no_fields():
    made = codec("01 R", "05 A PIC X", "88 YES VALUE 'Y'", "05 B PIC X", "66 AB RENAMES A THRU B")
    assert made.decode(b"Yn") == {"A": "Y", "B": "n"}


def test_slack_bytes():
    made = codec("01 R", "05 A PIC X", "05 B PIC S9(4) COMP SYNC", "05 C PIC X")
    assert made.size == 5
    assert made.decode(b"a?\x00\x07c") == {"A": "a", "B": 7, "C": "c"}
    assert made.encode({"A": "a", "B": 7, "C": "c"}) == b"a\x00\x00\x07c"


def test_values_are_for_what_nobody_feeds():
    made = codec(
        "01 R",
        "05 A PIC X(3) VALUE 'ab'",
        "05 B PIC 9(3) VALUE 7",
        "05 C PIC X(2) VALUE ALL '*'",
        "05 D PIC S9(3) COMP-3",
        "05 E PIC X(2) VALUE LOW-VALUES",
        "05 F PIC 9(2) VALUE ZEROS",
        "05 G PIC 99",
        "05 H PIC X(2) VALUE HIGH-VALUES",
        "05 T PIC X OCCURS 2 VALUE 'x'",
    )
    assert made.encode({}) == b"ab 007**\x00\x0c\x00\x0000" + b"00\xff\xffxx"
    assert made.encode({"A": None, "B": None, "D": None})[:10] == b"      **\x00\x00"


# Text.


def test_text_is_trimmed_as_asked():
    record = b" a  \x00b "
    for trim, text in (
        ("both", "a   b"),
        ("right", " a   b"),
        ("left", "a   b "),
        ("none", " a   b "),
    ):
        assert codec("01 R", "05 A PIC X(7)", trim=trim).decode(record) == {"A": text}
    kept = codec("01 R", "05 A PIC X(7)", controls="keep")
    assert kept.decode(record) == {"A": "a  \x00b"}
    values, corrections = codec("01 R", "05 A PIC X(7)").exact(record)
    assert values == {"A": "a   b"}
    assert codec("01 R", "05 A PIC X(7)").encode(values, corrections) == record


def test_a_page_of_its_own_for_a_field():
    made = codec(
        "01 R",
        "05 A PIC X(2)",
        "05 B PIC X(3)",
        "05 C PIC X(2)",
        "05 D PIC X(4)",
        "05 N PIC 9(2)",
        encoding="cp037",
        encodings={"B": "utf-8", "C": "hex", "D": "utf-16-be", "N": "ascii"},
    )
    record = "Ab".encode("cp037") + "é!".encode() + b"\x00\xff" + "ő!".encode("utf-16-be") + b"42"
    values = {"A": "Ab", "B": "é!", "C": "00ff", "D": "ő!", "N": 42}
    assert made.decode(record) == values
    assert made.encode(values) == record


def test_double_byte_text_of_an_unknown_page_is_its_bytes():
    made = codec("01 R", "05 A PIC G(2) DISPLAY-1", encoding="cp037")
    assert made.decode(b"\x44\x81\x40\x40") == {"A": "44814040"}
    assert made.encode({"A": "44814040"}) == b"\x44\x81\x40\x40"


def test_an_encoding_of_several_bytes_for_all():
    made = codec("01 R", "05 A PIC X(4)", "05 B PIC 9(2)", "05 C PIC X(2)", encoding="shift_jis")
    record = "日本".encode("shift_jis") + b"42ab"
    assert made.decode(record) == {"A": "日本", "B": 42, "C": "ab"}
    assert made.encode(made.decode(record)) == record


# Tables.


def test_tables_nested():
    made = codec(
        "01 R",
        "05 T OCCURS 2",
        "10 A PIC X",
        "10 N PIC 9 OCCURS 3",
        "05 E PIC 9(2) COMP-3 OCCURS 2",
    )
    values = {"T": [{"A": "a", "N": [1, 2, 3]}, {"A": "b", "N": [4, 5, 6]}], "E": [7, 8]}
    record = b"a123b456\x00\x7f\x00\x8f"
    assert made.decode(record) == values
    assert made.encode(values) == record
    assert made.encode({"T": [values["T"][0]], "E": [7]}) == b"a123 000\x00\x7f\x00\x0f"
    with pytest.raises(RecordError, match="at most 2 entries"):
        made.encode({"T": values["T"] * 2, "E": []})


DEPENDING = (
    "01 R",
    "05 N PIC 9",
    "05 T OCCURS 0 TO 3 DEPENDING ON N",
    "10 A PIC X",
    "10 B PIC 9",
    "05 Z PIC X(2)",
)


@pytest.mark.parametrize(
    ("occurs", "record"), [("max", b"2a1b2  zz"), ("shift", b"2a1b2zz"), ("pad", b"2a1b2zz  ")]
)
def test_depending_on(occurs, record):
    made = codec(*DEPENDING, occurs=occurs)
    values = {"N": 2, "T": [{"A": "a", "B": 1}, {"A": "b", "B": 2}], "Z": "zz"}
    assert made.decode(record) == values
    assert made.encode(values) == record
    assert made.exact(record) == (values, {})
    del values["N"]  # it is as many as there are
    assert made.encode(values) == record
    full = {"N": 3, "T": [{"A": "a", "B": 1}] * 3, "Z": "zz"}
    assert made.decode(made.encode(full)) == full
    assert made.encode(full) == b"3a1a1a1zz"


@pytest.mark.parametrize("occurs", ["max", "shift", "pad"])
def test_a_counter_that_contradicts_its_table(occurs):
    made = codec(*DEPENDING, occurs=occurs)
    with pytest.raises(RecordError, match="2 entries, as N says"):
        made.encode({"N": 2, "T": [{"A": "a", "B": 1}], "Z": "zz"})
    record = b"7a1b2c3zz"
    report = made.problems(record)
    assert [one.reason for one in report] == ["0 to 3 entries, where N says 7"]
    values, corrections = made.exact(record)
    assert len(values["T"]) == 3
    assert made.encode(values, corrections) == record


def test_tables_in_tables_that_all_vary():
    entries = (
        "01 R",
        "05 N PIC 9",
        "05 M PIC 9",
        "05 T OCCURS 1 TO 3 DEPENDING ON N",
        "10 K PIC 9",
        "10 A PIC X OCCURS 0 TO 4 DEPENDING ON K",
        "10 B PIC 99 OCCURS 0 TO 2 DEPENDING ON M",
        "10 C PIC X",
        "05 G",
        "10 U PIC S9(4) COMP OCCURS 1 TO 2 DEPENDING ON M",
        "10 Y PIC X",
        "05 Z PIC 9(3)",
    )
    values = {
        "N": 2,
        "M": 1,
        "T": [
            {"K": 3, "A": ["p", "q", "r"], "B": [11], "C": "x"},
            {"K": 0, "A": [], "B": [22], "C": "y"},
        ],
        "G": {"U": [258], "Y": "w"},
        "Z": 789,
    }
    shifted = codec(*entries, occurs="shift")
    assert shifted.encode(values) == b"213pqr11x022y\x01\x02w789"
    for occurs in ("max", "shift", "pad"):
        made = codec(*entries, occurs=occurs)
        record = made.encode(values)
        assert made.decode(record) == values
        assert made.exact(record) == (values, {})
        assert made.problems(record) == []


def test_a_rule_that_asks_for_what_its_own_table_moves():
    entries = (
        "01 R",
        "05 N PIC 9",
        "05 T OCCURS 1 TO 3 DEPENDING ON N",
        "10 A PIC X",
        "10 B REDEFINES A PIC 9",
        "05 K PIC X",
    )
    made = codec(*entries, rules={"B": "K = 'k'"})
    assert made.decode(b"11  k") == {"N": 1, "T": [{"A": "1", "B": 1}], "K": "k"}
    with pytest.raises(ConfigError, match="moves with it"):
        codec(*entries, rules={"B": "K = 'k'"}, occurs="shift")


# Records that are shorter or longer than the copybook.


def test_what_stands_behind_the_end_is_none():
    made = codec(
        "01 R",
        "05 A PIC X(2)",
        "05 B PIC X(4)",
        "05 N PIC 9(3)",
        "05 T PIC X OCCURS 2",
        "05 G",
        "10 H PIC S9(4) COMP",
    )
    assert made.decode(b"aabb") == {"A": "aa", "B": "bb", "N": None, "T": [], "G": {"H": None}}
    assert [(one.path, one.reason) for one in made.problems(b"aabb")] == [
        ("B", "the record ends 2 bytes before it does"),
        ("T", "the record ends before the table's last entry"),
    ]
    assert made.decode(b"aabbbb12")["N"] is None
    assert made.decode(b"aabbbb123x")["T"] == ["x"]
    for end in range(12):
        record = b"aabbbb123xy\x00\x01"[:end]
        values, corrections = made.exact(record)
        assert made.encode(values, corrections) == record
        assert made.encode(values, from_text(as_text(corrections))) == record


def test_a_longer_record_says_so():
    made = codec("01 R", "05 A PIC X(2)")
    assert made.decode(b"aabb") == {"A": "aa"}
    assert [one.reason for one in made.problems(b"aabb")] == ["2 bytes more than the copybook has"]
    values, corrections = made.exact(b"aabb")
    assert corrections == {2: b"bb"}
    assert made.encode(values, corrections) == b"aabb"


# Items that share their bytes.

BRANCHES = (
    "01 R",
    "05 TYPE PIC X",
    "88 A-PERSON VALUES 'P' 'E'",
    "88 SOME-FIRM VALUE 'A' THRU 'C'",
    "05 PERSON",
    "10 NAME PIC X(4)",
    "10 AGE PIC 9(2)",
    "05 FIRM REDEFINES PERSON",
    "10 TITLE PIC X(3)",
    "10 STAFF PIC 9(5) COMP-3",
)


@pytest.mark.parametrize(
    ("person", "firm"),
    [
        ("TYPE in ('P', 'E')", "TYPE not in ('P', 'E')"),
        ("A-PERSON", "not A-PERSON"),
        ("TYPE = 'P' or TYPE = 'E'", "SOME-FIRM"),
        ("TYPE != 'A'", "TYPE = 'A' and not (TYPE = 'P')"),
    ],
)
def test_rules_say_which_branch_holds(person, firm):
    made = codec(*BRANCHES, rules={"PERSON": person, "FIRM": firm})
    one = {"TYPE": "P", "PERSON": {"NAME": "Ann", "AGE": 42}, "FIRM": None}
    other = {"TYPE": "A", "PERSON": None, "FIRM": {"TITLE": "Co", "STAFF": 12345}}
    assert made.decode(b"PAnn 42") == one
    assert made.decode(b"ACo \x12\x34\x5f") == other
    assert made.encode(one) == b"PAnn 42"
    assert made.encode(other) == b"ACo \x12\x34\x5f"
    assert made.problems(b"PAnn 42") == []
    with pytest.raises(RecordError, match="its rule does not hold"):
        made.encode({**other, "PERSON": one["PERSON"]})


def test_without_rules_the_branch_that_says_it_all_is_found():
    made = codec(*BRANCHES)
    for record in (b"PAnn 42", b"ACo \x12\x34\x5f", b"A\x00\x00\x00\x00\x00\x00", b"       "):
        values = made.decode(record)
        with contextlib.suppress(RecordError):
            assert made.decode(made.encode(values)) == values
        values, corrections = made.exact(record)
        assert made.encode(values, corrections) == record
    assert made.encode({"TYPE": "A", "FIRM": {"TITLE": "Co", "STAFF": 5}}) == b"ACo \x00\x00\x5f"


def test_branches_that_contradict_each_other_are_refused():
    made = codec("01 R", "05 A PIC 9(3)", "05 B REDEFINES A PIC X(3)")
    assert made.encode({"A": 123, "B": "123"}) == b"123"
    assert made.encode({"A": None, "B": "abc"}) == b"abc"
    assert made.encode({"A": 5}) == b"005"
    with pytest.raises(RecordError, match="share their bytes"):
        made.encode({"A": 124, "B": "123"})


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "TYPE",
        "TYPE in 'P'",
        "TYPE in ('P'",
        "TYPE = ",
        "TYPE = 'P' TYPE",
        "NOBODY = 'P'",
        "PERSON.NAME = 'x'",
        "TYPE ~ 'P'",
        "AGE = 'x'",
        "(" * 100 + "TYPE = 'P'" + ")" * 100,
        "FIRM = 'x'",
    ],
)
def test_rules_that_cannot_be(rule):
    with pytest.raises(ConfigError):
        codec(*BRANCHES, rules={"PERSON": rule})


def test_rules_inside_tables_ask_the_entry():
    made = codec(
        "01 R",
        "05 KIND PIC X",
        "05 T OCCURS 2",
        "10 WHAT PIC X",
        "10 A PIC X(2)",
        "10 B REDEFINES A PIC 9(2)",
        rules={"B": "WHAT = 'n' and KIND = 'k'"},
    )
    values = {
        "KIND": "k",
        "T": [{"WHAT": "n", "A": "12", "B": 12}, {"WHAT": "t", "A": "34", "B": None}],
    }
    assert made.decode(b"kn12t34") == values
    assert made.encode(values) == b"kn12t34"
    with pytest.raises(ConfigError, match="nobody can know"):
        codec(
            "01 R",
            "05 T OCCURS 2",
            "10 WHAT PIC X",
            "05 A PIC X",
            "05 B REDEFINES A PIC 9",
            rules={"B": "WHAT = 'n'"},
        )


# Policies.


def test_policies():
    entries = ("01 R", "05 A PIC 9(3)", "05 B PIC S9(3)V99 COMP-3", "05 C PIC X(2)")
    blank, low, bad = b"   \x12\x34\x5cxx", b"123\x00\x00\x00xx", b"1?3\x12\x34\x5cxx"
    zeros = codec(*entries, policies=Policies(blank="zero", low="zero", invalid="zero"))
    assert zeros.decode(blank)["A"] == 0
    assert str(zeros.decode(low)["B"]) == "0.00"
    assert zeros.decode(bad)["A"] == 0
    assert len(zeros.problems(bad)) == 1
    strict = codec(
        *entries, policies=Policies(invalid="error"), fields={"B": Policies(low="error")}
    )
    assert strict.decode(blank)["A"] is None
    for record in (low, bad):
        with pytest.raises(RecordError):
            strict.decode(record)
        assert len(strict.problems(record)) == 1
    nothing = codec(*entries, policies=Policies(zero="null"))
    assert nothing.decode(b"000\x00\x00\x0cxx") == {"A": None, "B": None, "C": "xx"}
    assert nothing.decode(b"001\x00\x10\x0cxx") == {"A": 1, "B": Decimal("1.00"), "C": "xx"}


def test_problems_name_path_offset_bytes_and_reason():
    made = codec("01 R", "05 A PIC X", "05 T OCCURS 2", "10 B PIC X", "10 N PIC 9(2)")
    report = made.problems(b"ab12b\xff\x01")
    assert [(one.path, one.offset, one.size, one.hex) for one in report] == [("T.N", 5, 2, "ff01")]
    assert report[0].reason


def test_all_that_cannot_be_written_is_said_at_once():
    made = codec("01 R", "05 AMOUNT PIC 9(2)", "05 G", "10 B PIC X(2)", "05 T PIC 9 OCCURS 2")
    with pytest.raises(RecordError) as refused:
        made.encode({"AMOUNT": 100, "G": {"B": "abc", "C": 1}, "T": [1, "x"], "AMUONT": 1})
    found = [(one.path, one.value) for one in refused.value.problems]
    assert found == [("AMUONT", "1"), ("AMOUNT", "100"), ("G.C", "1"), ("G.B", "abc"), ("T", "x")]
    assert "did you mean" in str(refused.value)
    for wrong in ({"G": 5}, {"T": 5}, {"G": [1]}):
        with pytest.raises(RecordError):
            made.encode(wrong)


# Corrections.


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_corrections_turn_any_bytes_into_any_others(wanted, made):
    found = difference(wanted, made)
    assert apply(made, found) == wanted
    assert from_text(as_text(found)) == found
    assert bool(found) == (wanted != made)


def test_many_times_one_byte_is_short():
    assert as_text(difference(b"\0" * 100, b" " * 100)) == {"0": "00*100"}


@pytest.mark.parametrize(
    "table",
    [
        {"a": "00"},
        {"-1": "00"},
        {"0": "0"},
        {"0": 5},
        {"0": "00*"},
        {"0": "00*99999999"},
        {"0": "GG"},
    ],
)
def test_corrections_that_are_none(table):
    with pytest.raises(ValueError, match=r"OFFSET|16 MiB"):
        from_text(table)
    made = codec("01 R", "05 A PIC X")
    with pytest.raises(RecordError):
        made.encode({"A": "a"}, {5: b"x"})


# Any bytes.

ENTRIES = (
    "01 R",
    "05 N PIC 9",
    "05 K PIC X",
    "05 A PIC X(3)",
    "05 B REDEFINES A PIC S9(5) COMP-3",
    "05 C REDEFINES A",
    "10 D PIC S9(3) SIGN LEADING",
    "05 E PIC S9(4) COMP",
    "05 F PIC 9(9) COMP",
    "05 G COMP-1",
    "05 H PIC ZZ9.9-",
    "05 T OCCURS 0 TO 3 DEPENDING ON N",
    "10 U PIC S9(3)V9",
    "10 V PIC X(2)",
    "10 W REDEFINES V PIC 9(3) COMP-3",
    "05 X PIC N(2)",
    "05 Y PIC 9(4)V99 COMP-3",
    "05 Z PIC X(2)",
)
OPTIONS = [
    CodecOptions(encoding=encoding, occurs=occurs, rules=rules)
    for encoding, occurs, rules in (
        ("cp037", "max", {}),
        ("cp037", "shift", {}),
        ("ascii", "pad", {}),
        ("cp1140", "max", {"B": "K = 'b'", "W": "K != 'w'"}),
        ("ascii", "shift", {"C": "K in ('c', 'd')", "A": "N = 1"}),
    )
]
CODECS = [Codec(parse_copybook(book(*ENTRIES)), options) for options in OPTIONS]


@given(st.sampled_from(CODECS), st.binary(max_size=70))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_and_come_back(made, record):
    values, corrections = made.exact(record)
    assert made.encode(values, corrections) == record
    assert made.decode(record, []) == values


@given(st.sampled_from(CODECS), st.binary(min_size=70, max_size=70))
@settings(max_examples=200, deadline=None)
def test_what_is_generated_reads_as_what_is_not(made, record):
    if made.options.occurs != "max":
        return
    seen = made.decode(record)
    for root in made.tree.roots:
        peek = Peek(made._repair, made._numbers, lambda _: None)
        assert repr(peek.read(root, record)) == repr(seen)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=4,
)
VALUES = st.dictionaries(st.sampled_from("NKABCEFGHTXYZ"), JSON, max_size=6)


@given(st.sampled_from(CODECS), VALUES)
@settings(max_examples=300, deadline=None)
def test_any_values_are_written_or_refused(made, values):
    with contextlib.suppress(FigError):
        assert isinstance(made.encode(values), bytes)


# What the fuzzer found.


def by_json(made: Codec, record: bytes) -> bytes:
    values, corrections = made.exact(record)
    line = msgspec.json.Encoder(decimal_format="number").encode(values)
    told = msgspec.json.Decoder(dict[str, object], float_hook=Decimal).decode(line)
    return made.encode(told, corrections)


@pytest.mark.parametrize("floats", ["ibm", "ieee"])
@pytest.mark.parametrize("record", [b"\x40" * 8, b"\x40\x20\x0c\x0c\x0c\x0c\x0c\x0c"])
def test_floats_that_share_their_bytes_come_back_by_way_of_json(floats: str, record: bytes):
    made = codec(
        "01 R", "05 A COMP-2", "05 B REDEFINES A", "10 C COMP-1", "10 D COMP-1", floats=floats
    )
    assert by_json(made, record) == record


def test_a_table_that_the_record_ends_in_comes_back():
    entries = ("01 R", "05 N PIC 9", "05 T PIC X(2) OCCURS 1 TO 9 DEPENDING ON N")
    made = codec(*entries, occurs="shift")
    assert by_json(made, b"9aabb") == b"9aabb"
    assert by_json(made, b"9aab") == b"9aab"
    with pytest.raises(RecordError, match="9 entries, as N says"):
        made.encode({"N": 9, "T": ["aa"]})


def test_a_rule_may_have_a_hundred_words_and_no_more():
    entries = ("01 R", "05 T PIC X", "05 A PIC X", "05 B REDEFINES A PIC 9")
    made = codec(*entries, rules={"B": "T = '0'" + " or T = '1'" * 100})
    assert made.decode(b"17") == {"T": "1", "A": "7", "B": 7}
    with pytest.raises(ConfigError, match="at most 100 'and' and 'or'"):
        codec(*entries, rules={"B": "T = '0'" + " and T = '1'" * 101})


def test_runs_of_bytes_have_an_end():
    assert from_text({"0": "00*16777215", "16777215": "01*1"})[16777215] == b"\x01"
    with pytest.raises(ValueError, match="at most 16 MiB"):
        from_text({"0": "00*16777216", "16777216": "00*1"})
