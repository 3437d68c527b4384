"""The demo's messages: read with their place, and parted so that nothing is learnt twice."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.demo.data import Message, read_messages, split
from stranglerfig.errors import InputError

messages = st.lists(
    st.builds(Message, st.text(min_size=1, max_size=8), st.sampled_from("abc")),
    unique_by=lambda message: message.text,
    max_size=60,
)


@given(messages, st.floats(0.1, 0.9))
def test_the_two_parts_are_disjoint_and_whole(given_, share):
    first, second = split(given_, share)
    assert not {m.text for m in first} & {m.text for m in second}
    assert Counter(first + second) == Counter(given_)


@given(messages, st.floats(0.1, 0.9), st.randoms(use_true_random=False))
def test_the_same_messages_part_in_the_same_way_whatever_their_order(given_, share, random):
    again = list(given_)
    random.shuffle(again)
    assert split(again, share) == split(given_, share)


def test_every_category_is_in_both_parts():
    given_ = [Message(f"{c} {n}", c) for c in "abcd" for n in range(20)]
    first, second = split(given_, 0.45)
    assert Counter(m.category for m in first) == dict.fromkeys("abcd", 9)
    assert Counter(m.category for m in second) == dict.fromkeys("abcd", 11)


def test_a_text_that_stands_twice_is_on_one_side_only():
    """The same text in both parts would be learnt, and then asked."""
    given_ = [Message(f"text {n % 10}", "a") for n in range(40)]
    first, second = split(given_, 0.5)
    assert not {m.text for m in first} & {m.text for m in second}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text,label\nhello,a\n", "'category' is missing"),
        ("", "'text' is missing"),
        ("text,category\nhello,\n", "line 2"),
        ("text,category\nhello\n", "line 2"),
        ('text,category\n"hello,a\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_good(tmp_path, content, words):
    file = tmp_path / "traffic.csv"
    file.write_text(content, "utf-8")
    with pytest.raises(InputError) as refused:
        read_messages(file)
    assert words in str(refused.value)
    assert "traffic.csv" in refused.value.place


def test_reads_what_spreadsheets_write(tmp_path):
    file = tmp_path / "traffic.csv"
    file.write_text('\ufefftext,category\r\n" a, ""b""\nc ",x\r\n', "utf-8")
    assert read_messages(file) == [Message('a, "b"\nc', "x")]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_messages(tmp_path / "none.csv")
