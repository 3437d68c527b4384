"""What the keyword table decides, for this insurer and for another house."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest


def decided(category: str, priority: int, score: str) -> str:
    return f"<category>{category}</category><priority>{priority}</priority><score>{score}</score>"


@pytest.mark.parametrize(
    ("text", "category", "priority", "score"),
    [
        ("Good morning!", "C99", 3, "0.00"),
        ("I FORGOT MY PASSWORD", "C11", 2, "1.00"),
        ("How do I log in?", "C11", 2, "1.00"),
        ("I stay in, please log what I say", "C99", 3, "0.00"),
        ("claim claim claim, where is my copy", "C01", 1, "0.60"),
        ("I get no money back for the price", "C05", 2, "0.60"),
        ("a copy of the quote, the certificate", "C08", 3, "0.63"),
        ("New address. Urgent!", "C07", 1, "1.00"),
        ("answer immediately", "C99", 1, "0.00"),
        ("Recovered and discovered", "C99", 3, "0.00"),
    ],
)
def test_the_heaviest_category_wins(
    desk: Any, text: str, category: str, priority: int, score: str
) -> None:
    assert decided(category, priority, score) in desk.triage(text)


def test_of_equal_categories_the_first_wins(desk: Any) -> None:
    assert decided("C03", 2, "0.50") in desk.triage("cancel the bill")
    assert decided("C03", 2, "0.50") in desk.triage("bill: cancel")


def test_the_table_is_wrong_as_such_tables_are(desk: Any) -> None:
    assert "C07" in desk.triage("My e-mail address is right, why can I not get in?")


CATEGORIES = "code,name,priority,default\nZ9,other,3,yes\nB1,card_arrival,2,\nB2,top_up,1,\n"


def house(folder: Path, categories: str, keywords: str) -> list[str]:
    (folder / "categories.csv").write_text(categories, encoding="utf-8")
    (folder / "keywords.csv").write_text(keywords, encoding="utf-8")
    return [f"--{name}={folder / name}.csv" for name in ("categories", "keywords")]


def test_other_tables_make_it_another_house(start: Any, tmp_path: Path) -> None:
    words = "word,category,weight\nTop-up,B2,1.5\ncard,B1,3\narrive,B1,0.5\n"
    bank = start(tmp_path / "bank.db", *house(tmp_path, CATEGORIES, words))
    assert decided("B1", 2, "0.67") in bank.triage("my card, for the top-up")
    assert decided("B2", 1, "1.00") in bank.triage("top up!")
    assert decided("Z9", 3, "0.00") in bank.triage("my claim")


def test_words_in_the_database_count_more_than_the_file(start: Any, tmp_path: Path) -> None:
    db = tmp_path / "helpdesk.db"
    start(db).stop()
    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE keywords SET category = 'C12' WHERE word = 'bill'")
    connection.close()
    assert decided("C12", 1, "1.00") in start(db).triage("my bill")


@pytest.mark.parametrize(
    ("categories", "keywords", "complaint"),
    [
        (CATEGORIES, "word,category,weight\ncard,B1,1\ncard,B7,1\n", "keywords.csv line 3"),
        (CATEGORIES, "word,category,weight\nso many words,B1,1\n", "one word or two"),
        (CATEGORIES, "word,category,weight\ncard,B1,much\n", "expected a number above 0"),
        (CATEGORIES, "word,category,weight\ncard,B1,1\nCARD,B1,2\n", "there twice"),
        (CATEGORIES, "word;category;weight\n", "must name the columns"),
        ("code,name,priority,default\nB1,card,4,1\n", "", "categories.csv line 2: priority"),
        ("code,name,priority,default\nB1,card,1,0\n", "", "no row has default"),
    ],
)
def test_a_bad_table_stops_it_at_the_start(
    start: Any, tmp_path: Path, categories: str, keywords: str, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        start(tmp_path / "bad.db", *house(tmp_path, categories, keywords))
