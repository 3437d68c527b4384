"""Examples: what can be read, and how the rest is refused."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.ai.examples import read_examples
from stranglerfig.errors import InputError

GOOD = "text,category\none,a\ntwo,a\nthree,b\nfour,b\n"


def read(root, text, name="x.csv", **given_):
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_examples(root / name, **{"text_field": "text", "predicts": "category", **given_})


def test_a_csv_with_a_mark_quotes_and_line_breaks(tmp_path):
    text = (
        '\ufefftext,other,category\r\n"one, ""two""\nthree",x,a\r\ntwo,x,a\r\n\r\nx,y,b\r\ny,,b\r\n'
    )
    examples = read(tmp_path, text)
    assert [(one.text, one.label) for one in examples] == [
        ('one, "two"\nthree', "a"),
        ("two", "a"),
        ("x", "b"),
        ("y", "b"),
    ]


def test_columns_by_field_path_and_usual_name(tmp_path):
    renamed = GOOD.replace("text,category", "body,ticket.queue")
    assert len(read(tmp_path, renamed, text_field="mail.body", predicts="ticket.queue")) == 4
    assert len(read(tmp_path, GOOD, text_field="mail.body", predicts="queue")) == 4
    named = GOOD.replace("text,category", "Mail,Label")
    assert len(read(tmp_path, named, columns=("Mail", "Label"))) == 4


def test_recorded_pairs(tmp_path):
    lines = [
        {"request": {"mail": {"text": text}}, "reply": {"category": label}}
        for text, label in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"))
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n"
    examples = read(tmp_path, text, "pairs.jsonl", text_field="mail.text")
    assert [(one.text, one.label, one.line) for one in examples][2] == ("c", "y", 3)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", "x.csv", "empty"),
        ("text,category\n", "x.csv", "two labels"),
        ("txt,category\na,b\n", "line 1", "'category'"),
        ("txt,category\na,b\n", "line 1", "did you mean 'txt'"),
        ("text,category\na,b\nc\nd,e\n,f\ng,\nh,i,j\n", "line 3, 5, 6, 7", "4 lines"),
        ("text,category\na,b\nc,b\n", "x.csv", "two labels"),
        ("text,category\na,b\nc,b\nd,e\n", "line 4", "'e'"),
        ('text,category\na,b\n"c,b\n', "line 3", "CSV"),
        (b"text,category\na,b\n\xff\xfe,b\n", "x.csv", "UTF-8"),
        ("text,category\n" + "a" * 200_000 + ",b\n", "line 2", "CSV"),
    ],
)
def test_bad_csv_is_refused_with_the_line(tmp_path, text, place, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert place in caught.value.place
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "line",
    ['{"request": {}}', "[]", "{", '{"request": {"text": 1}, "reply": {"category": "a"}}', "\x00"],
)
def test_bad_pairs_are_refused_with_the_line(tmp_path, line):
    good = json.dumps({"request": {"text": "a"}, "reply": {"category": "x"}})
    with pytest.raises(InputError, match="line 2:"):
        read(tmp_path, f"{good}\n{line}\n{good}\n", "pairs.jsonl")


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_examples(tmp_path / "none.csv", text_field="text", predicts="category")


CELLS = st.text(min_size=1).filter(str.strip).filter(lambda text: "\x00" not in text)


@given(st.lists(st.tuples(CELLS, st.sampled_from(["a", "b"])), min_size=1, max_size=8))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows):
    rows = [*rows, ("p", "a"), ("q", "a"), ("r", "b"), ("s", "b")]
    rows = [
        (text.encode("utf-8", "replace").decode().replace("\r", " ") or "x", label)
        for text, label in rows
    ]
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category"))
        writer.writerows(rows)
    examples = read_examples(file, text_field="text", predicts="category")
    assert [(one.text, one.label) for one in examples] == rows
