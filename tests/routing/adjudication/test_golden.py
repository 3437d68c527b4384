"""Golden labels from a CSV: what is found, and what is refused with its line."""

from __future__ import annotations

import pytest

from stranglerfig.errors import InputError
from stranglerfig.routing.adjudication.golden import load_golden

INPUTS, OUTPUTS = frozenset({"text", "channel"}), frozenset({"category", "priority"})


@pytest.fixture
def load(tmp_path):
    def write(content):
        file = tmp_path / "golden.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_golden(file, INPUTS, OUTPUTS)

    return write


def test_finds_the_label_of_an_input(load):
    golden = load("text,category\nhello,refund\nbye,quote\n")
    assert len(golden) == 2
    assert golden.find({"text": "hello", "channel": "web"}) == {"category": "refund"}
    assert golden.find({"text": "Hello"}) is None
    assert golden.find({}) is None


def test_every_input_column_counts(load):
    golden = load("text,channel,category,priority\nhello,web,refund,high\n")
    assert golden.find({"text": "hello", "channel": "mail"}) is None
    found = golden.find({"text": "hello", "channel": "web"})
    assert found == {"category": "refund", "priority": "high"}


def test_reads_what_spreadsheets_write(load):
    content = '\ufefftext,category,remark\r\n"a, ""b""\nc",refund,none\r\n'
    golden = load(content)
    assert golden.find({"text": 'a, "b"\nc'}) == {"category": "refund"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no header"),
        ("txet,category\nhello,refund\n", "inputs channel, text"),
        ("text,catgory\nhello,refund\n", "outputs category, priority"),
        ("text,category\nhello\n", "line 2"),
        ("text,category\nhello,refund,more\n", "line 2"),
        ('text,category\n"hello,refund\n', "cannot be read"),
        (b"text,category\n\xff\xfe,refund\n", "cannot be read"),
    ],
)
def test_refuses_with_file_and_place(load, content, words):
    with pytest.raises(InputError) as refused:
        load(content)
    assert words in str(refused.value)
    assert "golden.csv" in refused.value.place


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file") as refused:
        load_golden(tmp_path / "none.csv", INPUTS, OUTPUTS)
    assert "golden" in refused.value.remedy
